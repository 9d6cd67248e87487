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

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "At least two, in different zones."
  }
}

variable "client_security_groups" {
  description = "Who may connect: security groups, by what they are."
  type        = map(string)
}

variable "database" {
  description = "The name of the database: the service."
  type        = string

  validation {
    condition     = contains(["user", "follow", "post"], var.database)
    error_message = "user, follow or post."
  }
}

variable "secret_name" {
  description = "The name of the secret with the service's role, for example chirrup/dev/post/database."
  type        = string

  validation {
    condition     = can(regex("^chirrup/(dev|prod)/[a-z]+/database$", var.secret_name))
    error_message = "chirrup/<environment>/<service>/database."
  }
}

variable "major_version" {
  description = "Postgres, 17 or later: slots that survive a failover came with 17."
  type        = string
  default     = "17"

  validation {
    condition     = tonumber(var.major_version) >= 17
    error_message = "17 or later."
  }
}

variable "instance_class" {
  description = "The primary's size."
  type        = string
}

variable "replica_instance_class" {
  description = "The replica's size."
  type        = string
}

variable "storage_gib" {
  description = "The disk at first, in GiB; grows by itself to ten times as much."
  type        = number
  default     = 50

  validation {
    condition     = var.storage_gib >= 20
    error_message = "At least 20."
  }
}

variable "slot_wal_mib" {
  description = "Write-ahead log kept for a slot that nobody reads, in MiB."
  type        = number
  default     = 8192
}

variable "multi_az" {
  description = "A standby in another zone."
  type        = bool
}

variable "backup_days" {
  description = "How long backups are kept, in days."
  type        = number

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "1 to 35."
  }
}

variable "protected" {
  description = "Against deletion; with a last snapshot."
  type        = bool
}
