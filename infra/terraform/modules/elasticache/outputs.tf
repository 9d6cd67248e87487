output "endpoint" {
  description = "The address of the cluster."
  value       = aws_elasticache_replication_group.this.configuration_endpoint_address
}

output "secret_arn" {
  description = "The secret with host, port and password."
  value       = aws_secretsmanager_secret.this.arn
}

output "security_group_id" {
  description = "The cache's security group."
  value       = aws_security_group.this.id
}
