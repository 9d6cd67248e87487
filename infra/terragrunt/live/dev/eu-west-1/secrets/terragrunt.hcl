include "root" {
  path   = find_in_parent_folders("root.hcl")
  expose = true
}

locals {
  environment = include.root.locals.environment
}

terraform {
  source = "${get_repo_root()}/infra/terraform//modules/secrets"
}

inputs = {
  name        = include.root.locals.name
  environment = local.environment.name
  properties = {
    "platform/peer"   = ["secret"]
    "user/settings"   = ["SIGNING_KEY_SECRET", "REFRESH_SECRET", "CURSOR_SECRET", "CONSISTENCY_SECRET", "MAIL_URL"]
    "follow/settings" = ["CURSOR_SECRET", "CONSISTENCY_SECRET"]
    "post/settings"   = ["CURSOR_SECRET", "CONSISTENCY_SECRET"]
    "feed/settings"   = ["CURSOR_SECRET"]
  }
  protected = local.environment.protected
}
