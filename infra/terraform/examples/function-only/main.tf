# The function alone, for a distribution that exists already: `authorizer attach --function-arn` takes the output.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "package" {
  description = "The zip that `authorizer package` made."
  type        = string
}

variable "code_sha256" {
  description = "As `authorizer package` prints it, and a reviewer too."
  type        = string
}

module "function" {
  source = "../../modules/function"

  package     = var.package
  code_sha256 = var.code_sha256
}

output "version_arn" {
  description = "For `authorizer attach --function-arn`."
  value       = module.function.version_arn
}
