"""Differences that are seeded into Terraform or CloudFormation, each to be found by the comparison; and mistakes for `terraform validate`."""

GONE = object()

# What the provider's schema refuses: name, file, text, its replacement, what Terraform says.
INVALID = [
    ("an unknown argument", "storage.tf", "billing_mode = ", "billing_mod = ", 'An argument named "billing_mod" is not expected here'),
    ("a missing argument", "function.tf", "  function_version = aws_lambda_function.this.version\n", "", '"function_version" is required'),
    ("a wrong type", "storage.tf", "enabled        = true", 'enabled        = "perhaps"', "a bool is required"),
    ("an unknown block", "storage.tf", "  ttl {", "  time_to_live {", "Unsupported block type"),
    ("an unknown resource type", "options.tf", '"aws_amplify_branch"', '"aws_amplify_branches"', "Invalid resource type"),
    ("an undeclared reference", "gateway.tf", "aws_cloudwatch_log_group.access.arn", "aws_cloudwatch_log_group.acces.arn", "Reference to undeclared resource"),
    ("an unknown attribute", "access.tf", "aws_iam_role.batch.arn", "aws_iam_role.batch.url", "Unsupported attribute"),
]

# Name, file, text, its replacement.
TERRAFORM = [
    ("a dropped DynamoDB action", "access.tf", '"dynamodb:PutItem", "dynamodb:DeleteItem"', '"dynamodb:PutItem"'),
    ("an action more", "access.tf", '"s3:GetObject", "s3:PutObject", "s3:DeleteObject",', '"s3:GetObject", "s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject",'),
    ("a wider resource", "access.tf", '/index/language-index"', '/index/*"'),
    ("no condition on PassRole", "access.tf", '        Condition = { StringEquals = { "iam:PassedToService" = "bedrock.amazonaws.com" } }\n', ""),
    ("another source for the batch role", "access.tf", 'ArnEquals    = { "aws:SourceArn" = local.batch_jobs }', 'ArnLike      = { "aws:SourceArn" = local.batch_jobs }'),
    ("a destination region missing", "access.tf", "for region in local.scope.regions", "for region in slice(local.scope.regions, 0, 1)"),
    ("another TTL attribute", "storage.tf", 'attribute_name = "expires_at"', 'attribute_name = "ttl"'),
    ("no TTL", "storage.tf", "    enabled        = true", "    enabled        = false"),
    ("no recovery", "storage.tf", "  point_in_time_recovery {\n    enabled = true", "  point_in_time_recovery {\n    enabled = false"),
    ("an attribute less in the index", "storage.tf", '"stop_reason", "expires_at"]', '"stop_reason"]'),
    ("another index", "storage.tf", '"language-index"', '"languages-index"'),
    ("results kept longer", "storage.tf", "days = 90", "days = 365"),
    ("uploads never cleaned up", "storage.tf", "    abort_incomplete_multipart_upload {\n      days_after_initiation = 1\n    }\n", ""),
    ("a public bucket", "storage.tf", "restrict_public_buckets = true", "restrict_public_buckets = false"),
    ("versions off", "storage.tf", 'status = "Enabled"', 'status = "Suspended"'),
    ("another encryption", "storage.tf", '"AES256"', '"aws:kms"'),
    ("old TLS", "storage.tf", '"s3:TlsVersion" = 1.2', '"s3:TlsVersion" = 1.1'),
    ("more memory", "function.tf", "= 512", "= 1024"),
    ("a setting less", "function.tf", "        CLAUDE_CODE_AWS_STATE_TABLE        = local.state.name\n", ""),
    ("a setting's other value", "function.tf", "CLAUDE_CODE_AWS_STATE_TABLE        = local.state.name", "CLAUDE_CODE_AWS_STATE_TABLE        = local.services.name"),
    ("no tracing", "function.tf", 'mode = "Active"', 'mode = "PassThrough"'),
    ("more tries", "function.tf", "maxReceiveCount = 3", "maxReceiveCount = 5"),
    ("everybody writes to the queue", "function.tf", 'Action    = "sqs:SendMessage"', 'Action    = "sqs:SetQueueAttributes"'),
    ("jobs in batches", "function.tf", "batch_size              = 1", "batch_size              = 10"),
    ("a buffered API", "gateway.tf", 'local.is_rust ? "STREAM"', 'local.is_rust ? "BUFFERED"'),
    ("an open API", "gateway.tf", "api_key_required = var.api_keys }", "api_key_required = false }"),
    ("another quota", "gateway.tf", "limit  = 10000", "limit  = 100000"),
    ("a longer kept log", "gateway.tf", "retention_in_days = 30", "retention_in_days = 90"),
    ("a path less", "gateway.tf", '"health", "openapi.json"', '"health"'),
    ("execution logs", "gateway.tf", '"OFF"', '"INFO"'),
    ("an alarm that tells nobody", "watching.tf", "  alarm_actions       = [aws_sns_topic.alarms.arn]\n", ""),
    ("another statistic", "watching.tf", 'startswith(local.single[each.key].stat, "p") ? null', 'startswith(local.single[each.key].stat, "S") ? null'),
    ("a higher budget alarm", "watching.tf", "ACTUAL = 80", "ACTUAL = 95"),
    ("batches that expire untold", "watching.tf", '"PartiallyCompleted", "Expired"', '"PartiallyCompleted"'),
    ("a fixed number on the dashboard", "watching.tf", "region = local.region, maxUsdPerDay = var.max_usd_per_day", "region = local.region, maxUsdPerDay = 5"),
    ("a tag that CloudFormation lacks", "watching.tf", '  name = "claude-code-alarms"\n', '  name = "claude-code-alarms"\n  tags = { team = "a" }\n'),
    ("all spans indexed", "options.tf", "desired_sampling_percentage = 1", "desired_sampling_percentage = 100"),
    ("another stage of the page", "options.tf", '"PRODUCTION"', '"BETA"'),
]
# What the reading of the plan refuses before anything is compared, because nothing in CloudFormation corresponds to it.
REFUSED = {"a tag that CloudFormation lacks": "nobody compares"}

