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
