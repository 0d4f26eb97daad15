resource "aws_s3_bucket" "logs" {
  count = var.access_logs ? 1 : 0

  bucket_prefix = "${var.name}-logs-"
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  count = var.access_logs ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count = var.access_logs ? 1 : 0

  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "logs" {
  count = var.access_logs ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  versioning_configuration {
    status = "Enabled"
  }
}

# With S3's own keys: the policy of a KMS key would have to allow both services.
resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count = var.access_logs ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count = var.access_logs ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  rule {
    id     = "delete-old-logs"
    status = "Enabled"
    filter {}
    expiration {
      days = var.access_log_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count = var.access_logs ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # As CloudWatch Logs writes it when it creates a delivery to a bucket (CloudWatch Logs User Guide, "Logs sent to
        # Amazon S3", V2 permissions). It adds its own if it does not find it, and the policy would drift. Only the Resource is
        # wider: AWS's has AWSLogs/ACCOUNT/CloudFront/* at its end. Nobody here has seen whether that comes below a prefix
        # too, and without the permission the delivery fails without an error.
        Sid       = "AWSLogDeliveryWrite1"
        Effect    = "Allow"
        Principal = { Service = "delivery.logs.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::${aws_s3_bucket.logs[0].id}/cloudfront/*"
        Condition = {
          StringEquals = {
            "s3:x-amz-acl"      = "bucket-owner-full-control"
            "aws:SourceAccount" = local.account
          }
          ArnLike = {
            "aws:SourceArn" = "arn:aws:logs:us-east-1:${local.account}:delivery-source:${var.name}-access"
          }
        }
      },
      {
        Sid       = "S3ServerAccessLogs"
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "arn:aws:s3:::${aws_s3_bucket.logs[0].id}/s3/*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      jsondecode(
        replace(file("${path.module}/policies/tls-policy.json"), "BUCKET", aws_s3_bucket.logs[0].id)
      ).Statement[0],
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

resource "aws_s3_bucket_logging" "files" {
  count = var.access_logs ? 1 : 0

  bucket        = aws_s3_bucket.files.id
  target_bucket = aws_s3_bucket.logs[0].id
  target_prefix = "s3/"

  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_cloudwatch_log_delivery_source" "access" {
  count    = var.access_logs ? 1 : 0
  provider = aws.us_east_1

  name         = "${var.name}-access"
  log_type     = "ACCESS_LOGS"
  resource_arn = "arn:aws:cloudfront::${local.account}:distribution/${aws_cloudfront_distribution.this.id}"
}

resource "aws_cloudwatch_log_delivery_destination" "access" {
  count    = var.access_logs ? 1 : 0
  provider = aws.us_east_1

  name          = "${var.name}-access"
  output_format = "json"

  delivery_destination_configuration {
    destination_resource_arn = "arn:aws:s3:::${aws_s3_bucket.logs[0].id}/cloudfront"
  }

  # Without the policy, the delivery fails without an error.
  depends_on = [aws_s3_bucket_policy.logs]
}

resource "aws_cloudwatch_log_delivery" "access" {
  count    = var.access_logs ? 1 : 0
  provider = aws.us_east_1

  delivery_source_name     = aws_cloudwatch_log_delivery_source.access[0].name
  delivery_destination_arn = aws_cloudwatch_log_delivery_destination.access[0].arn
  # No cookie and no Referer, which may contain a token.
  record_fields = concat(
    [
      "date",
      "time",
      "x-edge-location",
      "sc-bytes",
      "c-ip",
      "cs-method",
      "cs(Host)",
      "cs-uri-stem",
      "sc-status",
      "cs(User-Agent)",
    ],
    var.log_query_strings ? ["cs-uri-query"] : [],
    [
      "x-edge-result-type",
      "x-edge-request-id",
      "x-host-header",
      "cs-protocol",
      "cs-bytes",
      "time-taken",
      "ssl-protocol",
      "x-edge-response-result-type",
      "cs-protocol-version",
      "x-edge-detailed-result-type",
      "sc-content-type",
      "sc-content-len",
    ],
  )
}
