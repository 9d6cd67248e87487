# GitHub's workflows get short-lived credentials by what they are: a branch may plan, the environment's approved job
# may apply, the main branch may push images.
resource "aws_iam_openid_connect_provider" "this" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  subjects = {
    plan  = ["repo:${var.repository}:pull_request"]
    apply = ["repo:${var.repository}:environment:${var.environment}"]
    push  = ["repo:${var.repository}:ref:refs/heads/main"]
  }
}

resource "aws_iam_role" "this" {
  for_each = local.subjects

  name                 = "${var.name}-github-${each.key}"
  max_session_duration = 3600
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.this.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = each.value
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.this["plan"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

# Reading is not reading secrets; what is decrypted is the state, through its bucket, and nothing else.
resource "aws_iam_role_policy" "plan" {
  name = "no-secrets"
  role = aws_iam_role.this["plan"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Deny"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = "*"
      },
      {
        Effect    = "Deny"
        Action    = ["kms:Decrypt"]
        Resource  = "*"
        Condition = { StringNotEquals = { "kms:EncryptionContext:aws:s3:arn" = var.state_bucket_arn } }
      },
      {
        Effect    = "Allow"
        Action    = ["kms:Decrypt"]
        Resource  = "arn:aws:kms:${var.region}:${var.account_id}:key/*"
        Condition = { StringEquals = { "kms:EncryptionContext:aws:s3:arn" = var.state_bucket_arn } }
      },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "apply" {
  role       = aws_iam_role.this["apply"].name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy" "push" {
  name = "images"
  role = aws_iam_role.this["push"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
        Resource = var.repository_arns
      },
    ]
  })
}
