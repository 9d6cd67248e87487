mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000001:key/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  name        = "chirrup-test"
  environment = "dev"
  properties  = { "post/settings" = ["CURSOR_SECRET"] }
  protected   = false
}

run "names" {
  command = plan
  assert {
    condition     = aws_secretsmanager_secret.this["post/settings"].name == "chirrup/dev/post/settings"
    error_message = "A secret has its environment in its name."
  }
}

run "refuses_another_environments_name" {
  command = plan
  variables {
    properties = { "prod/post/settings" = ["CURSOR_SECRET"] }
  }
  expect_failures = [var.properties]
}
