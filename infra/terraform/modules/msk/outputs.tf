output "bootstrap_brokers" {
  description = "The brokers, for SCRAM over TLS."
  value       = aws_msk_cluster.this.bootstrap_brokers_sasl_scram
}

output "cluster_arn" {
  description = "The cluster, for policies."
  value       = aws_msk_cluster.this.arn
}

output "security_group_id" {
  description = "The brokers' security group."
  value       = aws_security_group.this.id
}
