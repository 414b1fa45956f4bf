terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "name" {
  type        = string
  description = "The name of everything"
  validation {
    condition     = length(var.name) > 2
    error_message = "The name is too short."
  }
}

variable "tags" {
  type    = map(string)
  default = {}
}

locals {
  prefix = lower(replace(var.name, "_", "-"))
  zones  = ["a", "b", "c"]
  tags   = merge(var.tags, { Name = local.prefix })
}

resource "aws_s3_bucket" "files" {
  bucket        = "${local.prefix}-files"
  force_destroy = false
  tags          = local.tags
}

resource "aws_s3_bucket_versioning" "files" {
  bucket = aws_s3_bucket.files.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_dynamodb_table" "orders" {
  for_each     = toset(local.zones)
  name         = format("%s-orders-%s", local.prefix, each.key)
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  attribute {
    name = "pk"
    type = "S"
  }
  tags = { for key, value in local.tags : key => upper(value) if value != "" }
}

output "bucket" {
  value     = aws_s3_bucket.files.arn
  sensitive = false
}

output "tables" {
  value = [for table in aws_dynamodb_table.orders : table.arn]
}
