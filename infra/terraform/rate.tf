# Before the function: what is blocked here does not run it. It sees requests, not the function's answers, so it counts
# allowed requests too.
resource "aws_wafv2_web_acl" "rate" {
  count    = var.rate_limit > 0 ? 1 : 0
  provider = aws.us_east_1

  name        = "${var.name}-rate"
  description = "Limits the requests of one IP address to ${var.name}."
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  # The same words as in the template.
  rule_json = jsonencode([{
    Name     = "one-address"
    Priority = 0
    Action   = { Block = {} }
    Statement = {
      RateBasedStatement = { AggregateKeyType = "IP", EvaluationWindowSec = 300, Limit = var.rate_limit }
    }
    VisibilityConfig = {
      CloudWatchMetricsEnabled = true
      MetricName               = "${var.name}-one-address"
      # Samples contain whole requests, with their tokens.
      SampledRequestsEnabled = false
    }
  }])

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "${var.name}-rate"
    sampled_requests_enabled   = false
  }
}
