module "function" {
  source    = "./modules/function"
  providers = { aws = aws.us_east_1 }

  name             = var.name
  suffix           = var.function_suffix
  package          = var.package
  code_sha256      = var.code_sha256
  runtime          = var.runtime
  system_log_level = var.system_log_level
}
