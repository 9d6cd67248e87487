# The connector is the one that the laptop's full profile runs: infra/debezium/outbox.json. Its places in double
# braces are filled in here; the secrets by the worker's own config provider, so that no API shows them.
locals {
  outbox = file("${path.module}/../../../debezium/outbox.json")
  connectors = {
    for name, source in var.sources : name => jsondecode(
      replace(replace(replace(replace(replace(replace(local.outbox,
        "{{source}}", name),
        "{{database_host}}", source.host),
        "{{database_port}}", "5432"),
        "{{database_user}}", "$${secretsmanager:${source.secret_name}:username}"),
        "{{database_password}}", "$${secretsmanager:${source.secret_name}:password}"),
      "{{database_sslmode}}", "require")
    )
  }
}

resource "aws_security_group" "connect" {
  name        = "${var.name}-connect"
  description = "Debezium of ${var.name}"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "databases" {
  for_each = var.sources

  security_group_id            = aws_security_group.connect.id
  description                  = each.key
  referenced_security_group_id = each.value.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "kafka" {
  security_group_id            = aws_security_group.connect.id
  description                  = "Kafka"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 9098
  to_port                      = 9098
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.connect.id
  description       = "Secrets Manager and S3"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_mskconnect_custom_plugin" "debezium" {
  name         = "${var.name}-debezium-${var.plugin.version}"
  content_type = "ZIP"

  location {
    s3 {
      bucket_arn = var.plugin.bucket_arn
      file_key   = var.plugin.key
    }
  }
}

resource "aws_mskconnect_worker_configuration" "this" {
  name = var.name

  properties_file_content = <<-EOT
    key.converter=org.apache.kafka.connect.storage.StringConverter
    value.converter=org.apache.kafka.connect.converters.ByteArrayConverter
    config.providers=secretsmanager
    config.providers.secretsmanager.class=com.amazonaws.kafka.config.providers.SecretsManagerConfigProvider
    config.providers.secretsmanager.param.region=${var.region}
  EOT
}

resource "aws_iam_role" "connect" {
  name = "${var.name}-connect"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "kafkaconnect.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "connect" {
  name = "allowed"
  role = aws_iam_role.connect.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster"]
        Resource = aws_msk_cluster.this.arn
      },
      {
        Effect   = "Allow"
        Action   = ["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic", "kafka-cluster:WriteData", "kafka-cluster:ReadData"]
        Resource = "${replace(aws_msk_cluster.this.arn, ":cluster/", ":topic/")}/*"
      },
      {
        Effect   = "Allow"
        Action   = ["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"]
        Resource = "${replace(aws_msk_cluster.this.arn, ":cluster/", ":group/")}/*"
      },
      {
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for source in var.sources : source.secret_arn]
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = var.secret_key_arns
      },
    ]
  })
}

resource "aws_mskconnect_connector" "this" {
  for_each = var.sources

  name                       = "${var.name}-${each.key}"
  kafkaconnect_version       = "3.7.x"
  service_execution_role_arn = aws_iam_role.connect.arn
  connector_configuration    = local.connectors[each.key]

  # One task reads one slot.
  capacity {
    provisioned_capacity {
      mcu_count    = 1
      worker_count = 1
    }
  }
  kafka_cluster {
    apache_kafka_cluster {
      bootstrap_servers = aws_msk_cluster.this.bootstrap_brokers_sasl_iam
      vpc {
        security_groups = [aws_security_group.connect.id]
        subnets         = var.subnet_ids
      }
    }
  }
  kafka_cluster_client_authentication {
    authentication_type = "IAM"
  }
  kafka_cluster_encryption_in_transit {
    encryption_type = "TLS"
  }
  plugin {
    custom_plugin {
      arn      = aws_mskconnect_custom_plugin.debezium.arn
      revision = aws_mskconnect_custom_plugin.debezium.latest_revision
    }
  }
  worker_configuration {
    arn      = aws_mskconnect_worker_configuration.this.arn
    revision = aws_mskconnect_worker_configuration.this.latest_revision
  }
  log_delivery {
    worker_log_delivery {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.this.name
      }
    }
  }
}
