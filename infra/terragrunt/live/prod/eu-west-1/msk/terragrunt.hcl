include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  # From one folder higher than the others: Terragrunt copies what is left of the //, and the module reads infra/debezium.
  source = "${get_repo_root()}/infra//terraform/modules/msk"
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

dependency "rds_user" {
  config_path = "../rds-user"
  mock_outputs = {
    address           = "user.internal"
    secret_arn        = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:user"
    security_group_id = "sg-mock"
    kms_key_arn       = "arn:aws:kms:eu-west-1:000000000000:key/1"
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

dependency "rds_follow" {
  config_path = "../rds-follow"
  mock_outputs = {
    address           = "follow.internal"
    secret_arn        = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:follow"
    security_group_id = "sg-mock"
    kms_key_arn       = "arn:aws:kms:eu-west-1:000000000000:key/1"
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

dependency "rds_post" {
  config_path = "../rds-post"
  mock_outputs = {
    address           = "post.internal"
    secret_arn        = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:post"
    security_group_id = "sg-mock"
    kms_key_arn       = "arn:aws:kms:eu-west-1:000000000000:key/1"
  }
  mock_outputs_allowed_terraform_commands = ["init", "validate", "plan"]
}

inputs = {
  name                   = include.root.locals.name
  account_id             = include.root.locals.account_id
  region                 = include.root.locals.region
  vpc_id                 = dependency.vpc.outputs.vpc_id
  subnet_ids             = dependency.vpc.outputs.private_subnet_ids
  client_security_groups = { pods = dependency.eks.outputs.security_group_id, bastion = dependency.vpc.outputs.bastion_security_group_id }
  instance_type          = local.environment.broker
  storage_gib            = local.environment.broker_storage_gib
  plugin                 = { bucket_arn = include.root.locals.site["${include.root.locals.prefix}_PLUGIN_BUCKET_ARN"], key = "debezium.zip", version = "1" }
  brokers_secret_name    = "chirrup/${local.environment.name}/platform/kafka"
  scram_secrets = {
    follow = "AmazonMSK_chirrup/${local.environment.name}/follow"
    post   = "AmazonMSK_chirrup/${local.environment.name}/post"
    feed   = "AmazonMSK_chirrup/${local.environment.name}/feed"
  }
  scram_ready = get_env("SCRAM_READY", "true") == "true"
  sources = {
    user   = { host = dependency.rds_user.outputs.address, secret_arn = dependency.rds_user.outputs.secret_arn, secret_name = "chirrup/${local.environment.name}/user/database", security_group_id = dependency.rds_user.outputs.security_group_id }
    follow = { host = dependency.rds_follow.outputs.address, secret_arn = dependency.rds_follow.outputs.secret_arn, secret_name = "chirrup/${local.environment.name}/follow/database", security_group_id = dependency.rds_follow.outputs.security_group_id }
    post   = { host = dependency.rds_post.outputs.address, secret_arn = dependency.rds_post.outputs.secret_arn, secret_name = "chirrup/${local.environment.name}/post/database", security_group_id = dependency.rds_post.outputs.security_group_id }
  }
  secret_key_arns = [dependency.rds_user.outputs.kms_key_arn, dependency.rds_follow.outputs.kms_key_arn, dependency.rds_post.outputs.kms_key_arn]
}
