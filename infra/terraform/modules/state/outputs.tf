output "bucket" {
  description = "The bucket, for infra/terragrunt/root.hcl."
  value       = aws_s3_bucket.this.bucket
}
