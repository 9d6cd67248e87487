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

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "A private subnet in each of three zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "Exactly three."
  }
}

variable "client_security_groups" {
  description = "Who may connect: security groups, by what they are."
  type        = map(string)
}

variable "kafka_version" {
  description = "A KRaft version that MSK offers."
  type        = string
  default     = "3.9.x.kraft"

  validation {
    condition     = endswith(var.kafka_version, "kraft")
    error_message = "One without ZooKeeper."
  }
}

variable "instance_type" {
  description = "The size of a broker."
  type        = string
}

variable "storage_gib" {
  description = "The disk of each broker, in GiB."
  type        = number
}

variable "plugin" {
  description = "Debezium as a ZIP in S3: docs/runbooks/first-deployment.md packs it and checks its checksum."
  type        = object({ bucket_arn = string, key = string, version = string })
}

variable "sources" {
  description = "The databases with an outbox, by service: where they are and the secret with the replication role."
  type        = map(object({ host = string, secret_arn = string, secret_name = string, security_group_id = string }))
}

variable "secret_key_arns" {
  description = "The keys of those secrets."
  type        = list(string)
}

variable "scram_secrets" {
  description = "The names of the secrets with the services' SCRAM users, by service."
  type        = map(string)

  validation {
    condition     = alltrue([for name in values(var.scram_secrets) : can(regex("^AmazonMSK_chirrup/(dev|prod)/[a-z]+$", name))])
    error_message = "AmazonMSK_chirrup/<environment>/<service>."
  }
}

variable "scram_ready" {
  description = "Whether those secrets have values, so that MSK can take them up."
  type        = bool
}

variable "brokers_secret_name" {
  description = "The name of the secret that says where the brokers are, for example chirrup/dev/platform/kafka."
  type        = string

  validation {
    condition     = can(regex("^chirrup/(dev|prod)/[a-z]+/[a-z]+$", var.brokers_secret_name))
    error_message = "chirrup/<environment>/<service>/<what>."
  }
}
