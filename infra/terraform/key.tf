# Administrators of the key cannot use it: objects are read and written only through CloudFront.
resource "aws_kms_key" "files" {
  description         = "The objects of ${var.name}, through its distribution."
  enable_key_rotation = true

  lifecycle {
    # Without its key, every object is lost.
    prevent_destroy = true
  }
}

locals {
  key_statement = jsondecode(
    replace(
      replace(file("${path.module}/policies/key-policy.json"), "ACCOUNT_ID", local.account),
      "DISTRIBUTION_ID", aws_cloudfront_distribution.this.id
    )
  ).Statement[0]
  key_actions = concat(["kms:Decrypt"], var.uploads ? ["kms:Encrypt", "kms:GenerateDataKey*"] : [])
}

# A separate resource: the bucket needs the key, the distribution the bucket, and this policy the distribution.
resource "aws_kms_key_policy" "files" {
  key_id = aws_kms_key.files.key_id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AllowAdministrationByTheAccount"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        # No kms:CreateGrant: with it, an administrator could give anybody the use of the key, and this policy would
        # not show it.
        Action = [
          "kms:CancelKeyDeletion",
          "kms:DescribeKey",
          "kms:DisableKey",
          "kms:DisableKeyRotation",
          "kms:EnableKey",
          "kms:EnableKeyRotation",
          "kms:GetKeyPolicy",
          "kms:GetKeyRotationStatus",
          "kms:ListGrants",
          "kms:ListKeyPolicies",
          "kms:ListKeyRotations",
          "kms:ListResourceTags",
          "kms:PutKeyPolicy",
          "kms:RevokeGrant",
          "kms:RotateKeyOnDemand",
          "kms:ScheduleKeyDeletion",
          "kms:TagResource",
          "kms:UntagResource",
          "kms:UpdateKeyDescription",
        ]
        Resource = "*"
      },
      merge(local.for_distributions.key, { Action = local.key_actions }),
    ]
  })
}
