variable "name" {
  description = "What everything is named after."
  type        = string
  default     = "edge-authorizer"
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,30}$", var.name))
    error_message = "1 to 31 small letters, digits and hyphens: it begins the names of the buckets."
  }
}

variable "package" {
  description = "The zip that `authorizer package` made."
  type        = string
}

variable "code_sha256" {
  description = "The base64 SHA-256 of the zip that was reviewed, as `authorizer package` prints it."
  type        = string
}

variable "runtime" {
  description = "The managed runtime that hands its process over to the native function."
  type        = string
  default     = "nodejs24.x"
}

variable "uploads" {
  description = "Whether some rule uploads (PutObject and the steps of a multipart upload)."
  type        = bool
  default     = true
}

variable "deletes" {
  description = "Whether some rule deletes (DeleteObject)."
  type        = bool
  default     = true
}

variable "multipart" {
  description = "Whether some rule has AbortMultipartUpload or ListParts. The other steps come with uploads."
  type        = bool
  default     = false
}

variable "versions" {
  description = "Whether some rule reads versions (GetObjectVersion, HeadObjectVersion)."
  type        = bool
  default     = false
}

variable "listing" {
  description = "Whether some rule lists (ListObjectsV2). With it S3 answers 404, not 403, for an object that does not exist."
  type        = bool
  default     = false
}

variable "forwarded_headers" {
  description = <<-EOT
    The viewer's headers that reach S3; the function has taken out what the request may not have. CloudFront's
    quota is 10 in a list, which can be raised. x-amz-meta-NAME one by one, as the rules' metadata has them.
  EOT
  type        = list(string)
  default = [
    "Content-Type",
    "Content-Encoding",
    "Content-MD5",
    "Range",
    "If-Range",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "x-amz-mp-object-size",
  ]
  validation {
    # Host would have S3 look for a bucket of the viewer's domain; Authorization and Cookie are the viewer's
    # token. The rest of what is not here the function takes out.
    condition = alltrue([
      for name in var.forwarded_headers : can(regex(
        "^(Content-(Type|Encoding|MD5|Disposition|Language)|Expires|Range|If-(Range|Match|None-Match|Modified-Since|Unmodified-Since)|x-amz-(mp-object-size|checksum-(mode|type|algorithm|crc32|crc32c|crc64nvme|sha1|sha256)|sdk-checksum-algorithm|meta-[a-z0-9._-]{1,64}))$",
        name
      ))
    ])
    error_message = "Names of headers that some operation of the authorizer has, spelt as in the default."
  }
}

variable "cache_seconds" {
  description = <<-EOT
    How long CloudFront may serve an object without asking S3 again: so long it is served after it was
    overwritten or deleted. The function decides on every request all the same. 0 caches nothing.
  EOT
  type        = number
  default     = 0
  validation {
    condition     = var.cache_seconds >= 0 && var.cache_seconds <= 31536000
    error_message = "0 to 31536000 seconds."
  }
}

variable "cors" {
  description = "The policy's [cors]; null where it has none."
  type = object({
    origins         = list(string)
    credentials     = optional(bool, false)
    exposed_headers = optional(list(string), [])
    max_age_seconds = optional(number, 600)
  })
  default = null
  validation {
    condition     = var.cors == null ? true : length(var.cors.origins) > 0
    error_message = "[cors] names at least one origin."
  }
  validation {
    condition     = var.cors == null ? true : !(var.cors.credentials && contains(var.cors.origins, "*"))
    error_message = "credentials cannot go with the origin *: name the origins."
  }
}

variable "alias" {
  description = "The distribution's own domain name, if it has one, and the certificate for it (ACM, us-east-1)."
  type = object({
    domain_name     = string
    certificate_arn = string
  })
  default = null
  validation {
    condition     = var.alias == null ? true : can(regex("^arn:aws:acm:us-east-1:", var.alias.certificate_arn))
    error_message = "CloudFront takes certificates of us-east-1 only."
  }
}

variable "web_acl_arn" {
  description = "A web ACL of AWS WAF's with scope CLOUDFRONT, in front of the function."
  type        = string
  default     = null
}

variable "access_logs" {
  description = "Whether CloudFront's and S3's access logs are kept, in a bucket of their own."
  type        = bool
  default     = true
}

variable "access_log_days" {
  description = "After how many days access logs are deleted."
  type        = number
  default     = 365
}

variable "log_query_strings" {
  description = <<-EOT
    Whether access logs hold query strings, which a replay of them through another policy needs. Leave it where
    the policy's [credentials] has query: the tokens would be in the log.
  EOT
  type        = bool
  default     = false
}
