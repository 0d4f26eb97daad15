locals {
  account = data.aws_caller_identity.this.account_id
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "Lets ${var.name} write its log, in whichever Region it runs. Nothing else."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"] }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "log" {
  name = "write-own-log"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      # For a request from CloudFront, the group is in the Region that ran the function and has us-east-1 in
      # its name. The other group is for an invocation by hand.
      Resource = [
        "arn:aws:logs:*:${local.account}:log-group:/aws/lambda/us-east-1.${var.name}:*",
        "arn:aws:logs:us-east-1:${local.account}:log-group:/aws/lambda/${var.name}:*",
      ]
    }]
  })
}

# Without the settings that CloudFront refuses for a viewer-request function: environment variables, layers, a VPC,
# more memory or time, arm64, tracing, a dead-letter queue.
resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "Decides on every viewer request, before CloudFront signs it for the bucket."
  package_type     = "Zip"
  architectures    = ["x86_64"]
  runtime          = var.runtime
  handler          = "index.handler"
  memory_size      = 128
  timeout          = 5
  role             = aws_iam_role.this.arn
  filename         = var.package
  source_code_hash = var.code_sha256
  # CloudFront accepts only a numbered version.
  publish = true
  # Replicas block deletion for hours after a version was removed from the last behavior. So Terraform never tries:
  # the function stays, and must be deleted by hand.
  skip_destroy = true

  lifecycle {
    precondition {
      condition     = data.aws_region.this.region == "us-east-1"
      error_message = "CloudFront accepts only functions in us-east-1: give this module a provider for that Region."
    }
    precondition {
      condition     = fileexists(var.package) ? filebase64sha256(var.package) == var.code_sha256 : false
      error_message = "The zip is not the one that was reviewed: its SHA-256 is not code_sha256, or it does not exist."
    }
  }

  depends_on = [aws_iam_role_policy.log]
}
