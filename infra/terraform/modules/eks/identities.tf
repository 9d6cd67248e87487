# What each add-on may do in AWS, and no more. EC2's and load balancing's describing calls take no resource.
locals {
  # MSK's users have to stand under a prefix of its own.
  secret_prefixes = ["chirrup", "AmazonMSK_chirrup"]
  identities = {
    external-secrets = {
      namespace       = "external-secrets"
      service_account = "external-secrets"
      statements = [
        {
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
          Resource = [for prefix in local.secret_prefixes : "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${prefix}/${var.environment}/*"]
        },
        {
          Effect   = "Allow"
          Action   = ["kms:Decrypt"]
          Resource = var.secret_key_arns
          # Each secret has a key of its own, made after the cluster: only through a secret of this environment.
          Condition = { StringLike = { "kms:EncryptionContext:SecretARN" = [for prefix in local.secret_prefixes : "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${prefix}/${var.environment}/*"] } }
        },
      ]
    }
    cert-manager = {
      namespace       = "cert-manager"
      service_account = "cert-manager"
      statements = [
        {
          Effect   = "Allow"
          Action   = ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"]
          Resource = var.zone_arn
        },
        {
          Effect   = "Allow"
          Action   = ["route53:GetChange"]
          Resource = "arn:aws:route53:::change/*"
        },
        {
          Effect   = "Allow"
          Action   = ["route53:ListHostedZonesByName"]
          Resource = "*"
        },
      ]
    }
    vpc-cni = {
      namespace       = "kube-system"
      service_account = "aws-node"
      statements = [
        {
          Effect   = "Allow"
          Action   = ["ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute", "ec2:DescribeInstances", "ec2:DescribeInstanceTypes", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DescribeTags"]
          Resource = "*"
        },
        {
          Effect   = "Allow"
          Action   = ["ec2:CreateTags"]
          Resource = "arn:aws:ec2:${var.region}:${var.account_id}:network-interface/*"
        },
      ]
    }
    load-balancer = {
      namespace       = "kube-system"
      service_account = "aws-load-balancer-controller"
      statements = [
        {
          Effect   = "Allow"
          Action   = ["ec2:DescribeAvailabilityZones", "ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeRouteTables", "ec2:DescribeSecurityGroups", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeTags", "ec2:GetSecurityGroupsForVpc", "elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeCapacityReservation", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeListenerAttributes", "elasticloadbalancing:DescribeListenerCertificates", "elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetGroupAttributes", "elasticloadbalancing:DescribeTargetHealth", "elasticloadbalancing:DescribeTags"]
          Resource = "*"
        },
        {
          Effect   = "Allow"
          Action   = ["elasticloadbalancing:CreateLoadBalancer", "elasticloadbalancing:CreateTargetGroup", "elasticloadbalancing:CreateListener", "elasticloadbalancing:AddTags", "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:ModifyLoadBalancerAttributes", "elasticloadbalancing:ModifyTargetGroup", "elasticloadbalancing:ModifyTargetGroupAttributes", "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyListenerAttributes", "elasticloadbalancing:SetSecurityGroups", "elasticloadbalancing:SetSubnets", "elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup", "elasticloadbalancing:DeleteListener"]
          Resource = ["arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:loadbalancer/net/k8s-*", "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:listener/net/k8s-*", "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:targetgroup/k8s-*"]
        },
        # A security group for the load balancer and one that the nodes let in, both with the controller's mark.
        {
          Effect   = "Allow"
          Action   = ["ec2:CreateSecurityGroup"]
          Resource = ["arn:aws:ec2:${var.region}:${var.account_id}:vpc/*"]
        },
        {
          Effect    = "Allow"
          Action    = ["ec2:CreateSecurityGroup"]
          Resource  = ["arn:aws:ec2:${var.region}:${var.account_id}:security-group/*"]
          Condition = { StringEquals = { "aws:RequestTag/elbv2.k8s.aws/cluster" = "chirrup" } }
        },
        {
          Effect    = "Allow"
          Action    = ["ec2:CreateTags"]
          Resource  = ["arn:aws:ec2:${var.region}:${var.account_id}:security-group/*"]
          Condition = { StringEquals = { "ec2:CreateAction" = "CreateSecurityGroup" } }
        },
        {
          Effect    = "Allow"
          Action    = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress", "ec2:DeleteSecurityGroup"]
          Resource  = ["arn:aws:ec2:${var.region}:${var.account_id}:security-group/*"]
          Condition = { StringEquals = { "aws:ResourceTag/elbv2.k8s.aws/cluster" = "chirrup" } }
        },
        # Lets the load balancer in to the pods.
        {
          Effect   = "Allow"
          Action   = ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"]
          Resource = ["arn:aws:ec2:${var.region}:${var.account_id}:security-group/${aws_eks_cluster.this.vpc_config[0].cluster_security_group_id}"]
        },
        # The service's own role, which the account's first load balancer brings.
        {
          Effect    = "Allow"
          Action    = ["iam:CreateServiceLinkedRole"]
          Resource  = ["arn:aws:iam::${var.account_id}:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing"]
          Condition = { StringEquals = { "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" } }
        },
      ]
    }
  }
}

resource "aws_iam_role" "identity" {
  for_each = local.identities

  name = "${var.name}-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "identity" {
  for_each = local.identities

  name   = "allowed"
  role   = aws_iam_role.identity[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = each.value.statements })
}

resource "aws_eks_pod_identity_association" "this" {
  for_each = local.identities

  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.identity[each.key].arn
}
