# The way in for people: a small machine in a private subnet without a public address, a key pair or an open port.
# `aws ssm start-session` reaches it through the interface endpoints, IAM says who may, CloudTrail tells who did.
data "aws_ssm_parameter" "bastion_image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
}

resource "aws_security_group" "bastion" {
  count = var.bastion ? 1 : 0

  name        = "${var.name}-bastion"
  description = "The bastion of ${var.name}: nobody connects to it"
  vpc_id      = aws_vpc.this.id
}

# The stores and the cluster's API, and HTTPS out for its own packages.
resource "aws_vpc_security_group_egress_rule" "bastion" {
  for_each = var.bastion ? { postgres = 5432, valkey = 6379, kafka = 9096, https = 443 } : {}

  security_group_id = aws_security_group.bastion[0].id
  description       = each.key
  cidr_ipv4         = each.key == "https" ? "0.0.0.0/0" : var.cidr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_iam_role" "bastion" {
  count = var.bastion ? 1 : 0

  name = "${var.name}-bastion"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# Session Manager and no more: who uses it brings credentials of their own.
resource "aws_iam_role_policy_attachment" "bastion" {
  count = var.bastion ? 1 : 0

  role       = aws_iam_role.bastion[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "bastion" {
  count = var.bastion ? 1 : 0

  name = "${var.name}-bastion"
  role = aws_iam_role.bastion[0].name
}

resource "aws_instance" "bastion" {
  count = var.bastion ? 1 : 0

  ami                         = data.aws_ssm_parameter.bastion_image.value
  instance_type               = "t4g.nano"
  subnet_id                   = aws_subnet.private[var.zones[0]].id
  vpc_security_group_ids      = [aws_security_group.bastion[0].id]
  iam_instance_profile        = aws_iam_instance_profile.bastion[0].name
  associate_public_ip_address = false
  monitoring                  = true
  ebs_optimized               = true
  tags                        = { Name = "${var.name}-bastion" }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  root_block_device {
    volume_type = "gp3"
    encrypted   = true
  }
  lifecycle {
    # A newer image replaces it when somebody asks for that, not with whatever else is applied.
    ignore_changes = [ami]
  }
}
