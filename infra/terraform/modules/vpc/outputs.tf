output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Its network."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Nodes, pods and stores, one for each zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "public_subnet_ids" {
  description = "Load balancers, one for each zone."
  value       = [for subnet in aws_subnet.public : subnet.id]
}

output "infra_subnet_ids" {
  description = "The control plane, one for each zone."
  value       = [for subnet in aws_subnet.infra : subnet.id]
}

output "bastion_id" {
  description = "The instance for `aws ssm start-session`; null without a bastion."
  value       = one(aws_instance.bastion[*].id)
}

output "bastion_security_group_id" {
  description = "The bastion's security group, for what it may reach; null without a bastion."
  value       = one(aws_security_group.bastion[*].id)
}
