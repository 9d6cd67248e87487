# Kafka in three zones, KRaft, over TLS alone: MSK Connect signs in by IAM, the services by SCRAM (decision 36).
locals {
  brokers = 3
}

resource "aws_security_group" "this" {
  name        = "${var.name}-kafka"
  description = "Kafka of ${var.name}, from inside the VPC"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_groups

  security_group_id            = aws_security_group.this.id
  description                  = "SCRAM, from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 9096
  to_port                      = 9096
}

resource "aws_vpc_security_group_ingress_rule" "connect" {
  security_group_id            = aws_security_group.this.id
  description                  = "IAM, from Debezium"
  referenced_security_group_id = aws_security_group.connect.id
  ip_protocol                  = "tcp"
  from_port                    = 9098
  to_port                      = 9098
}

# The services' names and passwords. MSK takes them from secrets of this prefix alone, under a key of our own; the values
# are put in by docs/runbooks/first-deployment.md.
resource "aws_secretsmanager_secret" "scram" {
  for_each = var.scram_secrets

  name                    = each.value
  description             = "Properties: username, password"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}

# A secret without a value cannot be associated: after the first apply and its values, the second one does.
resource "aws_msk_scram_secret_association" "this" {
  count = var.scram_ready ? 1 : 0

  cluster_arn     = aws_msk_cluster.this.arn
  secret_arn_list = [for secret in aws_secretsmanager_secret.scram : secret.arn]
}

# Where the brokers are is no secret; it stands beside what is one, so that the pods get both from one place.
resource "aws_secretsmanager_secret" "brokers" {
  name                    = var.brokers_secret_name
  description             = "Properties: brokers"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "brokers" {
  secret_id     = aws_secretsmanager_secret.brokers.id
  secret_string = jsonencode({ brokers = aws_msk_cluster.this.bootstrap_brokers_sasl_scram })
}

resource "aws_kms_key" "this" {
  description         = "Event log of ${var.name}"
  enable_key_rotation = true
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/msk/${var.name}"
  retention_in_days = 30
}

# Three copies, written by two at least: one broker may go and no acknowledged event is lost.
resource "aws_msk_configuration" "this" {
  name           = var.name
  kafka_versions = [var.kafka_version]

  server_properties = <<-EOT
    auto.create.topics.enable=false
    default.replication.factor=3
    min.insync.replicas=2
    unclean.leader.election.enable=false
    num.partitions=8
    log.retention.hours=48
  EOT
}

resource "aws_msk_cluster" "this" {
  cluster_name           = var.name
  kafka_version          = var.kafka_version
  number_of_broker_nodes = local.brokers
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  broker_node_group_info {
    instance_type   = var.instance_type
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.this.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.storage_gib
      }
    }
  }
  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }
  client_authentication {
    unauthenticated = false
    sasl {
      iam   = true
      scram = true
    }
  }
  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.this.arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }
  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this.name
      }
    }
  }
  open_monitoring {
    prometheus {
      jmx_exporter {
        enabled_in_broker = true
      }
      node_exporter {
        enabled_in_broker = true
      }
    }
  }
}
