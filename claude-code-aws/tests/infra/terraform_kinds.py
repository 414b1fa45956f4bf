"""Terraform's resources one by one, as CloudFormation names their types and properties."""

import json


def table(values):
    keys = [("hash_key", "HASH"), ("range_key", "RANGE")]

    def schema(source):
        return [{"AttributeName": source.take(name), "KeyType": kind} for name, kind in keys if name in source]

    properties = {
        "TableName": values.take("name"),
        "BillingMode": values.take("billing_mode"),
        "KeySchema": schema(values),
        "AttributeDefinitions": [one.renamed(AttributeName="name", AttributeType="type") for one in values.blocks("attribute")],
    }
    for ttl in values.blocks("ttl"):
        properties["TimeToLiveSpecification"] = ttl.renamed(AttributeName="attribute_name", Enabled="enabled")
    for recovery in values.blocks("point_in_time_recovery"):
        properties["PointInTimeRecoverySpecification"] = recovery.renamed(PointInTimeRecoveryEnabled="enabled")
    for encryption in values.blocks("server_side_encryption"):
        properties["SSESpecification"] = encryption.renamed(SSEEnabled="enabled")
    indexes = []
    for index in values.blocks("global_secondary_index"):
        entry = {"IndexName": index.take("name"), "KeySchema": schema(index)}
        entry["Projection"] = index.renamed(ProjectionType="projection_type", NonKeyAttributes="non_key_attributes")
        indexes.append(entry)
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes
    yield "DynamoDB::Table", properties


def queue(values):
    properties = {"RedrivePolicy": json.loads(values.take("redrive_policy"))} if "redrive_policy" in values else {}
    values.drop("url")
    yield "SQS::Queue", properties | values.renamed(
        QueueName="name",
        SqsManagedSseEnabled="sqs_managed_sse_enabled",
        VisibilityTimeout="visibility_timeout_seconds",
        MessageRetentionPeriod="message_retention_seconds",
    )


def queue_policy(values):
    yield "SQS::QueuePolicy", {"Queues": [values.take("queue_url")], "PolicyDocument": values.take("policy")}


def function(values):
    name = values.take("function_name")
    assert values.take("publish") is True, "the alias needs a first version"
    properties = {
        "FunctionName": name,
        "Code": {"S3Bucket": values.take("s3_bucket"), "S3Key": values.take("s3_key")},
        "Environment": {"Variables": values.block("environment").take("variables")},
        "TracingConfig": values.block("tracing_config").renamed(Mode="mode"),
    }
    log = values.block("logging_config")
    # Terraform needs the format, CloudFormation has it as a default.
    assert log.take("log_format") == "Text"
    properties["LoggingConfig"] = log.renamed(LogGroup="log_group")
    # -1 is Terraform's word for no reservation.
    if (reserved := values.take("reserved_concurrent_executions")) != -1:
        properties["ReservedConcurrentExecutions"] = reserved
    values.drop("version")
    properties |= values.renamed(
        Description="description",
        Role="role",
        Runtime="runtime",
        Architectures="architectures",
        Handler="handler",
        MemorySize="memory_size",
        Timeout="timeout",
    )
    yield "Lambda::Function", properties
    yield "Lambda::Version", {"FunctionName": name}


def alias(values):
    yield "Lambda::Alias", values.renamed(Name="name", FunctionName="function_name", FunctionVersion="function_version")


def mapping(values):
    scaling = values.block("scaling_config").renamed(MaximumConcurrency="maximum_concurrency")
    yield "Lambda::EventSourceMapping", {"ScalingConfig": scaling} | values.renamed(
        EventSourceArn="event_source_arn",
        FunctionName="function_name",
        BatchSize="batch_size",
        FunctionResponseTypes="function_response_types",
    )


def permission(values):
    yield "Lambda::Permission", values.renamed(
        FunctionName="function_name", Action="action", Principal="principal", SourceArn="source_arn"
    )


def inline_policy(values):
    yield "IAM::Policy", {"Roles": [values.take("role")]} | values.renamed(PolicyName="name", PolicyDocument="policy")


def managed_policy(values):
    yield "IAM::ManagedPolicy", {"Path": "/"} | values.renamed(
        ManagedPolicyName="name", Description="description", PolicyDocument="policy"
    )


def log_group(values):
    # What CloudFormation says beside the properties: DeletionPolicy.
    assert values.take("skip_destroy") is True
    yield "Logs::LogGroup", values.renamed(LogGroupName="name", RetentionInDays="retention_in_days")


def api(values):
    endpoint = values.block("endpoint_configuration").renamed(Types="types")
    values.drop("root_resource_id")
    yield "ApiGateway::RestApi", {"EndpointConfiguration": endpoint} | values.renamed(
        Name="name", Description="description", BinaryMediaTypes="binary_media_types"
    )


def resource(values):
    yield "ApiGateway::Resource", values.renamed(RestApiId="rest_api_id", ParentId="parent_id", PathPart="path_part")


def gateway_response(values):
    yield "ApiGateway::GatewayResponse", values.renamed(
        RestApiId="rest_api_id", ResponseType="response_type", ResponseParameters="response_parameters"
    )


def deployment(values):
    # When it deploys anew: CloudFormation has a hash in the logical id for that.
    assert set(values.take("triggers")) == {"methods"}
    yield "ApiGateway::Deployment", values.renamed(RestApiId="rest_api_id", Description="description")


def account(values):
    yield "ApiGateway::Account", values.renamed(CloudWatchRoleArn="cloudwatch_role_arn")


