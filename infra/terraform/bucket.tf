resource "aws_s3_bucket" "files" {
  bucket_prefix = "${var.name}-"

  lifecycle {
    # Destroying the stack must not delete the objects. To keep the bucket, remove it from the state.
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_ownership_controls" "files" {
  bucket = aws_s3_bucket.files.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "files" {
  bucket                  = aws_s3_bucket.files.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "files" {
  bucket = aws_s3_bucket.files.id
  rule {
    # Without the bucket key, every request would also send a request to KMS.
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.files.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "files" {
  bucket = aws_s3_bucket.files.id
  # The parts of an unfinished upload are not listed, but cost money.
  rule {
    id     = "abort-stale-multipart-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# The statements of policies, which are published and tested, with the names filled in.
locals {
  account = data.aws_caller_identity.this.account_id

  published = {
    for name in ["bucket", "list", "tls"] : name => jsondecode(
      replace(
        replace(
          replace(file("${path.module}/policies/${name}-policy.json"), "BUCKET", aws_s3_bucket.files.id),
          "ACCOUNT_ID", local.account
        ),
        "DISTRIBUTION_ID", aws_cloudfront_distribution.this.id
      )
    ).Statement[0]
  }

  # The distribution itself, and its staging distributions.
  distributions = concat(
    ["arn:aws:cloudfront::${local.account}:distribution/${aws_cloudfront_distribution.this.id}"],
    var.staging_distribution_arns
  )
  source_arn = length(var.staging_distribution_arns) == 0 ? {} : { "AWS:SourceArn" = local.distributions }
  # A published statement for all of them.
  for_distributions = {
    for name, one in merge(local.published, { key = local.key_statement }) : name => merge(one, {
      Condition                                   = merge(one.Condition, { StringEquals = merge(lookup(one.Condition, "StringEquals", {}), local.source_arn) })
    }) if name != "tls"
  }

  # Depending on the operations of the access policy.
  object_actions = concat(
    ["s3:GetObject"],
    var.uploads ? ["s3:PutObject"] : [],
    var.deletes ? ["s3:DeleteObject"] : [],
    var.versions ? ["s3:GetObjectVersion"] : [],
    var.multipart ? ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] : [],
  )
}

resource "aws_s3_bucket_policy" "files" {
  bucket = aws_s3_bucket.files.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [merge(local.for_distributions.bucket, { Action = local.object_actions })],
      [for statement in [local.for_distributions.list] : statement if var.listing],
      [local.published.tls],
    )
  })

  # S3 checks whether a policy is public with the settings that exist then.
  depends_on = [aws_s3_bucket_public_access_block.files]
}
