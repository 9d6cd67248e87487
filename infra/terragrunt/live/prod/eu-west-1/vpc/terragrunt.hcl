include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  source = "${get_repo_root()}/infra/terraform//modules/vpc"
}

inputs = {
  name         = include.root.locals.name
  account_id   = include.root.locals.account_id
  region       = include.root.locals.region
  cidr         = include.root.locals.site["${include.root.locals.prefix}_NETWORK"]
  zones        = local.environment.zones
  nat_per_zone = local.environment.nat_per_zone
}
