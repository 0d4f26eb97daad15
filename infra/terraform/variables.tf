variable "name" {
  description = "The prefix of all names."
  type        = string
  default     = "edge-authorizer"
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{0,30}$", var.name))
    error_message = "The name must be 1 to 31 small letters, digits and hyphens: the names of the buckets begin with it."
  }
}

variable "package" {
  description = "The zip that `authorizer package` made."
  type        = string
}

variable "code_sha256" {
  description = "The base64 SHA-256 of the reviewed zip, as `authorizer package` prints it."
  type        = string
}

variable "runtime" {
  description = "The managed runtime, whose process the native function replaces. A package made with --hand-over library is for Python only."
  type        = string
  default     = "python3.14"
}

variable "function_suffix" {
  description = <<-EOT
    The end of the function's name. While CloudFront has replicas of a function, it cannot be deleted and its name is
    taken: to create everything again after a destroy, set another suffix.
  EOT
  type        = string
  default     = ""
}

variable "system_log_level" {
  description = <<-EOT
    What Lambda itself writes into the log: WARN, INFO or DEBUG. With INFO it adds the start and the duration of each
    request. The lines of the function are written in any case.
  EOT
  type        = string
  default     = "WARN"
}

variable "uploads" {
  description = "Whether a rule uploads (PutObject and the steps of a multipart upload)."
  type        = bool
  default     = true
}

variable "deletes" {
  description = "Whether a rule deletes (DeleteObject)."
  type        = bool
  default     = true
}

variable "multipart" {
  description = "Whether a rule has AbortMultipartUpload or ListParts. `uploads` covers the other steps."
  type        = bool
  default     = false
}

variable "versions" {
  description = "Whether a rule reads versions (GetObjectVersion, HeadObjectVersion)."
  type        = bool
  default     = false
}

variable "listing" {
  description = "Whether a rule lists (ListObjectsV2). With it, S3 answers 404, not 403, for an object that does not exist."
  type        = bool
  default     = false
}

variable "sign_in" {
  description = "Whether people sign in here (`[sign_in]` with `issuer`). Pages then renew a session, and people sign out, by POST."
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
    # With Host, S3 would look for a bucket with the name of the viewer's domain; Authorization and Cookie contain
    # the viewer's token. The function removes all other headers that are not in this list.
    condition = alltrue([
      for name in var.forwarded_headers : can(regex(
        "^(Content-(Type|Encoding|MD5|Disposition|Language)|Expires|Range|If-(Range|Match|None-Match|Modified-Since|Unmodified-Since)|x-amz-(mp-object-size|checksum-(mode|type|algorithm|crc32|crc32c|crc64nvme|md5|sha1|sha256|sha512|xxhash3|xxhash64|xxhash128)|sdk-checksum-algorithm|meta-[a-z0-9._-]{1,64}))$",
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
  description = "The policy's [cors]; null without it."
  type = object({
    origins         = list(string)
    credentials     = optional(bool, false)
    exposed_headers = optional(list(string), [])
    max_age_seconds = optional(number, 600)
  })
  default = null
  validation {
    condition     = var.cors == null ? true : length(var.cors.origins) > 0
    error_message = "[cors] must name at least one origin."
  }
  validation {
    condition     = var.cors == null ? true : !(var.cors.credentials && contains(var.cors.origins, "*"))
    error_message = "credentials cannot go with the origin *: name the origins."
  }
}

variable "browser_caching" {
  description = <<-EOT
    Whether browsers may keep objects without asking again. Otherwise S3's answers get Cache-Control private,
    no-cache, unless the uploader set one: a browser would show one user's object to the next user of the machine.
  EOT
  type        = bool
  default     = false
}

variable "sandbox_uploads" {
  description = <<-EOT
    Whether S3's answers get Content-Security-Policy sandbox, so that an uploaded page or SVG image cannot run scripts
    on this domain. Browsers then do not show PDF files either.
  EOT
  type        = bool
  default     = false
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
    error_message = "CloudFront accepts only certificates in us-east-1."
  }
}

variable "web_acl_arn" {
  description = "An AWS WAF web ACL with scope CLOUDFRONT, in front of the function."
  type        = string
  default     = null
}

variable "rate_limit" {
  description = <<-EOT
    How many requests one IP address may send in 5 minutes. More get 403 from AWS WAF, and the function does not run: a
    flood of refused requests cannot use up the Region's concurrency. 0 means no limit, and no web ACL.
  EOT
  type        = number
  default     = 0
  validation {
    condition     = var.rate_limit == 0 || (var.rate_limit >= 10 && var.rate_limit <= 999999999)
    error_message = "0, or 10 to 999999999 requests."
  }
  validation {
    condition     = var.rate_limit == 0 || var.web_acl_arn == null
    error_message = "rate_limit makes a web ACL, and web_acl_arn names another one: put a rate-based rule into yours."
  }
}

variable "http3" {
  description = <<-EOT
    Whether viewers may use HTTP/3. Off by default, because CloudFront has no continuous deployment for a distribution
    with HTTP/3.
  EOT
  type        = bool
  default     = false
}

variable "continuous_deployment_policy_id" {
  description = "The distribution's continuous deployment policy, if it has one."
  type        = string
  default     = null
  validation {
    condition     = var.continuous_deployment_policy_id == null || !var.http3
    error_message = "CloudFront has no continuous deployment for a distribution with HTTP/3: set http3 to false."
  }
}

variable "function_version_arn" {
  description = <<-EOT
    The version that the distribution has on viewer-request; null: the one that is published last. Set it to the present
    version for a rollout in stages, so that an apply publishes a new version and gives it to nobody. As long as it is
    set, a changed policy is not in force.
  EOT
  type        = string
  default     = null
  validation {
    condition = var.function_version_arn == null || can(regex(join("", [
      "^arn:aws[a-z-]*:lambda:us-east-1:[0-9]{12}:function:",
      join("-", compact([var.name, var.function_suffix])), ":[1-9][0-9]*$",
    ]), var.function_version_arn))
    error_message = "The ARN of a numbered version of this module's function."
  }
}

variable "staging_distribution_arns" {
  description = <<-EOT
    The staging distributions of a continuous deployment, which may then use the bucket and the key too. Each must be of
    this account, and have the function, as this distribution has.
  EOT
  type        = list(string)
  default     = []
  validation {
    condition = alltrue([
      for arn in var.staging_distribution_arns :
      can(regex("^arn:aws[a-z-]*:cloudfront::[0-9]{12}:distribution/E[A-Z0-9]{6,20}$", arn))
    ])
    error_message = "ARNs of distributions."
  }
  validation {
    condition = alltrue([
      for arn in var.staging_distribution_arns :
      try(split(":", arn)[4], "") == data.aws_caller_identity.this.account_id
    ])
    error_message = "Distributions of this account: one of another account could otherwise use the bucket and the key."
  }
}

variable "access_logs" {
  description = "Whether CloudFront's and S3's access logs are kept, in a separate bucket."
  type        = bool
  default     = true
}

variable "access_log_days" {
  description = "The number of days after which access logs are deleted."
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
