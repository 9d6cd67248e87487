variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "The region, for example eu-west-1."
  type        = string
}

variable "account_id" {
  description = "The account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "12 digits."
  }
}

variable "cidr" {
  description = "The network, a /16."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && endswith(var.cidr, "/16")
    error_message = "A network of 16 bits, for example 10.20.0.0/16."
  }
}

variable "zones" {
  description = "Three availability zones of the region."
  type        = list(string)

  validation {
    condition     = length(distinct(var.zones)) == 3
    error_message = "Exactly three different zones."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone (production) or one for all."
  type        = bool
}

variable "flow_log_days" {
  description = "How long flow logs are kept, in days."
  type        = number
  default     = 30
}

variable "interface_endpoints" {
  description = "AWS services reached inside the VPC; each costs by the hour and zone."
  type        = list(string)
  default     = ["ssm", "ssmmessages", "ec2messages", "secretsmanager", "sts", "ecr.api", "ecr.dkr", "logs", "email-smtp"]
}

variable "bastion" {
  description = "A machine for people, reachable through SSM Session Manager alone."
  type        = bool
  default     = true
}
