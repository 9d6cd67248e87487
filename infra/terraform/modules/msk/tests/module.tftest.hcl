mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::000000000001:role/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  name                   = "chirrup-test"
  account_id             = "000000000001"
  region                 = "eu-west-1"
  vpc_id                 = "vpc-0"
  subnet_ids             = ["subnet-a", "subnet-b", "subnet-c"]
  client_security_groups = { nodes = "sg-0" }
  instance_type          = "kafka.m7g.large"
  storage_gib            = 100
  plugin                 = { bucket_arn = "arn:aws:s3:::plugins", key = "debezium.zip", version = "1" }
  scram_secrets          = { post = "AmazonMSK_chirrup/dev/post" }
  scram_ready            = true
  brokers_secret_name    = "chirrup/dev/platform/kafka"
  secret_key_arns        = ["arn:aws:kms:eu-west-1:000000000001:key/1"]
  sources = {
    post = { host = "post.internal", secret_arn = "arn:aws:secretsmanager:eu-west-1:000000000001:secret:x", secret_name = "chirrup/dev/post/replication", security_group_id = "sg-1" }
  }
}

run "durable_and_closed" {
  command = plan
  assert {
    condition     = strcontains(aws_msk_configuration.this.server_properties, "min.insync.replicas=2") && strcontains(aws_msk_configuration.this.server_properties, "default.replication.factor=3")
    error_message = "An acknowledged event is on two brokers at least."
  }
  assert {
    condition     = aws_msk_cluster.this.encryption_info[0].encryption_in_transit[0].client_broker == "TLS" && !aws_msk_cluster.this.client_authentication[0].unauthenticated
    error_message = "Nobody connects in clear or without a name."
  }
}

run "one_connector_file" {
  command = plan
  assert {
    condition     = length(local.connectors["post"]) > 10 && !strcontains(jsonencode(local.connectors), "{{")
    error_message = "The connector's one file is read and filled in."
  }
  assert {
    condition     = startswith(local.connectors["post"]["database.password"], "$${secretsmanager:")
    error_message = "The password is fetched by the worker and in no configuration."
  }
}

run "users_of_their_own" {
  command = plan
  assert {
    condition     = startswith(aws_secretsmanager_secret.scram["post"].name, "AmazonMSK_") && length(aws_msk_scram_secret_association.this) == 1
    error_message = "MSK takes users from secrets of its prefix."
  }
}
