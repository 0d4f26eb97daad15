output "version_arn" {
  description = "The ARN of the published version, for a behavior or `authorizer attach --function-arn`."
  value       = aws_lambda_function.this.qualified_arn
}

output "function_name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "log_group_name" {
  description = "The decision log's group, of this name in each Region that runs the function."
  value       = local.log_group
}
