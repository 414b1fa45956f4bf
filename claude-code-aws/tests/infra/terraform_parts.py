"""What Terraform has in several resources and CloudFormation in one: buckets, methods, roles, and what is added to others."""


def bucket(kind, values, parts):
    name = values.take("bucket")
    if kind == "aws_s3_bucket_policy":
        parts.of("S3::BucketPolicy", name).update(Bucket=name, PolicyDocument=values.take("policy"))
        return
    properties = parts.of("S3::Bucket", name)
    properties["BucketName"] = name
    if kind == "aws_s3_bucket":
        values.drop("force_destroy")
    elif kind == "aws_s3_bucket_versioning":
        properties["VersioningConfiguration"] = values.block("versioning_configuration").renamed(Status="status")
    elif kind == "aws_s3_bucket_server_side_encryption_configuration":
        default = values.block("rule").block("apply_server_side_encryption_by_default").renamed(SSEAlgorithm="sse_algorithm")
        properties["BucketEncryption"] = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": default}]}
    elif kind == "aws_s3_bucket_public_access_block":
        properties["PublicAccessBlockConfiguration"] = values.renamed(
            BlockPublicAcls="block_public_acls",
            BlockPublicPolicy="block_public_policy",
            IgnorePublicAcls="ignore_public_acls",
            RestrictPublicBuckets="restrict_public_buckets",
        )
    elif kind == "aws_s3_bucket_ownership_controls":
        properties["OwnershipControls"] = {"Rules": [values.block("rule").renamed(ObjectOwnership="object_ownership")]}
    elif kind == "aws_s3_bucket_lifecycle_configuration":
        properties["LifecycleConfiguration"] = {"Rules": [lifecycle(rule) for rule in values.blocks("rule")]}


def lifecycle(rule):
    properties = {"Id": rule.take("id"), "Status": rule.take("status")}
    for filters in rule.blocks("filter"):
        properties |= filters.renamed(Prefix="prefix")
    for expiry in rule.blocks("expiration"):
        properties |= expiry.renamed(ExpirationInDays="days", ExpiredObjectDeleteMarker="expired_object_delete_marker")
    for old in rule.blocks("noncurrent_version_expiration"):
        properties["NoncurrentVersionExpiration"] = old.renamed(NoncurrentDays="noncurrent_days")
    for upload in rule.blocks("abort_incomplete_multipart_upload"):
        properties["AbortIncompleteMultipartUpload"] = upload.renamed(DaysAfterInitiation="days_after_initiation")
    rule.end()
    return properties


def method(kind, values, parts):
    key = (values.take("resource_id"), values.take("http_method"))
    properties = parts.of("ApiGateway::Method", key)
    properties |= {"ResourceId": key[0], "HttpMethod": key[1]}
    properties["RestApiId"] = values.take("rest_api_id")
    if kind == "aws_api_gateway_method":
        properties["AuthorizationType"] = values.take("authorization")
        required = values.take("api_key_required")
        # CloudFormation's default, which only the method that may need a key writes out.
        if required or key[1] == "ANY":
            properties["ApiKeyRequired"] = required
        return
    properties["Integration"] = values.renamed(
        Type="type",
        IntegrationHttpMethod="integration_http_method",
        ResponseTransferMode="response_transfer_mode",
        TimeoutInMillis="timeout_milliseconds",
        Uri="uri",
    )


def role(kind, values, parts):
    if kind == "aws_iam_role":
        properties = parts.of("IAM::Role", values.left["name"])
        properties |= values.renamed(RoleName="name", AssumeRolePolicyDocument="assume_role_policy")
    else:
        properties = parts.of("IAM::Role", values.take("role"))
        properties.setdefault("ManagedPolicyArns", []).append(values.take("policy_arn"))


def target(kind, values, parts):
    rule = values.take("rule")
    parts.more["Events::Rule", rule] = {"Targets": [values.renamed(Id="target_id", Arn="arn")]}


def method_settings(kind, values, parts):
    assert values.take("method_path") == "*/*"
    values.drop("rest_api_id")
    settings = values.block("settings").renamed(
        MetricsEnabled="metrics_enabled",
        LoggingLevel="logging_level",
        DataTraceEnabled="data_trace_enabled",
        ThrottlingRateLimit="throttling_rate_limit",
        ThrottlingBurstLimit="throttling_burst_limit",
    )
    settings |= {"HttpMethod": "*", "ResourcePath": "/*"}
    parts.more["ApiGateway::Stage", values.take("stage_name")] = {"MethodSettings": [settings]}


def search(kind, values, parts):
    properties = parts.of("XRay::TransactionSearchConfig", "")
    if kind == "aws_xray_trace_segment_destination":
        # CloudFormation's resource is this and the rule below in one.
        assert values.take("destination") == "CloudWatchLogs"
    else:
        assert values.take("name") == "Default"
        properties |= values.block("rule").block("probabilistic").renamed(IndexingPercentage="desired_sampling_percentage")


PARTS = {
    "aws_api_gateway_integration": method,
    "aws_api_gateway_method": method,
    "aws_api_gateway_method_settings": method_settings,
    "aws_cloudwatch_event_target": target,
    "aws_iam_role": role,
    "aws_iam_role_policy_attachment": role,
    "aws_xray_indexing_rule": search,
    "aws_xray_trace_segment_destination": search,
}
