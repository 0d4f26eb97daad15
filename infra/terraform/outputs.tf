output "distribution_id" {
  description = "The distribution."
  value       = aws_cloudfront_distribution.this.id
}

output "domain_name" {
  description = "The distribution's name at CloudFront."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "bucket_name" {
  description = "The bucket."
  value       = aws_s3_bucket.files.id
}

output "key_arn" {
  description = "The bucket's key."
  value       = aws_kms_key.files.arn
}

output "origin_access_control_id" {
  description = "The id of the Origin Access Control, for `authorizer attach` on another distribution."
  value       = aws_cloudfront_origin_access_control.this.id
}

output "origin_request_policy_id" {
  description = "The id of the origin request policy, for `authorizer attach`."
  value       = aws_cloudfront_origin_request_policy.this.id
}

output "response_headers_policy_id" {
  description = "The id of the response headers policy, for `authorizer attach`."
  value       = aws_cloudfront_response_headers_policy.this.id
}

output "version_arn" {
  description = "The version that was published last, which the distribution has on viewer-request if `function_version_arn` is null."
  value       = module.function.version_arn
}

output "function_name" {
  description = "The function's name."
  value       = module.function.function_name
}

output "log_group_name" {
  description = "The decision log's group, in each Region that has run the function."
  value       = module.function.log_group_name
}

output "log_bucket_name" {
  description = "The bucket of the access logs; null without access logs."
  value       = one(aws_s3_bucket.logs[*].id)
}
