"""Moto takes the template and creates what it can; what it made is read back. The rest is asserted on the template."""

import io
import json
import zipfile

import pytest

from conftest import INFRA
from known import ACCOUNT
from mock import mocked, reduced

BUCKET = f"claude-code-workshop-{ACCOUNT}"
PARAMETERS = {"CodeBucket": "artifacts", "CodeKey": "code.zip", "InvocationLogging": "on"}
# What has no equal in moto, or is beyond what it reads from a template.
NOT_IN_MOTO = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::Resource",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::Alias",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


@pytest.fixture(scope="module")
def account(template):
    """An account in which the stack was created."""
    with mocked() as mock:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("bootstrap", "#!/bin/sh\n")
        s3 = mock.client("s3")
        s3.create_bucket(Bucket="artifacts")
        s3.put_object(Bucket="artifacts", Key="code.zip", Body=code.getvalue())
        cloudformation = mock.client("cloudformation")
        cloudformation.create_stack(
            StackName="claude-code",
            TemplateBody=json.dumps(reduced(template, PARAMETERS)),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
        )
        (stack,) = cloudformation.describe_stacks(StackName="claude-code")["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        yield mock


def test_only_what_moto_lacks_is_left_out(template):
    made = reduced(template, PARAMETERS)["Resources"]
    left_out = {entry["Type"] for name, entry in template["Resources"].items() if name not in made and "Condition" not in entry}
    assert left_out <= NOT_IN_MOTO | {"AWS::Lambda::Version"}
    print(f"moto creates {len(made)} of {len(template['Resources'])} resources")
    assert len(made) >= 20


def test_tables_are_there_with_keys_index_and_billing_by_request(account):
    dynamodb = account.client("dynamodb")
    tables = {name: dynamodb.describe_table(TableName=name)["Table"] for name in dynamodb.list_tables()["TableNames"]}
    assert set(tables) == {"claude-code-results", "claude-code-state", "CloudServiceCreator"}
    keys = {name: [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] for name, table in tables.items()}
    assert keys["claude-code-results"] == [("id", "HASH")]
    assert keys["claude-code-state"] == keys["CloudServiceCreator"] == [("pk", "HASH"), ("sk", "RANGE")]
    (index,) = tables["claude-code-results"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "language-index"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["language", "generated_at"]
    assert all(table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" for table in tables.values())


def test_a_row_that_the_code_writes_is_found_over_the_index(account):
    dynamodb = account.client("dynamodb")
    row = {"id": {"S": "1"}, "language": {"S": "rust"}, "generated_at": {"S": "2026-11-30T12:00:00.000Z"}, "model": {"S": "m"}}
    dynamodb.put_item(TableName="claude-code-results", Item=row)
    found = dynamodb.query(
        TableName="claude-code-results",
        IndexName="language-index",
        KeyConditionExpression="#l = :l",
        ExpressionAttributeNames={"#l": "language"},
        ExpressionAttributeValues={":l": {"S": "rust"}},
    )["Items"]
    assert [item["id"]["S"] for item in found] == ["1"]


def test_buckets_are_there_and_encrypted(account):
    s3 = account.client("s3")
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    assert {BUCKET, "cloudservicecreator-code"} <= names
    for name in (BUCKET, "cloudservicecreator-code"):
        (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_jobs_that_fail_three_times_go_to_the_dead_letters(account):
    sqs = account.client("sqs")
    urls = {url.rsplit("/", 1)[1]: url for url in sqs.list_queues()["QueueUrls"]}
    assert set(urls) == {"claude-code-jobs", "claude-code-jobs-dead"}
    jobs = sqs.get_queue_attributes(QueueUrl=urls["claude-code-jobs"], AttributeNames=["All"])["Attributes"]
    redrive = json.loads(jobs["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(":claude-code-jobs-dead") and int(redrive["maxReceiveCount"]) == 3
    assert jobs["VisibilityTimeout"] == "1800"


def test_the_function_has_its_settings_role_and_log(account):
    function = account.client("lambda").get_function_configuration(FunctionName="claude-code")
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert (function["MemorySize"], function["Timeout"]) == (512, 300)
    settings = function["Environment"]["Variables"]
    assert settings["CLAUDE_CODE_AWS_TABLE_NAME"] == "claude-code-results"
    assert settings["CLAUDE_CODE_AWS_BUCKET_NAME"] == BUCKET
    assert settings["CLAUDE_CODE_AWS_JOBS_QUEUE_URL"].endswith("/claude-code-jobs")
    iam = account.client("iam")
    name = function["Role"].rsplit("/", 1)[1]
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["function"]
    groups = {group["logGroupName"]: group.get("retentionInDays") for group in account.client("logs").describe_log_groups()["logGroups"]}
    assert groups["/aws/lambda/claude-code"] == groups["/aws/apigateway/claude-code"] == 30


def test_the_batch_role_is_for_this_accounts_batches_only(account):
    role = account.client("iam").get_role(RoleName="claude-code-batch-us-east-1")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_dashboard_topic_and_rule_are_there(account):
    cloudwatch = account.client("cloudwatch")
    body = json.loads(cloudwatch.get_dashboard(DashboardName="claude-code-us-east-1")["DashboardBody"])
    assert len(body["widgets"]) == len(json.loads((INFRA / "dashboard.json.tmpl").read_text().replace("${maxUsdPerDay}", "0"))["widgets"])
    assert [topic["TopicArn"].rsplit(":", 1)[1] for topic in account.client("sns").list_topics()["Topics"]] == ["claude-code-alarms"]
    rule = account.client("events").describe_rule(Name="claude-code-batch-ended")
    assert json.loads(rule["EventPattern"])["detail"]["status"] == ["Failed", "PartiallyCompleted", "Expired"]


def test_what_moto_passes_over_stands_in_the_template(template):
    """Versions, expiry, recovery, encryption of tables, privacy, lifecycle, architecture and tracing: created by moto without a word, and not kept."""
    resources = template["Resources"]
    for name in ("ResultsTable", "StateTable", "ServicesTable"):
        properties = resources[name]["Properties"]
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert properties["SSESpecification"] == {"SSEEnabled": True}
        assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    for name in ("ResultsBucket", "ServicesBucket"):
        properties = resources[name]["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert all(properties["PublicAccessBlockConfiguration"].values()) and len(properties["PublicAccessBlockConfiguration"]) == 4
    rules = {rule["Id"]: rule for rule in resources["ResultsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert rules["versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert (rules["results"]["ExpirationInDays"], rules["cache"]["ExpirationInDays"]) == (90, 1)
    assert resources["Function"]["Properties"]["TracingConfig"] == {"Mode": "Active"}
    assert resources["Function"]["Properties"]["Architectures"] == [{"Fn::If": ["IsRust", "arm64", "x86_64"]}]
