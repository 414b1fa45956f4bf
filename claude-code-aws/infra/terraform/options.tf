# Spans go to a log group of X-Ray's, which must let X-Ray write.
resource "aws_cloudwatch_log_resource_policy" "transaction_search" {
  count       = var.transaction_search ? 1 : 0
  policy_name = "claude-code-transaction-search"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TransactionSearch"
      Effect    = "Allow"
      Principal = { Service = "xray.amazonaws.com" }
      Action    = "logs:PutLogEvents"
      Resource  = [for group in ["aws/spans", "/aws/application-signals/data"] : "${local.arn}:logs:${local.here}:log-group:${group}:*"]
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.arn}:xray:${local.here}:*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_xray_trace_segment_destination" "this" {
  count       = length(aws_cloudwatch_log_resource_policy.transaction_search)
  destination = "CloudWatchLogs"
  depends_on  = [aws_cloudwatch_log_resource_policy.transaction_search]
}

resource "aws_xray_indexing_rule" "this" {
  count = length(aws_xray_trace_segment_destination.this)
  name  = "Default"

  rule {
    probabilistic {
      desired_sampling_percentage = 1
    }
  }
}

# The setting itself is put by deploy.sh, for CloudFormation and Terraform alike: it is one for the account and region.
resource "aws_cloudwatch_log_group" "invocations" {
  count             = var.invocation_logging ? 1 : 0
  name              = "/aws/bedrock/claude-code-invocations"
  retention_in_days = 30
  skip_destroy      = true
}

resource "aws_iam_role" "invocation_log" {
  count = var.invocation_logging ? 1 : 0
  name  = "claude-code-invocation-log-${local.region}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "${local.arn}:bedrock:${local.here}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "invocation_log" {
  count = var.invocation_logging ? 1 : 0
  name  = "invocation-log"
  role  = aws_iam_role.invocation_log[0].name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${local.arn}:logs:${local.here}:log-group:/aws/bedrock/claude-code-invocations:*"
    }]
  })
}

resource "aws_amplify_app" "page" {
  count          = var.page ? 1 : 0
  name           = "claude-code"
  description    = "The service creator's page."
  platform       = "WEB"
  custom_headers = file("${path.module}/../page-headers.yml")
}

resource "aws_amplify_branch" "main" {
  count       = var.page ? 1 : 0
  app_id      = aws_amplify_app.page[0].id
  branch_name = "main"
  stage       = "PRODUCTION"
}
