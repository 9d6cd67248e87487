variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "repository" {
  description = "owner/name on GitHub."
  type        = string

  validation {
    condition     = can(regex("^[^/*]+/[^/*]+$", var.repository))
    error_message = "owner/name, without a wildcard."
  }
}

variable "environment" {
  description = "The GitHub environment whose approved jobs apply."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "dev or prod."
  }
}

variable "repository_arns" {
  description = "The image repositories that may be pushed to."
  type        = list(string)
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

variable "state_bucket_arn" {
  description = "The bucket of Terraform's state, which a plan reads."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:s3:::[a-z0-9.-]+$", var.state_bucket_arn))
    error_message = "A bucket's ARN, without a wildcard."
  }
}
