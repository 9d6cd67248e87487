# A Valkey cluster: TLS, an auth token, a replica in another zone for each shard.
resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "Valkey of ${var.name}, from inside the VPC"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_groups

  security_group_id            = aws_security_group.this.id
  description                  = each.key
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

resource "aws_kms_key" "this" {
  description         = "Cache of ${var.name}"
  enable_key_rotation = true
}

resource "aws_elasticache_parameter_group" "this" {
  name   = var.name
  family = "valkey8"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }
  # Timelines carry their own time to live; among them the least read goes first.
  parameter {
    name  = "maxmemory-policy"
    value = var.eviction
  }
}

resource "aws_secretsmanager_secret" "this" {
  name                    = var.secret_name
  description             = "Properties: host, port, password"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 7
}

# The password is set by docs/runbooks/key-rotation.md in both places at once, and stays out of Terraform's state.
resource "aws_elasticache_user" "this" {
  user_id       = var.name
  user_name     = "default"
  engine        = "valkey"
  access_string = "on ~* &* +@all -@admin -@dangerous +info +cluster|slots +cluster|shards +cluster|nodes +wait"

  authentication_mode {
    type      = "password"
    passwords = [var.first_password]
  }

  lifecycle {
    ignore_changes = [authentication_mode]
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.name
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.this.user_id]
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = var.name
  description          = "Valkey cluster of ${var.name}"

  engine               = "valkey"
  engine_version       = "8.1"
  node_type            = var.node_type
  parameter_group_name = aws_elasticache_parameter_group.this.name

  num_node_groups            = var.shards
  replicas_per_node_group    = var.replicas
  automatic_failover_enabled = var.replicas > 0
  multi_az_enabled           = var.replicas > 0

  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.this.arn
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  auto_minor_version_upgrade = true
  snapshot_retention_limit   = 0
}
