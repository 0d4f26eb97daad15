terraform {
  # For `terraform test` with values that are known during planning.
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.x has a `region` on every resource, and `code_sha256` on functions.
      version = ">= 6.0, < 7.0"
      # `aws` is the bucket's Region. CloudFront uses functions, and delivers logs, in us-east-1 only.
      configuration_aliases = [aws, aws.us_east_1]
    }
  }
}

data "aws_caller_identity" "this" {}
