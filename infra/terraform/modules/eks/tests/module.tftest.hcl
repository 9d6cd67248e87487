mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::000000000001:role/mocked" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  name                      = "chirrup-test"
  account_id                = "000000000001"
  region                    = "eu-west-1"
  infra_subnet_ids          = ["subnet-a", "subnet-b", "subnet-c"]
  private_subnet_ids        = ["subnet-d", "subnet-e", "subnet-f"]
  admin_role_arns           = ["arn:aws:iam::000000000001:role/apply"]
  instance_types            = ["m7g.large"]
  nodes                     = { min = 3, max = 9 }
  addons                    = { vpc-cni = "v1", coredns = "v1", kube-proxy = "v1", eks-pod-identity-agent = "v1" }
  environment               = "dev"
  bastion_security_group_id = "sg-bastion"
  secret_key_arns           = ["arn:aws:kms:eu-west-1:000000000001:key/1"]
  zone_arn                  = "arn:aws:route53:::hostedzone/Z0"
  protected                 = true
}

run "closed" {
  command = plan
  assert {
    condition     = !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].endpoint_private_access
    error_message = "The API is reachable from inside the VPC alone."
  }
  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "A pod must not reach its node's credentials."
  }
}

run "least_privilege" {
  command = plan
  assert {
    condition = alltrue(flatten([
      for identity in local.identities : [
        for statement in identity.statements : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "No identity has an action by wildcard."
  }
  assert {
    condition = alltrue(flatten([
      for name, identity in local.identities : [
        for statement in identity.statements : statement.Resource != "*" || contains(["vpc-cni", "load-balancer"], name) || statement.Action == ["route53:ListHostedZonesByName"]
      ]
    ]))
    error_message = "Only what AWS cannot scope is open to every resource."
  }
  assert {
    condition     = !strcontains(jsonencode(local.identities["external-secrets"].statements), "/prod/")
    error_message = "The development cluster reads no secret of production."
  }
  assert {
    condition     = strcontains(jsonencode(local.identities["external-secrets"].statements[1]), "secret:chirrup/dev/*")
    error_message = "A key decrypts nothing but secrets of the environment."
  }
}
