variable "name" {
  description = "Begins the names of everything, for example chirrup-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "3 to 31 lower-case letters, digits and hyphens."
  }
}

variable "services" {
  description = "The services that have an image."
  type        = list(string)
  default     = ["gateway", "user", "follow", "post", "feed"]
}

variable "kept_images" {
  description = "How many images of each are kept."
  type        = number
  default     = 100

  validation {
    condition     = var.kept_images >= 10
    error_message = "At least ten, or a rollback finds nothing."
  }
}
