# Postgres for one service: a primary, a read replica, logical replication for Debezium, TLS or nothing.
resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "Postgres of ${var.name}, from inside the VPC"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = var.client_security_groups

  security_group_id            = aws_security_group.this.id
  description                  = each.key
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_kms_key" "this" {
  description         = "Database of ${var.name}"
  enable_key_rotation = true
}

resource "aws_db_parameter_group" "this" {
  name   = var.name
  family = "postgres${var.major_version}"

  dynamic "parameter" {
    for_each = [
      { name = "rds.force_ssl", value = "1" },
      { name = "rds.logical_replication", value = "1" },
      # A slot that nobody reads must not fill the disk: past this it is lost, and the outbox is read again.
      { name = "max_slot_wal_keep_size", value = tostring(var.slot_wal_mib) },
      { name = "max_replication_slots", value = "10" },
      # The slot survives a failover to the standby.
      { name = "sync_replication_slots", value = "1" },
      { name = "rds.logical_slot_sync_dbname", value = var.database },
      { name = "log_min_duration_statement", value = "500" },
      # A pod that goes with its node says no good-bye: its locks are free after a minute at most, not after RDS's six.
      { name = "tcp_keepalives_idle", value = "30" },
      { name = "tcp_keepalives_interval", value = "10" },
      { name = "tcp_keepalives_count", value = "3" },
      { name = "tcp_user_timeout", value = "30000" },
    ]
    content {
      name         = parameter.value.name
      value        = parameter.value.value
      apply_method = "pending-reboot"
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-monitoring"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "primary" {
  identifier = var.name

  engine                     = "postgres"
  engine_version             = var.major_version
  auto_minor_version_upgrade = true
  instance_class             = var.instance_class
  parameter_group_name       = aws_db_parameter_group.this.name

  db_name                       = var.database
  username                      = "chirrup_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.this.key_id

  storage_type          = "gp3"
  allocated_storage     = var.storage_gib
  max_allocated_storage = var.storage_gib * 10
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  multi_az               = var.multi_az
  publicly_accessible    = false
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  ca_cert_identifier     = "rds-ca-ecc384-g1"

  backup_retention_period   = var.backup_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = var.protected ? "${var.name}-final" : null

  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}

resource "aws_db_instance" "replica" {
  identifier          = "${var.name}-replica"
  replicate_source_db = aws_db_instance.primary.arn
  instance_class      = var.replica_instance_class

  storage_encrypted          = true
  kms_key_id                 = aws_kms_key.this.arn
  publicly_accessible        = false
  db_subnet_group_name       = aws_db_subnet_group.this.name
  vpc_security_group_ids     = [aws_security_group.this.id]
  parameter_group_name       = aws_db_parameter_group.this.name
  ca_cert_identifier         = "rds-ca-ecc384-g1"
  auto_minor_version_upgrade = true
  multi_az                   = var.multi_az
  copy_tags_to_snapshot      = true
  deletion_protection        = var.protected
  skip_final_snapshot        = true

  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}

# Where External Secrets finds the service's own role: made and rotated by docs/runbooks/key-rotation.md. Terraform
# makes the secret, never its value, so that no password is in its state.
resource "aws_secretsmanager_secret" "this" {
  name                    = var.secret_name
  description             = "Properties: username, password, host, port, dbname, replica_host"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.protected ? 30 : 7
}
