output "repository_arns" {
  description = "The repositories, by service."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.arn }
}

output "repository_urls" {
  description = "Where images are pushed to, by service."
  value       = { for service, repository in aws_ecr_repository.this : service => repository.repository_url }
}
