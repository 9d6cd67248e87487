variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "account_id" {
  description = "The account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "12 digits."
  }
}

variable "region" {
  description = "The region, for example eu-west-1."
  type        = string
}

variable "kubernetes_version" {
  description = "A version that EKS supports; infra:check holds the manifests to the same."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "Major and minor, for example 1.35."
  }
}

variable "infra_subnet_ids" {
  description = "The control plane's subnets."
  type        = list(string)
}

variable "private_subnet_ids" {
  description = "The nodes' subnets."
  type        = list(string)
}

variable "admin_role_arns" {
  description = "Roles that administer the cluster: the one that applies, and people's."
  type        = list(string)

  validation {
    condition     = length(var.admin_role_arns) > 0
    error_message = "At least one, or nobody can."
  }
}

variable "architecture" {
  description = "arm64 (Graviton) or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "arm64 or x86_64."
  }
}

variable "instance_types" {
  description = "Sizes of nodes, of this architecture."
  type        = list(string)
}

variable "nodes" {
  description = "How many nodes."
  type        = object({ min = number, max = number })

  validation {
    condition     = var.nodes.min >= 2 && var.nodes.max >= var.nodes.min
    error_message = "At least two, and no fewer at most than at least."
  }
}

variable "addons" {
  description = "EKS add-ons and their versions; `aws eks describe-addon-versions` lists them."
  type        = map(string)
}

variable "environment" {
  description = "dev or prod: which secrets may be read."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "dev or prod."
  }
}

variable "secret_key_arns" {
  description = "The keys of those secrets."
  type        = list(string)
}

variable "zone_arn" {
  description = "The Route 53 zone that certificates are proven in."
  type        = string
}

variable "protected" {
  description = "Against deletion."
  type        = bool
}

variable "bastion_security_group_id" {
  description = "Who may reach the API beside the nodes."
  type        = string
}
