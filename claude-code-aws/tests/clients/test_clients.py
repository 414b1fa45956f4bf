"""Clients that nobody here wrote, unchanged, against a twin whose exports are all that they are told."""

import json

import pytest

from conftest import MODEL, REVERSE

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ROME = {"answer": {"tool_use": {"input": {"city": "Rome"}}}}
ASK = [{"role": "user", "content": [{"text": REVERSE}]}]


def forced(name="place"):
    spec = {"name": name, "description": "a place", "inputSchema": {"json": CITY}}
    return {"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": name}}}


def test_boto3_converses_streams_and_finds_the_account(twin):
    import boto3

    runtime = boto3.client("bedrock-runtime")
    answer = runtime.converse(modelId=MODEL, messages=ASK)
    assert "def " in answer["output"]["message"]["content"][0]["text"]
    events = list(runtime.converse_stream(modelId=MODEL, messages=ASK)["stream"])
    assert "messageStop" in events[-2]
    assert boto3.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_boto3_assumes_a_role_and_goes_on_with_its_keys(twin):
    import boto3

    sts = boto3.client("sts")
    role = sts.assume_role(RoleArn="arn:aws:iam::000000000000:role/dev", RoleSessionName="ada")
    keys = role["Credentials"]
    assert role["AssumedRoleUser"]["Arn"].endswith("assumed-role/dev/ada")
    runtime = boto3.client(
        "bedrock-runtime",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    assert runtime.converse(modelId=MODEL, messages=ASK)["stopReason"] == "end_turn"


def test_boto3_gets_a_scripted_tool_call_and_an_error_where_there_is_none(scripted):
    import boto3
    from botocore.exceptions import ClientError

    scripted(ROME, ROME)
    runtime = boto3.client("bedrock-runtime")
    answer = runtime.converse(modelId=MODEL, messages=ASK, toolConfig=forced())
    call = answer["output"]["message"]["content"][0]["toolUse"]
    assert (call["name"], call["input"], answer["stopReason"]) == ("place", {"city": "Rome"}, "tool_use")
    events = list(runtime.converse_stream(modelId=MODEL, messages=ASK, toolConfig=forced())["stream"])
    written = [e["contentBlockDelta"]["delta"]["toolUse"]["input"] for e in events if "contentBlockDelta" in e]
    assert json.loads("".join(written)) == {"city": "Rome"}
    with pytest.raises(ClientError, match="calls none"):
        runtime.converse(modelId=MODEL, messages=ASK, toolConfig=forced())


def test_boto3_is_told_which_calls_are_not_there(twin):
    import boto3
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="NotImplemented"):
        boto3.client("s3").get_bucket_website(Bucket="bucket")
    with pytest.raises(ClientError, match="has no operation ListBackups"):
        boto3.client("dynamodb").list_backups()


def test_anthropic_lists_models_asks_and_gets_errors_in_its_own_words(twin):
    import anthropic

    client = anthropic.Anthropic(max_retries=0)
    models = [model.id for model in client.models.list()]
    assert "claude-haiku-5-5" in models
    assert client.models.retrieve("claude-haiku-5-5").display_name
    with pytest.raises(anthropic.NotFoundError) as missing:
        client.models.retrieve("claude-none")
    assert missing.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.NotFoundError):
        client.get("/v1/nothing", cast_to=object)
    messages = [{"role": "user", "content": REVERSE}]
    assert client.messages.create(model=models[0], max_tokens=2000, messages=messages).stop_reason


def test_anthropic_gets_a_scripted_tool_call_with_and_without_a_stream(scripted):
    import anthropic

    scripted(ROME, ROME)
    client = anthropic.Anthropic(max_retries=0)
    ask = {
        "model": "claude-haiku-4-5-20251001",
        "max_tokens": 99,
        "messages": [{"role": "user", "content": REVERSE}],
        "tools": [{"name": "place", "input_schema": CITY}],
        "tool_choice": {"type": "tool", "name": "place"},
    }
    assert client.messages.create(**ask).content[0].input == {"city": "Rome"}
    with client.messages.stream(**ask) as stream:
        final = stream.get_final_message()
    assert (final.stop_reason, final.content[0].input) == ("tool_use", {"city": "Rome"})


def test_anthropic_bedrock_asks_the_twin_by_its_exports_alone(twin):
    import anthropic

    messages = [{"role": "user", "content": REVERSE}]
    answer = anthropic.AnthropicBedrock(max_retries=0).messages.create(model=MODEL, max_tokens=2000, messages=messages)
    assert "def " in answer.content[0].text


def test_anthropic_bedrock_mantle_asks_the_twin_by_its_exports_alone(twin):
    import anthropic

    client = anthropic.AnthropicBedrockMantle(max_retries=0)
    messages = [{"role": "user", "content": REVERSE}]
    model = "anthropic.claude-haiku-4-5-20251001-v1:0"
    answer = client.messages.create(model=model, max_tokens=2000, messages=messages)
    assert "def " in answer.content[0].text


@pytest.mark.parametrize("model", [f"bedrock/{MODEL}", f"bedrock/converse/{MODEL}", "anthropic/claude-haiku-4-5-20251001"])
def test_litellm_completes(twin, model):
    import litellm

    answer = litellm.completion(model=model, messages=[{"role": "user", "content": REVERSE}], max_tokens=2000)
    assert "def " in answer.choices[0].message.content


def test_langchain_aws_asks_and_gets_structured_output_from_a_script(scripted):
    from langchain_aws import ChatBedrockConverse
    from pydantic import BaseModel

    class Place(BaseModel):
        """A place."""

        city: str

    scripted({"answer": {"text": "fine"}}, ROME)
    chat = ChatBedrockConverse(model=MODEL, provider="anthropic")
    assert chat.invoke("hello").content == "fine"
    assert chat.with_structured_output(Place, method="function_calling").invoke("where?") == Place(city="Rome")


def test_pydantic_ai_gets_structured_output_from_a_script(scripted):
    from pydantic import BaseModel
    from pydantic_ai import Agent
    from pydantic_ai.models.bedrock import BedrockConverseModel

    class Place(BaseModel):
        city: str

    scripted(ROME)
    agent = Agent(BedrockConverseModel(MODEL), output_type=Place)
    assert agent.run_sync("where?").output == Place(city="Rome")
