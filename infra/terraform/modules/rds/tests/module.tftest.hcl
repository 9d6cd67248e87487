mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = {
      arn    = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000"
      key_id = "00000000-0000-0000-0000-000000000000"
    }
  }
}

variables {
  name                   = "chirrup-test-post"
  vpc_id                 = "vpc-0"
  subnet_ids             = ["subnet-a", "subnet-b", "subnet-c"]
  client_security_groups = { nodes = "sg-0" }
  database               = "post"
  secret_name            = "chirrup/dev/post/database"
  instance_class         = "db.m7g.large"
  replica_instance_class = "db.m7g.large"
  multi_az               = true
  backup_days            = 14
  protected              = true
}

run "closed_and_durable" {
  command = plan
  assert {
    condition     = !aws_db_instance.primary.publicly_accessible && !aws_db_instance.replica.publicly_accessible
    error_message = "No database is reachable from the internet."
  }
  assert {
    condition     = anytrue([for parameter in aws_db_parameter_group.this.parameter : parameter.name == "rds.force_ssl" && parameter.value == "1"])
    error_message = "Connections without TLS are refused."
  }
  assert {
    condition     = anytrue([for parameter in aws_db_parameter_group.this.parameter : parameter.name == "rds.logical_replication" && parameter.value == "1"])
    error_message = "Debezium needs logical replication."
  }
  assert {
    condition     = alltrue([for name in ["tcp_keepalives_idle", "tcp_user_timeout"] : anytrue([for parameter in aws_db_parameter_group.this.parameter : parameter.name == name])])
    error_message = "A lost pod's connections do not linger."
  }
  assert {
    condition     = aws_db_instance.primary.storage_encrypted && aws_db_instance.primary.manage_master_user_password && aws_db_instance.primary.deletion_protection
    error_message = "Encrypted, without a password in the state, protected against deletion."
  }
}

run "refuses_postgres_16" {
  command = plan
  variables {
    major_version = "16"
  }
  expect_failures = [var.major_version]
}
