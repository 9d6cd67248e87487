mock_provider "aws" {
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::000000000001:oidc-provider/mocked" }
  }
}

variables {
  name             = "chirrup-test"
  repository       = "example/chirrup"
  environment      = "prod"
  account_id       = "000000000001"
  region           = "eu-west-1"
  state_bucket_arn = "arn:aws:s3:::chirrup-prod-000000000001-state"
  repository_arns  = ["arn:aws:ecr:eu-west-1:000000000001:repository/chirrup/post"]
}

run "no_wildcard_subject" {
  command = plan
  assert {
    condition     = alltrue(flatten([for subjects in local.subjects : [for subject in subjects : !strcontains(subject, "*")]]))
    error_message = "A role is for one kind of run of one repository."
  }
  assert {
    condition     = local.subjects.apply == ["repo:example/chirrup:environment:prod"]
    error_message = "Only the environment's approved job applies."
  }
}
