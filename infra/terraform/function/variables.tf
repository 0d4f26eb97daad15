variable "name" {
  description = "The function's name, which is also in the names of its log groups."
  type        = string
  default     = "edge-authorizer"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "1 to 64 letters, digits, hyphens and underscores."
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
  description = "The managed runtime, whose process the native function replaces. Both have an execve()."
  type        = string
  default     = "nodejs24.x"
  validation {
    condition     = contains(["nodejs24.x", "python3.13"], var.runtime)
    error_message = "runtime must be nodejs24.x or python3.13."
  }
}
