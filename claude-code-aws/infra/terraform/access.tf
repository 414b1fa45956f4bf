locals {
  # The models that the tiers choose, and the regions that their profiles send to.
  scope    = jsondecode(file("${path.module}/../access.json")).scopes[var.profile_scope]
  profiles = { for model in local.scope.models : model => "${local.arn}:bedrock:${local.here}:inference-profile/${var.profile_scope}.${model}" }
  models = flatten([
    for model in local.scope.models : concat(
      [local.profiles[model]],
      [for region in local.scope.regions : "${local.arn}:bedrock:${replace(region, "$${region}", local.region)}::foundation-model/${model}"],
    )
  ])
  batch_jobs  = "${local.arn}:bedrock:${local.here}:model-invocation-job/*"
  batch_files = "${aws_s3_bucket.this["results"].arn}/batch/*"
  ours        = { StringEquals = { "aws:ResourceAccount" = local.account } }
  in_batch    = { StringLike = { "s3:prefix" = "batch/*" } }
}

resource "aws_iam_role" "function" {
  name = "claude-code-function-${local.region}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "function"
  role = aws_iam_role.function.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "InvokeStreams"
        Effect   = "Allow"
        Action   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CountTokens"]
        Resource = local.models
      },
      { Sid = "FindProfiles", Effect = "Allow", Action = "bedrock:GetInferenceProfile", Resource = values(local.profiles) },
      {
        Sid      = "Results"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
        Resource = aws_dynamodb_table.results.arn
      },
      { Sid = "ListResults", Effect = "Allow", Action = "dynamodb:Query", Resource = "${aws_dynamodb_table.results.arn}/index/language-index" },
      { Sid = "State", Effect = "Allow", Action = ["dynamodb:GetItem", "dynamodb:UpdateItem"], Resource = local.state.arn },
      {
        Sid      = "Services"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Query"]
        Resource = local.services.arn
      },
      {
        Sid      = "ResultFiles"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource = [for prefix in ["generated-code", "cache"] : "${aws_s3_bucket.this["results"].arn}/${prefix}/*"]
      },
      { Sid = "ListResultFiles", Effect = "Allow", Action = ["s3:ListBucket", "s3:ListBucketVersions"], Resource = aws_s3_bucket.this["results"].arn },
      {
        Sid      = "ServiceFiles"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"]
        Resource = "${aws_s3_bucket.this["services"].arn}/*"
      },
      {
        Sid      = "ListServiceFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:ListBucketVersions"]
        Resource = aws_s3_bucket.this["services"].arn
      },
      {
        Sid      = "Jobs"
        Effect   = "Allow"
        Action   = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
        Resource = "${local.arn}:sqs:${local.here}:claude-code-jobs"
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.arn}:logs:${local.here}:log-group:/aws/lambda/claude-code:*"
      },
      # X-Ray takes no resource for these.
      { Sid = "Trace", Effect = "Allow", Action = ["xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:PutSpans"], Resource = "*" },
    ]
  })
}

resource "aws_iam_role_policy" "secret" {
  count = var.anthropic_secret_arn == "" ? 0 : 1
  name  = "anthropic-secret"
  role  = aws_iam_role.function.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "ReadAnthropicKey", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.anthropic_secret_arn }]
  })
}

# What Bedrock takes on while it runs a batch.
resource "aws_iam_role" "batch" {
  name = "claude-code-batch-${local.region}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "bedrock.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnEquals    = { "aws:SourceArn" = local.batch_jobs }
      }
    }]
  })
}

resource "aws_iam_role_policy" "batch" {
  name = "batch"
  role = aws_iam_role.batch.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "InvokeModels", Effect = "Allow", Action = "bedrock:InvokeModel", Resource = local.models },
      { Sid = "BatchFiles", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = local.batch_files, Condition = local.ours },
      {
        Sid       = "ListBatchFiles"
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = aws_s3_bucket.this["results"].arn
        Condition = merge(local.in_batch, local.ours)
      },
    ]
  })
}

resource "aws_iam_policy" "batch_submitter" {
  name        = "claude-code-batch-submitter-${local.region}"
  description = "What a caller needs to submit, watch and stop batches on the batch role."
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "SubmitBatches", Effect = "Allow", Action = "bedrock:CreateModelInvocationJob", Resource = local.models },
      {
        Sid      = "Batches"
        Effect   = "Allow"
        Action   = ["bedrock:CreateModelInvocationJob", "bedrock:GetModelInvocationJob", "bedrock:StopModelInvocationJob"]
        Resource = local.batch_jobs
      },
      # Listing takes no resource.
      { Sid = "ListBatches", Effect = "Allow", Action = "bedrock:ListModelInvocationJobs", Resource = "*" },
      {
        Sid       = "PassBatchRole"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = aws_iam_role.batch.arn
        Condition = { StringEquals = { "iam:PassedToService" = "bedrock.amazonaws.com" } }
      },
      { Sid = "BatchFiles", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = local.batch_files },
      { Sid = "ListBatchFiles", Effect = "Allow", Action = "s3:ListBucket", Resource = aws_s3_bucket.this["results"].arn, Condition = local.in_batch },
    ]
  })
}
