# What the module plans, over a provider that is not there. `authorizer-e2e` runs this, over the provider's
# schemas; with the real provider installed, `terraform init && terraform test` does.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  override_resource {
    target = aws_cloudfront_distribution.this
    values = { id = "EDFDVBD6EXAMPLE" }
  }
  override_resource {
    target = aws_s3_bucket.files
    values = { id = "files-1", bucket_regional_domain_name = "files-1.s3.eu-central-1.amazonaws.com" }
  }
  override_resource {
    target = aws_s3_bucket.logs
    values = { id = "files-logs-1" }
  }
  override_resource {
    target = aws_cloudfront_origin_access_control.this
    values = { id = "E327GJI25M56DG" }
  }
}

mock_provider "aws" {
  alias           = "us_east_1"
  override_during = plan

  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-east-1" }
  }
  override_resource {
    target = aws_wafv2_web_acl.rate
    values = { arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/edge-authorizer-rate/1" }
  }
  override_resource {
    target = module.function.aws_lambda_function.this
    values = { qualified_arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1" }
  }
}

variables {
  # Any file will do for a zip.
  package     = "versions.tf"
  code_sha256 = filebase64sha256("versions.tf")
}

run "by_default" {
  command = plan

  assert {
    condition = [
      for one in jsondecode(aws_s3_bucket_policy.files.policy).Statement : one.Sid
    ] == ["AllowCloudFrontServicePrincipalReadWriteDelete", "DenyPlainHttp"]
    error_message = "The bucket is the distribution's, over TLS, and nobody may list."
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.files.policy).Statement[0] == jsondecode(replace(replace(replace(
      file("policies/bucket-policy.json"), "BUCKET", "files-1"), "ACCOUNT_ID", "111122223333"), "DISTRIBUTION_ID",
      "EDFDVBD6EXAMPLE"
    )).Statement[0]
    error_message = "The bucket's statement is the published one."
  }
  assert {
    condition = jsondecode(aws_kms_key_policy.files.policy).Statement[1] == jsondecode(replace(replace(
      file("policies/key-policy.json"), "ACCOUNT_ID", "111122223333"), "DISTRIBUTION_ID", "EDFDVBD6EXAMPLE"
    )).Statement[0]
    error_message = "The key's statement is the published one."
  }
  assert {
    condition = alltrue([
      for action in jsondecode(aws_kms_key_policy.files.policy).Statement[0].Action :
      !can(regex("Encrypt|Decrypt|GenerateDataKey|CreateGrant|Sign|Mac|\\*", action))
    ])
    error_message = "Whoever administers the key cannot use it."
  }
  assert {
    condition = (
      aws_cloudfront_origin_access_control.this.signing_behavior == "always" &&
      aws_cloudfront_origin_access_control.this.signing_protocol == "sigv4" &&
      aws_cloudfront_origin_access_control.this.origin_access_control_origin_type == "s3"
    )
    error_message = "Every request is signed for the bucket."
  }
  assert {
    condition = alltrue([
      for origin in aws_cloudfront_distribution.this.origin :
      coalesce(origin.origin_path, "/") == "/" && origin.origin_access_control_id == "E327GJI25M56DG" &&
      origin.domain_name == "files-1.s3.eu-central-1.amazonaws.com" && length(origin.custom_origin_config) == 0
    ]) && length(aws_cloudfront_distribution.this.origin) == 1
    error_message = "The one origin is the bucket's own endpoint, signed, without a path."
  }
  assert {
    condition = (
      length(aws_cloudfront_distribution.this.ordered_cache_behavior) == 0 &&
      aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "https-only" &&
      length(aws_cloudfront_distribution.this.default_cache_behavior[0].function_association) == 0 &&
      [
        for one in aws_cloudfront_distribution.this.default_cache_behavior[0].lambda_function_association :
        [one.event_type, one.lambda_arn, one.include_body]
      ] == [["viewer-request", "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:1", false]]
    )
    error_message = "The one behavior has the numbered version on viewer-request, over HTTPS."
  }
  assert {
    condition = (
      aws_cloudfront_distribution.this.default_cache_behavior[0].cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad" &&
      length(aws_cloudfront_cache_policy.this) == 0
    )
    error_message = "Nothing is cached."
  }
  assert {
    condition = (
      aws_cloudfront_origin_request_policy.this.query_strings_config[0].query_string_behavior == "all" &&
      aws_cloudfront_origin_request_policy.this.cookies_config[0].cookie_behavior == "none" &&
      aws_cloudfront_origin_request_policy.this.headers_config[0].header_behavior == "whitelist" &&
      length(aws_cloudfront_origin_request_policy.this.headers_config[0].headers[0].items) == 10
    )
    error_message = "Query strings reach S3 whole, cookies never, and ten headers."
  }
  assert {
    condition = (
      length(aws_cloudfront_distribution.this.default_cache_behavior[0].allowed_methods) == 7 &&
      length(aws_cloudfront_response_headers_policy.this.cors_config) == 0
    )
    error_message = "All seven methods, for PUT and DELETE do not come without the others; and no [cors]."
  }
  assert {
    condition = alltrue([
      for one in [aws_s3_bucket_public_access_block.files, aws_s3_bucket_public_access_block.logs[0]] :
      one.block_public_acls && one.block_public_policy && one.ignore_public_acls && one.restrict_public_buckets
      ]) && alltrue([
      for one in [aws_s3_bucket_ownership_controls.files, aws_s3_bucket_ownership_controls.logs[0]] :
      one.rule[0].object_ownership == "BucketOwnerEnforced"
    ])
    error_message = "Nothing of the buckets is public, and ACLs are off."
  }
  assert {
    condition = alltrue([
      for rule in aws_s3_bucket_server_side_encryption_configuration.files.rule :
      rule.bucket_key_enabled && rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    ]) && aws_s3_bucket_versioning.files.versioning_configuration[0].status == "Enabled"
    error_message = "Objects are encrypted with the key, through a bucket key, and old versions kept."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.http_version == "http2" && length(aws_wafv2_web_acl.rate) == 0
    error_message = "No HTTP/3, with which there is no continuous deployment, and no web ACL."
  }
  assert {
    condition = {
      for name, value in jsondecode(aws_s3_bucket_policy.logs[0].policy).Statement[0] : name => value
      if name != "Condition"
      } == {
      Sid      = "AWSLogDeliveryWrite1", Effect = "Allow", Principal = { Service = "delivery.logs.amazonaws.com" }
      Action   = "s3:PutObject"
      Resource = "arn:aws:s3:::files-logs-1/cloudfront/*"
    }
    error_message = "The statement for access logs is in AWS's own wording."
  }
  assert {
    condition     = !contains(aws_cloudwatch_log_delivery.access[0].record_fields, "cs-uri-query")
    error_message = "Query strings, which may hold a token, are in no log."
  }
}

