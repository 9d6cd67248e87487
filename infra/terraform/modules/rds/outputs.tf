output "endpoint" {
  description = "host:port of the primary."
  value       = aws_db_instance.primary.endpoint
}

output "replica_endpoint" {
  description = "host:port of the replica."
  value       = aws_db_instance.replica.endpoint
}

output "address" {
  description = "The primary's host."
  value       = aws_db_instance.primary.address
}

output "replica_address" {
  description = "The replica's host."
  value       = aws_db_instance.replica.address
}

output "secret_arn" {
  description = "The secret of the service's role."
  value       = aws_secretsmanager_secret.this.arn
}

output "kms_key_arn" {
  description = "The key of data and secret."
  value       = aws_kms_key.this.arn
}

output "security_group_id" {
  description = "The database's security group."
  value       = aws_security_group.this.id
}
