# The function alone.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
}

# The same in a Region that CloudFront takes no functions from.
mock_provider "aws" {
  alias           = "elsewhere"
  override_during = plan

  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  package     = "versions.tf"
  code_sha256 = filebase64sha256("versions.tf")
}

run "is_one_that_lambda_at_edge_takes" {
  command = plan
  module {
    source = "./modules/function"
  }

  assert {
    condition = (
      aws_lambda_function.this.memory_size == 128 && aws_lambda_function.this.timeout == 5 &&
      aws_lambda_function.this.architectures == tolist(["x86_64"]) && aws_lambda_function.this.package_type == "Zip" &&
      aws_lambda_function.this.runtime == "python3.14" && aws_lambda_function.this.handler == "index.handler" &&
      length(aws_lambda_function.this.environment) == 0 && length(aws_lambda_function.this.vpc_config) == 0 &&
      length(aws_lambda_function.this.tracing_config) == 0 && length(aws_lambda_function.this.dead_letter_config) == 0
    )
    error_message = "What CloudFront takes of a viewer-request function, and nothing that it does not."
  }
  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.skip_destroy
    error_message = "A numbered version, which replicas keep from being deleted for hours."
  }
  assert {
    condition = (
      jsondecode(aws_iam_role.this.assume_role_policy).Statement[*].Principal ==
      [{ Service = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"] }]
    )
    error_message = "The role is for both services, and for nobody else."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.log.policy).Statement == [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:aws:logs:*:111122223333:log-group:/lambda-edge/edge-authorizer:*"]
    }]
    error_message = "It may write its own log, and nothing else."
  }
  assert {
    condition = [
      for one in aws_lambda_function.this.logging_config :
      [one.log_format, one.log_group, one.application_log_level, one.system_log_level]
    ] == [["JSON", output.log_group_name, "INFO", "WARN"]] && output.log_group_name == "/lambda-edge/edge-authorizer"
    error_message = "The log is JSON, in one group of the same name in all Regions."
  }
}

run "has_a_name_that_can_be_new" {
  command = plan
  module {
    source = "./modules/function"
  }

  variables {
    suffix = "2"
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "edge-authorizer-2" && aws_iam_role.this.name == "edge-authorizer-2" &&
      output.log_group_name == "/lambda-edge/edge-authorizer"
    )
    error_message = "The function and its role have the suffix; the log group stays."
  }
}

run "has_a_name_that_is_not_too_long" {
  command = plan
  module {
    source = "./modules/function"
  }

  variables {
    name   = "a234567890123456789012345678901234567890123456789012345678901"
    suffix = "234"
  }

  expect_failures = [aws_lambda_function.this]
}

run "is_the_zip_that_was_reviewed" {
  command = plan
  module {
    source = "./modules/function"
  }

  variables {
    package = "outputs.tf"
  }

  expect_failures = [aws_lambda_function.this]
}

run "is_in_us_east_1" {
  command = plan
  module {
    source = "./modules/function"
  }
  providers = { aws = aws.elsewhere }

  expect_failures = [aws_lambda_function.this]
}

run "has_its_hash_in_base64" {
  command = plan
  module {
    source = "./modules/function"
  }

  variables {
    code_sha256 = filesha256("versions.tf")
  }

  expect_failures = [var.code_sha256]
}

run "has_a_runtime_that_can_hand_its_process_over" {
  command = plan
  module {
    source = "./modules/function"
  }

  variables {
    runtime = "provided.al2023"
  }

  expect_failures = [var.runtime]
}
