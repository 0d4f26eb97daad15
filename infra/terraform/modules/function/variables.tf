variable "name" {
  description = "The beginning of the function's name, and the name of its log group."
  type        = string
  default     = "edge-authorizer"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "1 to 64 letters, digits, hyphens and underscores."
  }
}

variable "suffix" {
  description = <<-EOT
    The end of the function's name. While CloudFront has replicas of a function, it cannot be deleted and its name is
    taken: to create everything again after a destroy, set another suffix.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{0,63}$", var.suffix))
    error_message = "Up to 63 letters, digits, hyphens and underscores."
  }
}

variable "system_log_level" {
  description = <<-EOT
    What Lambda itself writes into the log. With INFO it adds the start and the duration of each request. The lines of
    the function are written in any case.
  EOT
  type        = string
  default     = "WARN"
  validation {
    condition     = contains(["WARN", "INFO", "DEBUG"], var.system_log_level)
    error_message = "system_log_level must be WARN, INFO or DEBUG."
  }
}

variable "package" {
  description = "The zip that `authorizer package` made."
  type        = string
}

variable "code_sha256" {
  description = "The base64 SHA-256 of the reviewed zip, as `authorizer package` prints it."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$", var.code_sha256))
    error_message = "code_sha256 must be a SHA-256 in base64, as `authorizer package` prints it, not in hexadecimal."
  }
}

variable "runtime" {
  # Python's execve() is stable, and that of Node.js is experimental. AWS supports the Python runtimes until 2029-06-30 and
  # nodejs24.x until 2028-04-30 (Lambda Developer Guide, "Lambda runtimes").
  description = "The managed runtime, whose process the native function replaces. A package made with --hand-over library is for Python only."
  type        = string
  default     = "python3.14"
  validation {
    condition     = contains(["python3.14", "python3.13", "nodejs24.x"], var.runtime)
    error_message = "runtime must be python3.14, python3.13 or nodejs24.x."
  }
}
