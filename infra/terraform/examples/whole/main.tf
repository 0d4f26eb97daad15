# Bucket, key, function and distribution, for a policy that reads, uploads, deletes and lists.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}

# The bucket's Region.
provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "us_east_1"
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

module "files" {
  source    = "../.."
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  name        = "files"
  package     = var.package
  code_sha256 = var.code_sha256
  listing     = true

  cors = {
    origins         = ["https://app.example.com"]
    exposed_headers = ["ETag"]
  }
}

output "domain_name" {
  description = "Where applications send their requests."
  value       = module.files.domain_name
}
