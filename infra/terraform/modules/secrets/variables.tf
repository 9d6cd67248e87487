variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "environment" {
  description = "dev or prod: the second part of each name."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "dev or prod."
  }
}

variable "properties" {
  description = "The properties of each secret's JSON, by the end of its name: post/settings."
  type        = map(list(string))

  validation {
    condition     = alltrue([for name, properties in var.properties : can(regex("^[a-z]+/[a-z]+$", name)) && length(properties) > 0])
    error_message = "<service>/<what>, each with at least one property."
  }
}

variable "protected" {
  description = "Kept for 30 days after a deletion instead of 7."
  type        = bool
}
