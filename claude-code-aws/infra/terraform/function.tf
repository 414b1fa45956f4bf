locals {
  timeout = 300
  tls_only = {
    for name, queue in { jobs = aws_sqs_queue.jobs, dead = aws_sqs_queue.dead } : name => {
      Effect                  = "Deny"
      Principal               = { AWS = "*" }
      Action                  = "sqs:*"
      Resource                = queue.arn
      Condition               = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
  page_origin = var.page ? ["https://main.${aws_amplify_app.page[0].default_domain}"] : []
}

resource "aws_sqs_queue" "dead" {
  name                      = "claude-code-jobs-dead"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 14 * 24 * 60 * 60
}

resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url
  policy    = jsonencode({ Version = "2012-10-17", Statement = [local.tls_only.dead] })
}

resource "aws_sqs_queue" "jobs" {
  name                    = "claude-code-jobs"
  sqs_managed_sse_enabled = true
  # Six times the function's own timeout, as Lambda advises.
  visibility_timeout_seconds = 6 * local.timeout
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead.arn, maxReceiveCount = 3 })
}

resource "aws_sqs_queue_policy" "jobs" {
  queue_url = aws_sqs_queue.jobs.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.tls_only.jobs,
      # A message says whose job is begun: nobody but the function may write one.
      {
        Sid       = "OnlyTheFunctionWrites"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.jobs.arn
        Condition = { ArnNotEquals = { "aws:PrincipalArn" = aws_iam_role.function.arn } }
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/claude-code"
  retention_in_days = 30
  skip_destroy      = true
}

resource "aws_lambda_function" "this" {
  function_name                  = "claude-code"
  description                    = "Code generation with Claude: the HTTP API and its jobs."
  role                           = aws_iam_role.function.arn
  runtime                        = local.is_rust ? "provided.al2023" : "python3.11"
  architectures                  = [local.is_rust ? "arm64" : "x86_64"]
  handler                        = local.is_rust ? "bootstrap" : "claude_code.aws_lambda.handler"
  s3_bucket                      = var.code_bucket
  s3_key                         = var.code_key
  memory_size                    = 512
  timeout                        = local.timeout
  reserved_concurrent_executions = var.reserved_concurrency == 0 ? -1 : var.reserved_concurrency
  # The first version, for the alias to begin with. deploy.sh publishes the others.
  publish = true

  environment {
    variables = merge(
      {
        CLAUDE_CODE_AWS_TABLE_NAME         = aws_dynamodb_table.results.name
        CLAUDE_CODE_AWS_BUCKET_NAME        = aws_s3_bucket.this["results"].bucket
        CLAUDE_CODE_AWS_STATE_TABLE        = local.state.name
        CLAUDE_CODE_AWS_SERVICE_TABLE      = local.services.name
        CLAUDE_CODE_AWS_SERVICE_BUCKET     = aws_s3_bucket.this["services"].bucket
        CLAUDE_CODE_AWS_JOBS_QUEUE_URL     = aws_sqs_queue.jobs.url
        CLAUDE_CODE_AWS_PROFILE_SCOPE      = var.profile_scope
        CLAUDE_CODE_AWS_MAX_USD_PER_DAY    = tostring(var.max_usd_per_day)
        CLAUDE_CODE_AWS_RESPONSE_STREAMING = local.is_rust ? "1" : "0"
        CLAUDE_CODE_AWS_PROVIDER           = var.anthropic_secret_arn == "" ? "bedrock" : "anthropic"
        CLAUDE_CODE_AWS_ALLOWED_ORIGINS    = join(",", concat([var.allowed_origins], local.page_origin))
      },
      var.anthropic_secret_arn == "" ? {} : { CLAUDE_CODE_AWS_ANTHROPIC_SECRET_ARN = var.anthropic_secret_arn },
    )
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.function.name
  }
  tracing_config {
    mode = "Active"
  }
  # The role's policy first: the first invocation may come as soon as the function is there.
  depends_on = [aws_iam_role_policy.function]
}

# The alias that callers reach. What deploy.sh shifts, no apply touches.
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    ignore_changes = [function_version, routing_config, description]
  }
}

resource "aws_lambda_event_source_mapping" "jobs" {
  event_source_arn        = aws_sqs_queue.jobs.arn
  function_name           = aws_lambda_alias.live.arn
  batch_size              = 1
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 5
  }
}
