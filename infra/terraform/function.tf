module "function" {
  source    = "./function"
  providers = { aws = aws.us_east_1 }

  name        = var.name
  package     = var.package
  code_sha256 = var.code_sha256
  runtime     = var.runtime
}
