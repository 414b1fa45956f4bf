# Without an account: terraform test
mock_provider "aws" {
  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "123456789012" }
  }
  override_data {
    target = data.aws_partition.current
    values = { partition = "aws" }
  }
  override_data {
    target = data.aws_region.current
    values = { region = "us-east-1" }
  }
}

variables {
  code_bucket = "artifacts"
  code_key    = "code.zip"
}

run "names" {
  command = plan

  assert {
    condition     = aws_dynamodb_table.results.name == "claude-code-results"
    error_message = "the results table has another name"
  }
  assert {
    condition     = aws_s3_bucket.this["results"].bucket == "claude-code-workshop-123456789012"
    error_message = "the results bucket has another name"
  }
  assert {
    condition     = aws_lambda_alias.live.name == "live"
    error_message = "the alias has another name"
  }
}

run "rust_streams_on_arm64" {
  command = plan

  assert {
    condition     = aws_lambda_function.this.architectures[0] == "arm64" && aws_lambda_function.this.runtime == "provided.al2023"
    error_message = "the function in Rust runs on arm64 with a runtime of its own"
  }
  assert {
    condition     = alltrue([for one in aws_api_gateway_integration.this : one.response_transfer_mode == "STREAM"])
    error_message = "answers are not streamed"
  }
}

run "python_answers_in_one_piece" {
  command = plan

  variables {
    runtime = "python3.11"
  }
  assert {
    condition     = aws_lambda_function.this.architectures[0] == "x86_64"
    error_message = "the function in Python runs on x86_64"
  }
  assert {
    condition     = alltrue([for one in aws_api_gateway_integration.this : one.response_transfer_mode == "BUFFERED"])
    error_message = "Python cannot stream"
  }
}

run "an_unknown_runtime_is_refused" {
  command = plan

  variables {
    runtime = "node"
  }
  expect_failures = [var.runtime]
}
