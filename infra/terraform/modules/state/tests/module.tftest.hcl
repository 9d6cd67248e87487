mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  name       = "chirrup-test"
  account_id = "000000000001"
}

run "private_and_versioned" {
  command = plan
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "State is nobody else's."
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "A broken state can be taken back."
  }
}
