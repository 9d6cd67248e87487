mock_provider "aws" {}

variables {
  name         = "chirrup-test"
  region       = "eu-west-1"
  account_id   = "000000000001"
  cidr         = "10.20.0.0/16"
  zones        = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  nat_per_zone = true
}

run "three_of_each" {
  command = plan

  assert {
    condition     = length(aws_subnet.public) == 3 && length(aws_subnet.private) == 3 && length(aws_subnet.infra) == 3
    error_message = "Each zone has one subnet of each kind."
  }
  assert {
    condition = length(distinct(concat(
      [for subnet in aws_subnet.public : subnet.cidr_block],
      [for subnet in aws_subnet.private : subnet.cidr_block],
      [for subnet in aws_subnet.infra : subnet.cidr_block],
    ))) == 9
    error_message = "No two subnets have the same network."
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "Production has a NAT gateway in each zone."
  }
}

run "one_nat" {
  command = plan
  variables {
    nat_per_zone = false
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 3
    error_message = "Development has one NAT gateway, which every zone uses."
  }
}

run "refuses_two_zones" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1b"]
  }
  expect_failures = [var.zones]
}

run "nobody_connects_to_the_bastion" {
  command = plan
  assert {
    condition     = !aws_instance.bastion[0].associate_public_ip_address && aws_instance.bastion[0].metadata_options[0].http_tokens == "required"
    error_message = "The bastion has no public address, and its credentials need a token."
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.bastion : rule.cidr_ipv4 == var.cidr || rule.from_port == 443])
    error_message = "The bastion reaches the stores of its own network alone."
  }
}

run "session_manager_has_its_endpoints" {
  command = plan
  assert {
    condition     = alltrue([for service in ["ssm", "ssmmessages", "ec2messages"] : contains(keys(aws_vpc_endpoint.interface), service)])
    error_message = "Session Manager is reached inside the VPC."
  }
}

run "no_bastion" {
  command = plan
  variables {
    bastion = false
  }
  assert {
    condition     = length(aws_instance.bastion) == 0 && output.bastion_id == null
    error_message = "Without a bastion there is none."
  }
}
