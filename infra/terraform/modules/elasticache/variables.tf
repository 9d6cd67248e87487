variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "The private subnets."
  type        = list(string)
}

variable "client_security_groups" {
  description = "Who may connect: security groups, by what they are."
  type        = map(string)
}

variable "secret_name" {
  description = "The secret with host, port and password, for example chirrup/dev/feed/redis."
  type        = string

  validation {
    condition     = can(regex("^chirrup/(dev|prod)/[a-z]+/redis$", var.secret_name))
    error_message = "chirrup/<environment>/<service>/redis."
  }
}

variable "node_type" {
  description = "The size of a node."
  type        = string
}

variable "shards" {
  description = "How many shards."
  type        = number

  validation {
    condition     = var.shards >= 1 && var.shards <= 90
    error_message = "1 to 90."
  }
}

variable "replicas" {
  description = "Replicas of each shard."
  type        = number

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "0 to 5."
  }
}

variable "eviction" {
  description = "What goes when memory is full."
  type        = string
  default     = "volatile-lru"

  validation {
    condition     = contains(["volatile-lru", "noeviction"], var.eviction)
    error_message = "volatile-lru or noeviction."
  }
}

variable "first_password" {
  description = "The password of the first apply; the runbook changes it at once, and Terraform ignores it from then on."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.first_password) >= 32
    error_message = "At least 32 characters."
  }
}