run "a_policy_that_only_reads" {
  command = plan

  variables {
    uploads     = false
    deletes     = false
    access_logs = false
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.files.policy).Statement[0].Action == ["s3:GetObject"]
    error_message = "Nothing is written where no rule writes."
  }
  assert {
    condition     = jsondecode(aws_kms_key_policy.files.policy).Statement[1].Action == ["kms:Decrypt"]
    error_message = "Nor encrypted."
  }
  assert {
    condition     = toset(aws_cloudfront_distribution.this.default_cache_behavior[0].allowed_methods) == toset(["GET", "HEAD"])
    error_message = "Nor allowed at CloudFront."
  }
  assert {
    condition     = length(aws_s3_bucket.logs) == 0 && length(aws_cloudwatch_log_delivery.access) == 0
    error_message = "No logs where none are wanted."
  }
}

run "a_policy_that_needs_everything" {
  command = plan

  variables {
    multipart         = true
    versions          = true
    listing           = true
    cache_seconds     = 60
    log_query_strings = true
    cors = {
      origins         = ["https://app.example.com"]
      credentials     = true
      exposed_headers = ["ETag"]
      max_age_seconds = 300
    }
    alias = {
      domain_name     = "files.example.com"
      certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888"
    }
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.files.policy).Statement[0].Action == [
      "s3:GetObject",
      "s3:PutObject",
      "s3:DeleteObject",
      "s3:GetObjectVersion",
      "s3:AbortMultipartUpload",
      "s3:ListMultipartUploadParts",
    ]
    error_message = "An action for each operation."
  }
  assert {
    condition = jsondecode(aws_s3_bucket_policy.files.policy).Statement[1] == jsondecode(replace(replace(replace(
      file("policies/list-policy.json"), "BUCKET", "files-1"), "ACCOUNT_ID", "111122223333"), "DISTRIBUTION_ID",
      "EDFDVBD6EXAMPLE"
    )).Statement[0]
    error_message = "Listing is the published statement: only with a prefix."
  }
  assert {
    condition = (
      aws_cloudfront_cache_policy.this[0].max_ttl == 60 &&
      aws_cloudfront_cache_policy.this[0].parameters_in_cache_key_and_forwarded_to_origin[0].query_strings_config[0].query_string_behavior == "all"
    )
    error_message = "What is cached is kept apart by the whole query string."
  }
  assert {
    condition = (
      aws_cloudfront_response_headers_policy.this.cors_config[0].access_control_allow_credentials &&
      !aws_cloudfront_response_headers_policy.this.cors_config[0].origin_override &&
      toset(aws_cloudfront_response_headers_policy.this.cors_config[0].access_control_allow_origins[0].items) == toset(["https://app.example.com"]) &&
      toset(aws_cloudfront_response_headers_policy.this.cors_config[0].access_control_expose_headers[0].items) == toset(["ETag"])
    )
    error_message = "The answers of S3 get the headers of [cors], and those of the function keep theirs."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "TLS 1.2 or later."
  }
  assert {
    condition     = contains(aws_cloudwatch_log_delivery.access[0].record_fields, "cs-uri-query")
    error_message = "Query strings in the log, where they are wanted."
  }
}