# Name, path below Resources, value.
CLOUDFORMATION = [
    ("a table without billing mode", "StateTable.Properties.BillingMode", GONE),
    ("a key less", "ServicesTable.Properties.KeySchema.1", GONE),
    ("unencrypted", "ResultsTable.Properties.SSESpecification", GONE),
    ("a lifecycle rule less", "ResultsBucket.Properties.LifecycleConfiguration.Rules.2", GONE),
    ("cache kept longer", "ResultsBucket.Properties.LifecycleConfiguration.Rules.2.ExpirationInDays", 7),
    ("TLS not asked for", "ServicesBucketPolicy.Properties.PolicyDocument.Statement.0", GONE),
    ("a longer visibility", "Jobs.Properties.VisibilityTimeout", 60),
    ("no dead letters", "Jobs.Properties.RedrivePolicy", GONE),
    ("the queue without encryption", "Jobs.Properties.SqsManagedSseEnabled", False),
    ("another timeout", "Function.Properties.Timeout", 30),
    ("no concurrency limit", "Function.Properties.ReservedConcurrentExecutions", GONE),
    ("another handler", "Function.Properties.Handler", "main"),
    ("a statement less", "FunctionPolicy.Properties.PolicyDocument.Statement.3", GONE),
    ("anybody's batches", "BatchRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition", GONE),
    ("the key readable to the batch role", "SecretPolicy.Properties.Roles.0", {"Ref": "BatchRole"}),
    ("a managed policy more", "FunctionRole.Properties.ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ("another stage", "ApiDeploymentStageprod.Properties.TracingEnabled", False),
    ("an open method", "ApiproxyANY.Properties.AuthorizationType", "NONE"),
    ("a method less", "ApihealthGET", GONE),
    ("a wider permission", "LiveGateway.Properties.SourceArn", GONE),
    ("a missing alarm", "AlarmThrottles", GONE),
    ("a looser alarm", "AlarmErrorRate.Properties.Threshold", 50),
    ("silence that alarms", "AlarmDeadLetters.Properties.TreatMissingData", "breaching"),
    ("a topic for everybody", "AlarmsPolicy.Properties.PolicyDocument.Statement.1.Condition", GONE),
    ("no budget notification", "Budget.Properties.NotificationsWithSubscribers.1", GONE),
    ("a log that is kept for ever", "FunctionLog.Properties.RetentionInDays", GONE),
]


def put(node, path, value):
    """Sets, or with GONE removes, what a dotted path names."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        node = node[part]
    if value is GONE:
        node.pop(last) if isinstance(node, list) else node.pop(last, None)
    else:
        node[last] = value
