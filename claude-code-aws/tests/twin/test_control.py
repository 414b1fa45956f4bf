"""Bedrock's control plane, read by boto3: which models and profiles there are."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import MODEL, REVERSE

ONCE = Config(retries={"total_max_attempts": 1})
SONNET = "anthropic.claude-sonnet-5-5"


@pytest.fixture
def control(environment):
    return boto3.client("bedrock", config=ONCE)


def refused(call, **arguments):
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    error = refusal.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


def test_models_are_listed_with_their_lifecycle(control):
    models = {model["modelId"]: model for model in control.list_foundation_models()["modelSummaries"]}
    sonnet = models[SONNET]
    assert sonnet["modelArn"] == f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"
    assert (sonnet["modelName"], sonnet["providerName"]) == ("Claude Sonnet 5.5", "Anthropic")
    assert sonnet["responseStreamingSupported"] is True
    assert sonnet["inferenceTypesSupported"] == ["INFERENCE_PROFILE"]
    assert sonnet["modelLifecycle"]["status"] == "ACTIVE"
    assert sonnet["modelLifecycle"]["startOfLifeTime"].date().isoformat() == "2026-09-28"
    legacy = models["anthropic.claude-sonnet-4-5-20250929-v1:0"]["modelLifecycle"]
    assert (legacy["status"], legacy["endOfLifeTime"].date().isoformat()) == ("LEGACY", "2027-04-08")
    assert "anthropic.claude-3-5-sonnet-20241022-v2:0" not in models, "past its end of life"
    assert not any("mythos" in model for model in models), "open by invitation only"


def test_filters_keep_what_they_name(control):
    def count(**filters):
        return len(control.list_foundation_models(**filters)["modelSummaries"])

    everything = count()
    assert everything == count(byProvider="Anthropic") == count(byOutputModality="TEXT") > 10
    assert count(byProvider="amazon") == count(byOutputModality="IMAGE") == 0
    assert count(byInferenceType="ON_DEMAND") == count(byCustomizationType="FINE_TUNING") == 0
    assert refused(control.list_foundation_models, byOutputModality="SMELL") == ("ValidationException", 400)


def test_a_model_is_found_by_id_and_by_arn(control):
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"
    for identifier in [SONNET, arn]:
        details = control.get_foundation_model(modelIdentifier=identifier)["modelDetails"]
        assert (details["modelId"], details["modelLifecycle"]["status"]) == (SONNET, "ACTIVE")
    gone = "anthropic.claude-3-5-sonnet-20241022-v2:0"
    assert refused(control.get_foundation_model, modelIdentifier=gone) == ("ResourceNotFoundException", 404)
    assert refused(control.get_foundation_model, modelIdentifier="a b") == ("ValidationException", 400)


def test_availability_tells_what_is_by_invitation(control):
    opened = control.get_foundation_model_availability(modelId=SONNET)
    assert (opened["authorizationStatus"], opened["regionAvailability"]) == ("AUTHORIZED", "AVAILABLE")
    closed = control.get_foundation_model_availability(modelId="anthropic.claude-mythos-5-2")
    assert (closed["authorizationStatus"], closed["entitlementAvailability"]) == ("NOT_AUTHORIZED", "NOT_AVAILABLE")


def test_profiles_are_those_of_the_region(environment):
    def ids(region):
        profiles = boto3.client("bedrock", region_name=region, config=ONCE).list_inference_profiles()
        return {profile["inferenceProfileId"] for profile in profiles["inferenceProfileSummaries"]}

    assert {f"global.{SONNET}", f"us.{SONNET}"} <= ids("us-east-1")
    assert {f"global.{SONNET}", f"eu.{SONNET}"} <= ids("eu-central-1")
    assert f"us.{SONNET}" not in ids("eu-central-1") and f"eu.{SONNET}" not in ids("us-east-1")
    assert f"jp.{SONNET}" in ids("ap-northeast-1") and f"au.{SONNET}" in ids("ap-southeast-2")


def test_a_profile_names_its_destinations(control):
    arn = f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/us.{SONNET}"
    for identifier in [f"us.{SONNET}", arn]:
        profile = control.get_inference_profile(inferenceProfileIdentifier=identifier)
        assert (profile["inferenceProfileArn"], profile["type"], profile["status"]) == (arn, "SYSTEM_DEFINED", "ACTIVE")
        assert [model["modelArn"] for model in profile["models"]] == [
            f"arn:aws:bedrock:{region}::foundation-model/{SONNET}" for region in ["us-east-1", "us-east-2", "us-west-2"]
        ]
        assert profile["createdAt"].date().isoformat() == "2026-09-28"
    everywhere = control.get_inference_profile(inferenceProfileIdentifier=f"global.{SONNET}")
    assert f"arn:aws:bedrock:::foundation-model/{SONNET}" in [model["modelArn"] for model in everywhere["models"]]
    for missing in [f"eu.{SONNET}", SONNET, "us.anthropic.claude-3-5-sonnet-20241022-v2:0"]:
        answer = refused(control.get_inference_profile, inferenceProfileIdentifier=missing)
        assert answer == ("ResourceNotFoundException", 404), missing


def test_pages_give_every_profile_once(control):
    whole = control.list_inference_profiles()["inferenceProfileSummaries"]
    pages = control.get_paginator("list_inference_profiles").paginate(PaginationConfig={"PageSize": 7})
    sizes, paged = [], []
    for page in pages:
        sizes.append(len(page["inferenceProfileSummaries"]))
        paged += page["inferenceProfileSummaries"]
    assert paged == whole and len(sizes) > 2 and set(sizes[:-1]) == {7}
    assert refused(control.list_inference_profiles, nextToken="nonsense") == ("ValidationException", 400)


def test_an_application_profile_is_made_found_called_and_deleted(control):
    source = f"arn:aws:bedrock:us-east-1:000000000000:inference-profile/global.{SONNET}"
    wanted = {
        "inferenceProfileName": "team one",
        "description": "for the bill",
        "modelSource": {"copyFrom": source},
        "tags": [{"key": "team", "value": "one"}],
        "clientRequestToken": "once",
    }
    made = control.create_inference_profile(**wanted)
    arn = made["inferenceProfileArn"]
    assert made["status"] == "ACTIVE" and ":application-inference-profile/" in arn
    assert control.create_inference_profile(**wanted)["inferenceProfileArn"] == arn, "the same token"
    again = wanted | {"clientRequestToken": "twice"}
    assert refused(control.create_inference_profile, **again) == ("ConflictException", 400)

    for identifier in [arn, arn.rsplit("/", 1)[1]]:
        profile = control.get_inference_profile(inferenceProfileIdentifier=identifier)
        assert (profile["inferenceProfileName"], profile["type"]) == ("team one", "APPLICATION")
        assert profile["models"][0]["modelArn"].endswith(f"/{SONNET}")
    listed = control.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert [profile["inferenceProfileArn"] for profile in listed] == [arn]
    assert control.list_tags_for_resource(resourceARN=arn)["tags"] == [{"key": "team", "value": "one"}]

    runtime = boto3.client("bedrock-runtime", config=ONCE)
    ask = {"modelId": arn, "messages": [{"role": "user", "content": [{"text": REVERSE}]}]}
    assert runtime.converse(**ask)["stopReason"] == "end_turn"
    hot = ask | {"inferenceConfig": {"temperature": 0.2}}
    assert refused(runtime.converse, **hot) == ("ValidationException", 400), "the rules of the model behind it"

    control.delete_inference_profile(inferenceProfileIdentifier=arn)
    assert refused(control.get_inference_profile, inferenceProfileIdentifier=arn)[1] == 404
    assert refused(runtime.converse, **ask) == ("ValidationException", 400)
    answer = refused(control.delete_inference_profile, inferenceProfileIdentifier=f"us.{SONNET}")
    assert answer == ("ValidationException", 400)


def test_an_application_profile_is_copied_from_a_profile_only(control):
    for source in [f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}", f"us.{SONNET}", "arn:aws:bedrock:nowhere"]:
        wanted = {"inferenceProfileName": "other", "modelSource": {"copyFrom": source}}
        assert refused(control.create_inference_profile, **wanted) == ("ValidationException", 400), source


def test_the_data_retention_mode_opens_the_models_that_ask_for_one(scripted, environment):
    twin = scripted()
    url = twin.env["AWS_ENDPOINT_URL_BEDROCK"]
    control = boto3.client("bedrock", endpoint_url=url, config=ONCE)
    runtime = boto3.client("bedrock-runtime", endpoint_url=url, config=ONCE)
    fable = {
        "modelId": "global.anthropic.claude-fable-5-2",
        "messages": [{"role": "user", "content": [{"text": REVERSE}]}],
    }
    assert control.get_account_data_retention()["mode"] == "default"
    with pytest.raises(runtime.exceptions.ValidationException, match="data retention mode 'default' is not available"):
        runtime.converse(**fable)
    assert runtime.converse(**fable | {"modelId": MODEL})["stopReason"] == "end_turn"
    assert refused(control.put_account_data_retention, mode="for ever") == ("ValidationException", 400)
    assert control.put_account_data_retention(mode="aws_review")["updatedAt"]
    assert control.get_account_data_retention()["mode"] == "aws_review"
    assert runtime.converse(**fable)["stopReason"] == "end_turn"
