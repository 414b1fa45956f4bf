locals {
  # What anybody may fetch: the page and its parts, the health check, the description of the API.
  public  = toset(["app.js", "style.css", "health", "openapi.json"])
  root    = aws_api_gateway_rest_api.this.root_resource_id
  invoked = "${local.arn}:apigateway:${local.region}:lambda:path"
  signed  = { authorization = var.api_keys ? "NONE" : "AWS_IAM", api_key_required = var.api_keys }
  open    = { authorization = "NONE", api_key_required = false }
  methods = merge(
    { "GET /" = merge(local.open, { resource_id = local.root, http_method = "GET" }) },
    { for path in local.public : "GET /${path}" => merge(local.open, { resource_id = aws_api_gateway_resource.this[path].id, http_method = "GET" }) },
    {
      # Browsers ask what they may send without saying who they are.
      "OPTIONS /{proxy+}" = merge(local.open, { resource_id = aws_api_gateway_resource.this["{proxy+}"].id, http_method = "OPTIONS" })
      "ANY /{proxy+}"     = merge(local.signed, { resource_id = aws_api_gateway_resource.this["{proxy+}"].id, http_method = "ANY" })
    },
  )
}

resource "aws_api_gateway_rest_api" "this" {
  name               = "claude-code"
  description        = "Code generation with Claude."
  binary_media_types = ["*/*"]

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_resource" "this" {
  for_each    = setunion(local.public, ["{proxy+}"])
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = local.root
  path_part   = each.key
}

resource "aws_api_gateway_method" "this" {
  for_each         = local.methods
  rest_api_id      = aws_api_gateway_rest_api.this.id
  resource_id      = each.value.resource_id
  http_method      = each.value.http_method
  authorization    = each.value.authorization
  api_key_required = each.value.api_key_required
}

# The function in Rust streams for as long as it may run; Python answers in one piece within the gateway's 29 seconds.
resource "aws_api_gateway_integration" "this" {
  for_each                = local.methods
  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = each.value.resource_id
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  response_transfer_mode  = local.is_rust ? "STREAM" : "BUFFERED"
  timeout_milliseconds    = local.is_rust ? 300000 : 29000
  uri = (
    local.is_rust
    ? "${local.invoked}/2021-11-15/functions/${aws_lambda_alias.live.arn}/response-streaming-invocations"
    : "${local.invoked}/2015-03-31/functions/${aws_lambda_alias.live.arn}/invocations"
  )
}

# The gateway's own refusals, readable for pages of other origins: else a browser tells them nothing.
resource "aws_api_gateway_gateway_response" "this" {
  for_each            = toset(["DEFAULT_4XX", "DEFAULT_5XX"])
  rest_api_id         = aws_api_gateway_rest_api.this.id
  response_type       = each.key
  response_parameters = { "gatewayresponse.header.Access-Control-Allow-Origin" = "'*'" }
}

resource "aws_lambda_permission" "gateway" {
  function_name = aws_lambda_alias.live.arn
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${local.arn}:execute-api:${local.here}:${aws_api_gateway_rest_api.this.id}/*/*/*"
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "Code generation with Claude."
  triggers = {
    methods = sha256(jsonencode([aws_api_gateway_method.this, aws_api_gateway_integration.this, aws_api_gateway_gateway_response.this]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/claude-code"
  retention_in_days = 30
  skip_destroy      = true
}

# API Gateway writes access logs by one role for the account and region.
resource "aws_iam_role" "gateway_log" {
  count = var.gateway_logging == "create" ? 1 : 0
  name  = "claude-code-gateway-log-${local.region}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "apigateway.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy_attachment" "gateway_log" {
  count      = length(aws_iam_role.gateway_log)
  role       = aws_iam_role.gateway_log[0].name
  policy_arn = "${local.arn}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

resource "aws_api_gateway_account" "this" {
  count               = length(aws_iam_role.gateway_log)
  cloudwatch_role_arn = aws_iam_role.gateway_log[0].arn
  depends_on          = [aws_iam_role_policy_attachment.gateway_log]
}

resource "aws_api_gateway_stage" "prod" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = "prod"
  description          = "The only stage."
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId    = "$context.requestId"
      time         = "$context.requestTime"
      method       = "$context.httpMethod"
      path         = "$context.resourcePath"
      status       = "$context.status"
      bytes        = "$context.responseLength"
      milliseconds = "$context.responseLatency"
      caller       = "$context.identity.userArn"
      key          = "$context.identity.apiKeyId"
      error        = "$context.error.messageString"
    })
  }
  depends_on = [aws_api_gateway_account.this]
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.prod.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled = true
    # Execution logs may hold prompts.
    logging_level          = "OFF"
    data_trace_enabled     = false
    throttling_rate_limit  = 50
    throttling_burst_limit = 100
  }
}

resource "aws_api_gateway_usage_plan" "this" {
  name = "claude-code"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.prod.stage_name
  }
  throttle_settings {
    rate_limit  = 10
    burst_limit = 20
  }
  quota_settings {
    limit  = 10000
    period = "DAY"
  }
}

resource "aws_api_gateway_api_key" "this" {
  count   = var.api_keys ? 1 : 0
  name    = "claude-code"
  enabled = true
}

resource "aws_api_gateway_usage_plan_key" "this" {
  count         = length(aws_api_gateway_api_key.this)
  key_id        = aws_api_gateway_api_key.this[0].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this.id
}
