output "arns" {
  description = "The secrets, by the ends of their names."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "kms_key_arn" {
  description = "Their key."
  value       = aws_kms_key.this.arn
}
