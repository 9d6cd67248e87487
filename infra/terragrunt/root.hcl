# What every unit has: where its state is, whose account it may touch, and the tags of all that it makes. Accounts and
# domains come from infra/site/site.env; what differs between environments from live/<environment>/environment.hcl.
locals {
  environment = read_terragrunt_config(find_in_parent_folders("environment.hcl")).locals
  site = {
    for line in split("\n", file("${get_repo_root()}/infra/site/site.env")) :
    split("=", line)[0] => join("=", slice(split("=", line), 1, length(split("=", line))))
    if can(regex("^[A-Z_]+=", line))
  }
  prefix     = upper(local.environment.name)
  account_id = local.site["${local.prefix}_ACCOUNT_ID"]
  region     = local.site["${local.prefix}_REGION"]
  name       = "${local.site["PROJECT"]}-${local.environment.name}"
}

remote_state {
  backend = "s3"
  generate = {
    path      = "backend.tf"
    if_exists = "overwrite"
  }
  config = {
    bucket       = "${local.name}-${local.account_id}-state"
    key          = "${path_relative_to_include()}/terraform.tfstate"
    region       = local.region
    encrypt      = true
    use_lockfile = true
  }
}

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite"
  contents  = <<-EOT
    provider "aws" {
      region              = "${local.region}"
      allowed_account_ids = ["${local.account_id}"]

      default_tags {
        tags = {
          Project     = "${local.site["PROJECT"]}"
          Environment = "${local.environment.name}"
          ManagedBy   = "terraform"
        }
      }
    }
  EOT
}
