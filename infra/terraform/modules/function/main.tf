locals {
  account   = data.aws_caller_identity.this.account_id
  full_name = var.suffix == "" ? var.name : "${var.name}-${var.suffix}"
  log_group = "/lambda-edge/${var.name}"

  # The names in a zip are not compressed. This one has three forms in base64, by where it begins.
  in_base64  = fileexists(var.package) ? filebase64(var.package) : ""
  library    = [base64encode("libauthorizer.s"), base64encode("ibauthorizer.so"), base64encode("bauthorizer.")]
  is_library = anytrue([for form in local.library : strcontains(local.in_base64, form)])
}

resource "aws_iam_role" "this" {
  name        = local.full_name
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
      # Not logs:CreateLogGroup: a group that Lambda creates never deletes anything, and has no key. infra/logs creates
      # the groups.
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
      # In each Region that runs the function.
      Resource = ["arn:aws:logs:*:${local.account}:log-group:${local.log_group}:*"]
    }]
  })
}

# Without the settings that CloudFront refuses for a viewer-request function: environment variables, layers, a VPC,
# more memory or time, arm64, tracing, a dead-letter queue.
resource "aws_lambda_function" "this" {
  function_name    = local.full_name
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

  # Lambda@Edge adds us-east-1 to a name below /aws/lambda, and leaves others as they are, in all Regions (CloudFront
  # Developer Guide, "Edge function logs").
  logging_config {
    log_format = "JSON"
    log_group  = local.log_group
    # The lines of the decision log do not have a level, and count as INFO.
    application_log_level = "INFO"
    system_log_level      = var.system_log_level
  }

  lifecycle {
    precondition {
      condition     = length(local.full_name) <= 64
      error_message = "The names of a function and of a role have at most 64 characters: make name or suffix shorter."
    }
    precondition {
      condition     = data.aws_region.this.region == "us-east-1"
      error_message = "CloudFront accepts only functions in us-east-1: give this module a provider for that Region."
    }
    precondition {
      condition     = fileexists(var.package) ? filebase64sha256(var.package) == var.code_sha256 : false
      error_message = "The zip is not the one that was reviewed: its SHA-256 is not code_sha256, or it does not exist."
    }
    precondition {
      condition     = startswith(var.runtime, "python") || !local.is_library
      error_message = "The zip was made with --hand-over library, for Python alone: set runtime to python3.14."
    }
  }

  depends_on = [aws_iam_role_policy.log]
}
