output "cluster_name" {
  description = "The cluster."
  value       = aws_eks_cluster.this.name
}

output "endpoint" {
  description = "Its API, inside the VPC."
  value       = aws_eks_cluster.this.endpoint
}

output "security_group_id" {
  description = "The security group of its nodes and pods."
  value       = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id
}