def stage(values):
    log = values.block("access_log_settings").renamed(DestinationArn="destination_arn", Format="format")
    values.drop("invoke_url")
    yield "ApiGateway::Stage", {"AccessLogSetting": log} | values.renamed(
        RestApiId="rest_api_id",
        DeploymentId="deployment_id",
        StageName="stage_name",
        Description="description",
        TracingEnabled="xray_tracing_enabled",
    )


def usage_plan(values):
    stages = [one.renamed(ApiId="api_id", Stage="stage") for one in values.blocks("api_stages")]
    yield "ApiGateway::UsagePlan", {
        "UsagePlanName": values.take("name"),
        "ApiStages": stages,
        "Throttle": values.block("throttle_settings").renamed(RateLimit="rate_limit", BurstLimit="burst_limit"),
        "Quota": values.block("quota_settings").renamed(Limit="limit", Period="period"),
    }


def api_key(values):
    yield "ApiGateway::ApiKey", values.renamed(Name="name", Enabled="enabled")


def usage_plan_key(values):
    yield "ApiGateway::UsagePlanKey", values.renamed(KeyId="key_id", KeyType="key_type", UsagePlanId="usage_plan_id")


def topic(values):
    yield "SNS::Topic", values.renamed(TopicName="name")


def topic_policy(values):
    yield "SNS::TopicPolicy", {"Topics": [values.take("arn")], "PolicyDocument": values.take("policy")}


def subscription(values):
    yield "SNS::Subscription", values.renamed(TopicArn="topic_arn", Protocol="protocol", Endpoint="endpoint")


def dimensions(of):
    if "dimensions" not in of:
        return {}
    return {"Dimensions": [{"Name": name, "Value": value} for name, value in of.take("dimensions").items()]}


def alarm(values):
    properties = dimensions(values)
    queries = values.blocks("metric_query")
    if queries:
        properties["Metrics"] = [query(one) for one in queries]
    yield "CloudWatch::Alarm", properties | values.renamed(
        AlarmName="alarm_name",
        AlarmDescription="alarm_description",
        ComparisonOperator="comparison_operator",
        EvaluationPeriods="evaluation_periods",
        Threshold="threshold",
        TreatMissingData="treat_missing_data",
        AlarmActions="alarm_actions",
        OKActions="ok_actions",
        Namespace="namespace",
        MetricName="metric_name",
        Period="period",
        Statistic="statistic",
        ExtendedStatistic="extended_statistic",
    )


def query(values):
    properties = {}
    for metric in values.blocks("metric"):
        described = dimensions(metric)
        properties["MetricStat"] = {"Period": metric.take("period"), "Stat": metric.take("stat")}
        properties["MetricStat"]["Metric"] = described | metric.renamed(Namespace="namespace", MetricName="metric_name")
    return properties | values.renamed(Id="id", Expression="expression", Label="label", ReturnData="return_data")


def dashboard(values):
    yield "CloudWatch::Dashboard", values.renamed(DashboardName="dashboard_name", DashboardBody="dashboard_body")


def budget(values):
    limit = {"Amount": float(values.take("limit_amount")), "Unit": values.take("limit_unit")}
    notifications = [
        {
            "Subscribers": [{"SubscriptionType": "SNS", "Address": arn} for arn in one.take("subscriber_sns_topic_arns")],
            "Notification": one.renamed(
                NotificationType="notification_type",
                ComparisonOperator="comparison_operator",
                Threshold="threshold",
                ThresholdType="threshold_type",
            ),
        }
        for one in values.blocks("notification")
    ]
    inner = {"BudgetLimit": limit} | values.renamed(BudgetName="name", BudgetType="budget_type", TimeUnit="time_unit")
    yield "Budgets::Budget", {"Budget": inner, "NotificationsWithSubscribers": notifications}


def rule(values):
    pattern = json.loads(values.take("event_pattern"))
    values.drop("force_destroy")
    yield "Events::Rule", {"EventPattern": pattern, "State": "ENABLED"} | values.renamed(Name="name", Description="description")


def resource_policy(values):
    yield "Logs::ResourcePolicy", values.renamed(PolicyName="policy_name", PolicyDocument="policy_document")


def amplify_app(values):
    values.drop("default_domain")
    yield "Amplify::App", values.renamed(Name="name", Description="description", Platform="platform", CustomHeaders="custom_headers")


def amplify_branch(values):
    yield "Amplify::Branch", values.renamed(AppId="app_id", BranchName="branch_name", Stage="stage")


KINDS = {
    "aws_amplify_app": amplify_app,
    "aws_amplify_branch": amplify_branch,
    "aws_api_gateway_account": account,
    "aws_api_gateway_api_key": api_key,
    "aws_api_gateway_deployment": deployment,
    "aws_api_gateway_gateway_response": gateway_response,
    "aws_api_gateway_resource": resource,
    "aws_api_gateway_rest_api": api,
    "aws_api_gateway_stage": stage,
    "aws_api_gateway_usage_plan": usage_plan,
    "aws_api_gateway_usage_plan_key": usage_plan_key,
    "aws_budgets_budget": budget,
    "aws_cloudwatch_dashboard": dashboard,
    "aws_cloudwatch_event_rule": rule,
    "aws_cloudwatch_log_group": log_group,
    "aws_cloudwatch_log_resource_policy": resource_policy,
    "aws_cloudwatch_metric_alarm": alarm,
    "aws_dynamodb_table": table,
    "aws_iam_policy": managed_policy,
    "aws_iam_role_policy": inline_policy,
    "aws_lambda_alias": alias,
    "aws_lambda_event_source_mapping": mapping,
    "aws_lambda_function": function,
    "aws_lambda_permission": permission,
    "aws_sns_topic": topic,
    "aws_sns_topic_policy": topic_policy,
    "aws_sns_topic_subscription": subscription,
    "aws_sqs_queue": queue,
    "aws_sqs_queue_policy": queue_policy,
}
