mock_provider "aws" {}

variables {
  name = "chirrup-test"
}

run "immutable" {
  command = plan
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE"])
    error_message = "A tag must stay what it was."
  }
  assert {
    condition     = length(aws_ecr_repository.this) == 5
    error_message = "Each of the five services has a repository."
  }
}
