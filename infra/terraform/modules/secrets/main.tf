# The places of the secrets that people make: names, keys and who may read them. Never a value, so that none is in
# Terraform's state; docs/runbooks/first-deployment.md fills them, docs/runbooks/key-rotation.md changes them.
resource "aws_kms_key" "this" {
  description         = "Secrets of ${var.name}"
  enable_key_rotation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each = var.properties

  name                    = "chirrup/${var.environment}/${each.key}"
  description             = "Properties: ${join(", ", each.value)}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.protected ? 30 : 7
}
