include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  source = "${get_repo_root()}/infra/terraform//modules/github-oidc"
}

dependency "ecr" {
  config_path = "../ecr"
  mock_outputs = {
    repository_arns = { post = "arn:aws:ecr:eu-west-1:000000000000:repository/chirrup/post" }
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

inputs = {
  name             = include.root.locals.name
  repository       = include.root.locals.site["REPOSITORY"]
  environment      = local.environment.name
  account_id       = include.root.locals.account_id
  region           = include.root.locals.region
  state_bucket_arn = "arn:aws:s3:::${include.root.locals.name}-${include.root.locals.account_id}-state"
  repository_arns  = values(dependency.ecr.outputs.repository_arns)
}