run "a_continuous_deployment" {
  command = plan

  variables {
    listing                         = true
    rate_limit                      = 3000
    continuous_deployment_policy_id = "22222222-3333-4444-5555-666677778888"
    staging_distribution_arns       = ["arn:aws:cloudfront::111122223333:distribution/ESTAGING1"]
  }

  assert {
    condition = alltrue([
      for statement in concat(
        slice(jsondecode(aws_s3_bucket_policy.files.policy).Statement, 0, 2),
        slice(jsondecode(aws_kms_key_policy.files.policy).Statement, 1, 2)
      ) :
      try(statement.Condition.StringEquals["AWS:SourceArn"], []) == [
        "arn:aws:cloudfront::111122223333:distribution/EDFDVBD6EXAMPLE",
        "arn:aws:cloudfront::111122223333:distribution/ESTAGING1",
      ]
    ])
    error_message = "Bucket and key are for the distribution and its staging distribution."
  }
  assert {
    condition     = try(jsondecode(aws_s3_bucket_policy.files.policy).Statement[1].Condition.Null, {}) == { "s3:prefix" = "false" }
    error_message = "Listing needs a prefix there too."
  }
  assert {
    condition = (
      aws_wafv2_web_acl.rate[0].scope == "CLOUDFRONT" &&
      [
        for rule in jsondecode(aws_wafv2_web_acl.rate[0].rule_json) :
        [rule.Statement.RateBasedStatement.Limit, rule.Action, rule.VisibilityConfig.SampledRequestsEnabled]
      ] == [[3000, { Block = {} }, false]] &&
      aws_cloudfront_distribution.this.web_acl_id == aws_wafv2_web_acl.rate[0].arn
    )
    error_message = "One address has a limit, and no request is kept as a sample."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.continuous_deployment_policy_id == "22222222-3333-4444-5555-666677778888"
    error_message = "The distribution keeps its continuous deployment."
  }
}

run "a_pinned_version" {
  command = plan

  variables {
    function_version_arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:6"
  }

  assert {
    condition = [
      for one in aws_cloudfront_distribution.this.default_cache_behavior[0].lambda_function_association : one.lambda_arn
    ] == ["arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:6"]
    error_message = "The distribution keeps the version that the input names."
  }
}

run "a_pinned_version_has_a_number" {
  command = plan

  variables {
    function_version_arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer:$LATEST"
  }

  expect_failures = [var.function_version_arn]
}

run "a_pinned_version_is_of_this_function" {
  command = plan

  variables {
    function_version_arn = "arn:aws:lambda:us-east-1:111122223333:function:another:6"
  }

  expect_failures = [var.function_version_arn]
}

run "staging_distributions_are_distributions" {
  command = plan

  variables {
    staging_distribution_arns = ["arn:aws:s3:::files"]
  }

  expect_failures = [var.staging_distribution_arns]
}

run "staging_distributions_are_of_this_account" {
  command = plan

  variables {
    staging_distribution_arns = [
      "arn:aws:cloudfront::111122223333:distribution/ESTAGING1", "arn:aws:cloudfront::444455556666:distribution/ESTAGING2"
    ]
  }

  expect_failures = [var.staging_distribution_arns]
}

run "one_web_acl" {
  command = plan

  variables {
    rate_limit  = 3000
    web_acl_arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/a/b"
  }

  expect_failures = [var.rate_limit]
}

run "no_continuous_deployment_with_http3" {
  command = plan

  variables {
    http3                           = true
    continuous_deployment_policy_id = "22222222-3333-4444-5555-666677778888"
  }

  expect_failures = [var.continuous_deployment_policy_id]
}

run "credentials_do_not_go_with_any_origin" {
  command = plan

  variables {
    cors = {
      origins     = ["*"]
      credentials = true
    }
  }

  expect_failures = [var.cors]
}

run "the_token_never_reaches_s3" {
  command = plan

  variables {
    forwarded_headers = ["Range", "Authorization"]
  }

  expect_failures = [var.forwarded_headers]
}
