include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  source = "${get_repo_root()}/infra/terraform//modules/elasticache"
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

dependency "eks" {
  config_path = "../eks"
  mock_outputs = {
    security_group_id = "sg-mock"
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

inputs = {
  name                   = "${include.root.locals.name}-feed"
  vpc_id                 = dependency.vpc.outputs.vpc_id
  subnet_ids             = dependency.vpc.outputs.private_subnet_ids
  client_security_groups = { pods = dependency.eks.outputs.security_group_id, bastion = dependency.vpc.outputs.bastion_security_group_id }
  secret_name            = "chirrup/${local.environment.name}/feed/redis"
  node_type              = local.environment.cache
  shards                 = local.environment.cache_shards
  replicas               = local.environment.cache_replicas
  first_password         = get_env("CACHE_FIRST_PASSWORD", "set-only-for-the-first-apply-of-a-cache")
}
