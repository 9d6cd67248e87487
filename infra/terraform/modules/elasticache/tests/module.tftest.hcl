mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = {
      arn = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000"
    }
  }
}

variables {
  name                   = "chirrup-test-feed"
  vpc_id                 = "vpc-0"
  subnet_ids             = ["subnet-a", "subnet-b", "subnet-c"]
  client_security_groups = { nodes = "sg-0" }
  secret_name            = "chirrup/dev/feed/redis"
  node_type              = "cache.r7g.large"
  shards                 = 3
  first_password         = "0123456789abcdef0123456789abcdef"
  replicas               = 1
}

run "encrypted_and_replicated" {
  command = plan
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.transit_encryption_mode == "required"
    error_message = "Nothing goes over the wire in clear."
  }
  assert {
    condition     = aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.automatic_failover_enabled
    error_message = "A shard survives the loss of its zone."
  }
}
