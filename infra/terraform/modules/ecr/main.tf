# One repository for each service; a tag, once pushed, stays what it was.
resource "aws_kms_key" "this" {
  description         = "Images of ${var.name}"
  enable_key_rotation = true
}

resource "aws_ecr_repository" "this" {
  for_each = toset(var.services)

  name                 = "chirrup/${each.value}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last images are enough for any rollback"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.kept_images }
      action       = { type = "expire" }
    }]
  })
}
