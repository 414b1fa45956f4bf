"""boto3, unchanged, with nothing but the variables that `twin up` prints."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from conftest import MODEL, REVERSE

ONCE = Config(retries={"total_max_attempts": 1})
ARN = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-5-5"


@pytest.fixture
def bedrock(environment):
    return boto3.client("bedrock-runtime", config=ONCE)


def ask(text=REVERSE):
    return [{"role": "user", "content": [{"text": text}]}]


def anthropic_body(**more):
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": REVERSE}],
    }
    return json.dumps(body | more)


@pytest.mark.parametrize("model", [MODEL, "us.anthropic.claude-haiku-4-5-20251001-v1:0", ARN])
def test_converse_answers_for_every_shape_of_an_id(bedrock, model):
    answer = bedrock.converse(modelId=model, messages=ask(), inferenceConfig={"maxTokens": 2000})
    assert answer["stopReason"] == "end_turn"
    assert answer["output"]["message"]["role"] == "assistant"
    assert "def reverse_string" in answer["output"]["message"]["content"][0]["text"]
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0
    assert answer["metrics"]["latencyMs"] >= 0
    assert answer["ResponseMetadata"]["RequestId"]


def test_converse_stream_gives_the_same_text_with_stop_and_usage(bedrock):
    whole = bedrock.converse(modelId=MODEL, messages=ask())
    events = list(bedrock.converse_stream(modelId=MODEL, messages=ask())["stream"])
    text = "".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e)
    assert text == whole["output"]["message"]["content"][0]["text"]
    kinds = [next(iter(event)) for event in events]
    assert kinds[0] == "messageStart" and kinds[-2:] == ["messageStop", "metadata"]
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"] == whole["usage"]


def test_max_tokens_cuts_the_answer(bedrock):
    answer = bedrock.converse(modelId=MODEL, messages=ask(), inferenceConfig={"maxTokens": 5})
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"]["outputTokens"] == 5


def test_invoke_model_speaks_anthropics_format(bedrock):
    answer = bedrock.invoke_model(modelId=MODEL, body=anthropic_body())
    message = json.loads(answer["body"].read())
    assert (message["type"], message["role"], message["stop_reason"]) == ("message", "assistant", "end_turn")
    assert "def reverse_string" in message["content"][0]["text"]
    assert message["usage"]["output_tokens"] > 0


def test_invoke_model_with_response_stream_ends_with_its_metrics(bedrock):
    answer = bedrock.invoke_model_with_response_stream(modelId=MODEL, body=anthropic_body())
    events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    kinds = [event["type"] for event in events]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"
    text = "".join(e["delta"]["text"] for e in events if e["type"] == "content_block_delta")
    assert "def reverse_string" in text
    assert events[-1]["amazon-bedrock-invocationMetrics"]["outputTokenCount"] > 0


def test_count_tokens_counts_both_forms(bedrock):
    base = "anthropic.claude-haiku-4-5-20251001-v1:0"
    one = bedrock.count_tokens(modelId=base, input={"converse": {"messages": ask()}})
    body = anthropic_body().encode()
    two = bedrock.count_tokens(modelId=base, input={"invokeModel": {"body": body}})
    assert one["inputTokens"] == two["inputTokens"] > 0
    with pytest.raises(bedrock.exceptions.ValidationException, match="support counting tokens"):
        bedrock.count_tokens(modelId="anthropic.claude-sonnet-5-5", input={"converse": {"messages": ask()}})


def test_errors_come_as_the_exceptions_that_bedrock_documents(bedrock):
    with pytest.raises(bedrock.exceptions.ValidationException) as unknown:
        bedrock.converse(modelId=MODEL, messages=ask("no such sample"))
    assert "no sample answer" in str(unknown.value)
    with pytest.raises(bedrock.exceptions.ValidationException):
        bedrock.converse(
            modelId="global.anthropic.claude-sonnet-5-5",
            messages=ask(),
            inferenceConfig={"temperature": 0.7},
        )
    with pytest.raises(bedrock.exceptions.ResourceNotFoundException):
        bedrock.converse(modelId="anthropic.claude-3-5-sonnet-20241022-v2:0", messages=ask())


def test_a_profile_of_another_geography_is_unknown_in_a_region(environment):
    def converse(region, model):
        return boto3.client("bedrock-runtime", region_name=region, config=ONCE).converse(modelId=model, messages=ask())

    haiku = "anthropic.claude-haiku-5-5"
    for region, scopes, others in [("us-east-1", ["us", "global"], ["eu", "jp"]), ("eu-west-1", ["eu", "global"], ["us"])]:
        for scope in scopes:
            assert converse(region, f"{scope}.{haiku}")["stopReason"] == "end_turn"
        for scope in others:
            with pytest.raises(ClientError, match="The provided model identifier is invalid.") as refused:
                converse(region, f"{scope}.{haiku}")
            assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_scripted_faults_reach_boto3(scripted, environment):
    twin = scripted(
        {"error": {"code": "ThrottlingException", "status": 429, "message": "slow down"}},
        {"faults": [{"exception": {"at": 2, "code": "throttlingException", "message": "slow down"}}]},
        {"answer": {"text": "no", "stop_reason": "refusal"}},
    )
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=MODEL, messages=ask())
    with pytest.raises(EventStreamError, match="slow down"):
        list(client.converse_stream(modelId=MODEL, messages=ask())["stream"])
    assert client.converse(modelId=MODEL, messages=ask())["stopReason"] == "refusal"


EXCEPTIONS = {
    "throttlingException": ("ThrottlingException", 429),
    "serviceUnavailableException": ("ServiceUnavailableException", 503),
    "internalServerException": ("InternalServerException", 500),
    "modelStreamErrorException": ("ModelErrorException", 424),
    "validationException": ("ValidationException", 400),
}


def test_an_exception_within_a_stream_is_the_error_of_a_call_without_one(scripted, environment):
    faults = [{"faults": [{"exception": {"at": 2, "code": name, "message": "scripted"}}]} for name in EXCEPTIONS]
    twin = scripted(*faults, *faults)
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    calls = [
        lambda: client.converse(modelId=MODEL, messages=ask()),
        lambda: client.invoke_model(modelId=MODEL, body=anthropic_body()),
    ]
    for call in calls:
        for code, status in EXCEPTIONS.values():
            with pytest.raises(ClientError, match="scripted") as refused:
                call()
            answer = refused.value.response
            assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_the_quota_reserves_max_tokens(scripted, environment):
    twin = scripted(args=("--quota-tpm", "2500"))
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    client.converse(modelId=MODEL, messages=ask(), inferenceConfig={"maxTokens": 2000})
    with pytest.raises(client.exceptions.ThrottlingException):
        client.converse(modelId=MODEL, messages=ask(), inferenceConfig={"maxTokens": 2000})


def test_the_quota_holds_while_an_answer_is_under_way(scripted, environment):
    step = {"answer": {"text": "slow"}, "faults": [{"latency_ms": 1500}]}
    twin = scripted(step, step, args=("--quota-tpm", "2500"))
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)

    def call(_):
        try:
            return client.converse(modelId=MODEL, messages=ask(), inferenceConfig={"maxTokens": 2000})["stopReason"]
        except client.exceptions.ThrottlingException as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(2) as pool:
        assert sorted(map(str, pool.map(call, range(2)))) == ["429", "end_turn"]


def test_signatures_are_checked_where_that_is_asked(scripted, environment):
    twin = scripted(args=("--verify-signatures",))
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    client = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    for model in [MODEL, ARN, "us.anthropic.claude-haiku-4-5-20251001-v1:0"]:
        client.converse(modelId=model, messages=ask())
    wrong = boto3.client(
        "bedrock-runtime", endpoint_url=url, aws_secret_access_key="wrong", config=ONCE,
        aws_access_key_id=twin.env["AWS_ACCESS_KEY_ID"],
    )
    with pytest.raises(ClientError, match="InvalidSignatureException"):
        wrong.converse(modelId=MODEL, messages=ask())
    unknown = boto3.client(
        "bedrock-runtime", endpoint_url=url, aws_access_key_id="AKIAUNKNOWN", aws_secret_access_key="x", config=ONCE
    )
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        unknown.converse(modelId=MODEL, messages=ask())
    unsigned = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE.merge(Config(signature_version=UNSIGNED)))
    with pytest.raises(ClientError, match="MissingAuthenticationTokenException"):
        unsigned.converse(modelId=MODEL, messages=ask())


def test_s3_puts_gets_lists_and_presigns(environment):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="boto")
    s3.put_object(Bucket="boto", Key="a/ä b.py", Body=b"print(1)\n", Metadata={"id": "7"})
    got = s3.get_object(Bucket="boto", Key="a/ä b.py")
    assert (got["Body"].read(), got["Metadata"]["id"]) == (b"print(1)\n", "7")
    assert [o["Key"] for o in s3.list_objects_v2(Bucket="boto")["Contents"]] == ["a/ä b.py"]
    assert "boto" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    for version in ["s3v4", "s3"]:
        signer = boto3.client("s3", config=Config(signature_version=version))
        params = {"Bucket": "boto", "Key": "a/ä b.py"}
        url = signer.generate_presigned_url("get_object", Params=params, ExpiresIn=60)
        assert urllib.request.urlopen(url).read() == b"print(1)\n"
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="boto", Key="missing")
    s3.delete_object(Bucket="boto", Key="a/ä b.py")


def test_s3_takes_large_files_in_parts(environment, tmp_path):
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="large")
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(range(256)) * 80_000)
    s3.upload_file(str(source), "large", "big.bin")
    assert s3.head_object(Bucket="large", Key="big.bin")["ContentLength"] == 20_480_000
    s3.download_file("large", "big.bin", str(target))
    assert source.read_bytes() == target.read_bytes()


def test_dynamodb_puts_queries_and_holds_conditions(environment):
    table = boto3.resource("dynamodb").Table("CloudServiceCreator")
    for n in range(3):
        table.put_item(Item={"pk": "SERVICE#1", "sk": f"CODE#{n}", "n": n})
    key = boto3.dynamodb.conditions.Key
    found = table.query(KeyConditionExpression=key("pk").eq("SERVICE#1") & key("sk").begins_with("CODE#"))
    assert [int(item["n"]) for item in found["Items"]] == [0, 1, 2]
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        table.put_item(
            Item={"pk": "SERVICE#1", "sk": "CODE#0"}, ConditionExpression="attribute_not_exists(pk)"
        )
    assert "claude-code-results" in boto3.client("dynamodb").list_tables()["TableNames"]


def test_sts_names_the_twins_account(environment):
    sts = boto3.client("sts", config=ONCE)
    assert sts.get_caller_identity()["Account"] == "000000000000"
    with pytest.raises(ClientError, match="GetSessionToken") as refused:
        sts.get_session_token()
    assert refused.value.response["Error"]["Code"] == "InvalidAction"
