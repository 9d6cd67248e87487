include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  source = "${get_repo_root()}/infra/terraform//modules/eks"
}

dependency "vpc" {
  config_path = "../vpc"
  mock_outputs = {
    vpc_id                    = "vpc-mock"
    private_subnet_ids        = ["subnet-a", "subnet-b", "subnet-c"]
    infra_subnet_ids          = ["subnet-d", "subnet-e", "subnet-f"]
    bastion_security_group_id = "sg-bastion"
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

inputs = {
  name                      = include.root.locals.name
  account_id                = include.root.locals.account_id
  region                    = include.root.locals.region
  infra_subnet_ids          = dependency.vpc.outputs.infra_subnet_ids
  private_subnet_ids        = dependency.vpc.outputs.private_subnet_ids
  bastion_security_group_id = dependency.vpc.outputs.bastion_security_group_id
  admin_role_arns           = [include.root.locals.site["${include.root.locals.prefix}_ADMIN_ROLE_ARN"]]
  instance_types            = local.environment.instance_types
  nodes                     = local.environment.nodes
  addons                    = local.environment.addons
  environment               = local.environment.name
  secret_key_arns           = ["arn:aws:kms:${include.root.locals.region}:${include.root.locals.account_id}:key/*"]
  zone_arn                  = include.root.locals.site["${include.root.locals.prefix}_ZONE_ARN"]
  protected                 = local.environment.protected
}
