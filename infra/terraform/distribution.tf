locals {
  # Managed-CachingDisabled.
  caching_disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

  writes = var.uploads || var.deletes || var.multipart

  # CloudFront has only these sets. PUT comes with POST, PATCH and OPTIONS, which the function refuses or
  # answers. POST, for a sign-in, comes with PUT, which it refuses without a rule.
  allowed_methods = (
    local.writes || var.sign_in ? ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"] :
    var.cors != null ? ["GET", "HEAD", "OPTIONS"] : ["GET", "HEAD"]
  )
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "${var.name}-s3"
  description                       = "Signs every request of ${var.name} for its bucket."
  origin_access_control_origin_type = "s3"
  signing_protocol                  = "sigv4"
  # With no-override, a viewer's own Authorization could reach S3.
  signing_behavior = "always"
}

resource "aws_cloudfront_origin_request_policy" "this" {
  name    = "${var.name}-s3"
  comment = "What S3 is to see of a request that the authorizer let through."

  headers_config {
    header_behavior = "whitelist"
    headers {
      items = var.forwarded_headers
    }
  }
  cookies_config {
    cookie_behavior = "none"
  }
  # The whole query, because it selects the operation: without it a listing lists the whole bucket,
  # AbortMultipartUpload is a DeleteObject, UploadPart a PutObject, and an old version the current one.
  query_strings_config {
    query_string_behavior = "all"
  }
}

resource "aws_cloudfront_cache_policy" "this" {
  count = var.cache_seconds > 0 ? 1 : 0

  name        = "${var.name}-s3"
  comment     = "An object is the same for whoever is let at it; the query says which one it is."
  min_ttl     = 0
  default_ttl = var.cache_seconds
  max_ttl     = var.cache_seconds

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = false
    enable_accept_encoding_gzip   = false
    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      header_behavior = "none"
    }
    query_strings_config {
      query_string_behavior = "all"
    }
  }
}

# For the answers of S3, which does not set these headers, because the bucket does not have CORS rules. The function
# sets its own on refusals and on answers to preflights. They must not change, so no CORS header is overridden.
resource "aws_cloudfront_response_headers_policy" "this" {
  name    = "${var.name}-s3"
  comment = "The [cors] of the access policy; browsers keep and guess nothing."

  security_headers_config {
    content_type_options {
      override = true
    }
    dynamic "content_security_policy" {
      for_each = var.sandbox_uploads ? ["sandbox"] : []
      content {
        content_security_policy = content_security_policy.value
        override                = false
      }
    }
    strict_transport_security {
      access_control_max_age_sec = 31536000
      include_subdomains         = false
      preload                    = false
      override                   = true
    }
  }

  # S3 sends none of its own, so a browser would keep an object and show it to the next user of the same machine. Without
  # override: refusals keep their no-store, and objects what the uploader said.
  dynamic "custom_headers_config" {
    for_each = var.browser_caching ? [] : ["private, no-cache"]
    content {
      items {
        header   = "Cache-Control"
        value    = custom_headers_config.value
        override = false
      }
    }
  }
  remove_headers_config {
    items {
      header = "x-amz-server-side-encryption-aws-kms-key-id"
    }
  }

  dynamic "cors_config" {
    for_each = var.cors == null ? [] : [var.cors]
    content {
      access_control_allow_credentials = cors_config.value.credentials
      access_control_max_age_sec       = cors_config.value.max_age_seconds
      origin_override                  = false
      access_control_allow_origins {
        items = cors_config.value.origins
      }
      access_control_allow_methods {
        items = local.writes ? ["GET", "HEAD", "PUT", "POST", "DELETE"] : ["GET", "HEAD"]
      }
      access_control_allow_headers {
        items = concat(["Authorization"], var.forwarded_headers)
      }
      dynamic "access_control_expose_headers" {
        for_each = length(cors_config.value.exposed_headers) > 0 ? [cors_config.value.exposed_headers] : []
        content {
          items = access_control_expose_headers.value
        }
      }
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  enabled = true
  comment = var.name
  # Not HTTP/3 by default: with it, CloudFront has no continuous deployment ("Quotas and other considerations for
  # continuous deployment", CloudFront Developer Guide).
  http_version                    = var.http3 ? "http2and3" : "http2"
  continuous_deployment_policy_id = var.continuous_deployment_policy_id
  # A viewer can then have an IPv6 address: source_ips of a deny rule needs networks of both kinds.
  is_ipv6_enabled = true
  # No default_root_object: a listing is a request for /, and CloudFront would fetch that object instead, even if no
  # rule allows it.
  aliases    = var.alias == null ? [] : [var.alias.domain_name]
  web_acl_id = var.rate_limit > 0 ? aws_wafv2_web_acl.rate[0].arn : var.web_acl_arn

  # No origin_path: S3 would read another object than the one that the rules checked.
  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.files.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  # The only behavior. Every behavior with this origin needs the function: CloudFront and S3 do not read a path in the
  # same way, so another path can select another behavior and still be the same key.
  default_cache_behavior {
    target_origin_id = "bucket"
    # Not redirect-to-https: the token would already have been sent over plain HTTP.
    viewer_protocol_policy     = "https-only"
    allowed_methods            = local.allowed_methods
    cached_methods             = ["GET", "HEAD"]
    compress                   = false
    cache_policy_id            = var.cache_seconds > 0 ? one(aws_cloudfront_cache_policy.this[*].id) : local.caching_disabled
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.this.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id

    lambda_function_association {
      event_type   = "viewer-request"
      lambda_arn   = coalesce(var.function_version_arn, module.function.version_arn)
      include_body = false
    }
  }

  # CloudFront caches these for 10 seconds by default: an object that was requested before its upload would stay
  # missing.
  dynamic "custom_error_response" {
    for_each = [404, 405, 414, 500, 501, 502, 503, 504]
    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  viewer_certificate {
    acm_certificate_arn            = var.alias == null ? null : var.alias.certificate_arn
    ssl_support_method             = var.alias == null ? null : "sni-only"
    minimum_protocol_version       = var.alias == null ? null : "TLSv1.2_2021"
    cloudfront_default_certificate = var.alias == null
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
}
