locals {
  alarms = jsondecode(file("${path.module}/../alarms.json"))
  # A single metric is watched as it is; several are watched by what they come to.
  single = { for name, alarm in local.alarms : name => values(alarm.metrics)[0] if length(alarm.metrics) == 1 }
}

resource "aws_sns_topic" "alarms" {
  name = "claude-code-alarms"
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AllowPublishThroughSSLOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "ServicesTell"
        Effect    = "Allow"
        Principal = { Service = ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"] }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
      # EventBridge names the rule and not the account.
      {
        Sid       = "RulesTell"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alarms.arn
        Condition = { ArnEquals = { "aws:SourceArn" = "${local.arn}:events:${local.here}:rule/claude-code-batch-ended" } }
      },
    ]
  })
}

resource "aws_sns_topic_subscription" "mail" {
  count     = var.alarm_email == "" ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "claude-code-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = "GreaterThanThreshold"
  evaluation_periods  = each.value.evaluationPeriods
  threshold           = replace(each.value.threshold, "$${maxUsdPerDay}", var.max_usd_per_day)
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  namespace          = try(local.single[each.key].namespace, null)
  metric_name        = try(local.single[each.key].name, null)
  dimensions         = try(local.single[each.key].dimensions, null)
  period             = contains(keys(local.single), each.key) ? each.value.period : null
  statistic          = try(startswith(local.single[each.key].stat, "p") ? null : local.single[each.key].stat, null)
  extended_statistic = try(startswith(local.single[each.key].stat, "p") ? local.single[each.key].stat : null, null)

  dynamic "metric_query" {
    for_each = contains(keys(local.single), each.key) ? {} : each.value.metrics
    content {
      id          = metric_query.key
      return_data = false
      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        period      = each.value.period
        stat        = metric_query.value.stat
      }
    }
  }
  dynamic "metric_query" {
    for_each = contains(keys(local.single), each.key) ? [] : [each.value.expression]
    content {
      id          = "watched"
      expression  = metric_query.value
      label       = metric_query.value
      return_data = true
    }
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "claude-code-${local.region}"
  dashboard_body = templatefile("${path.module}/../dashboard.json.tmpl", { region = local.region, maxUsdPerDay = var.max_usd_per_day })
}

resource "aws_budgets_budget" "this" {
  name         = "claude-code-${local.region}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }
    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.alarms.arn]
    }
  }
}

resource "aws_cloudwatch_event_rule" "batch_ended" {
  name        = "claude-code-batch-ended"
  description = "A batch inference job ended without all of its answers."
  event_pattern = jsonencode({
    source      = ["aws.bedrock"]
    detail-type = ["Batch Inference Job State Change"]
    detail      = { status = ["Failed", "PartiallyCompleted", "Expired"] }
  })
}

resource "aws_cloudwatch_event_target" "batch_ended" {
  rule      = aws_cloudwatch_event_rule.batch_ended.name
  target_id = "alarms"
  arn       = aws_sns_topic.alarms.arn
}
