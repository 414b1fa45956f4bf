"""`claude-code-aws iam` prints what the template's function has."""

import os
from pathlib import Path

import pytest

from canonical import policy
from conftest import ROOT, run
from evaluate import Template
from known import ACCOUNT, REGION

COMMAND = Path(os.environ.get("CLAUDE_CODE_AWS_COMMAND") or Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/claude-code-aws")
# What only a function needs: its queue, its log, its traces.
OF_THE_HOST = {"Jobs", "Log", "Trace"}


def iam(*arguments, scope="global", code=0):
    if not COMMAND.exists():
        (pytest.fail if os.environ.get("REQUIRE_TOOLS") else pytest.skip)(f"{COMMAND} is not built")
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "CLAUDE_CODE_AWS_PROFILE_SCOPE": scope}
    done = run(COMMAND, "iam", "--json", *arguments, env=variables)
    assert done.returncode == code, done.stdout + done.stderr
    return policy(done.stdout) if code == 0 else done.stdout + done.stderr


def deployed(template, scope):
    parameters = {"CodeBucket": "b", "CodeKey": "k", "ProfileScope": scope}
    for logical, _, properties in Template(template, parameters).evaluated():
        if logical == "FunctionPolicy":
            return policy(properties["PolicyDocument"])
    raise AssertionError("the template has no FunctionPolicy")


@pytest.mark.parametrize("scope", ["global", "us", "eu", "jp", "au", "in"])
def test_the_policy_is_the_deployed_functions(scope, template):
    expected = [one for one in deployed(template, scope)["Statement"] if one["Sid"] not in OF_THE_HOST]
    printed = iam("--account", ACCOUNT, "--region", REGION, scope=scope)
    assert printed == {"Version": "2012-10-17", "Statement": expected}


def test_models_and_buckets_are_those_that_were_named():
    printed = iam("--account", ACCOUNT, "--models", "haiku,us.anthropic.claude-opus-5", "--buckets", "results,services")
    by_sid = {one["Sid"]: one["Resource"] for one in printed["Statement"]}
    profiles = [arn.rsplit("/", 1)[1] for arn in by_sid["FindProfiles"]]
    assert profiles == ["global.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-haiku-5-5", "us.anthropic.claude-opus-5"]
    assert [arn.split(":")[3] for arn in by_sid["InvokeStreams"] if arn.endswith("opus-5") and "foundation" in arn] == ["us-east-1", "us-east-2", "us-west-2"]
    assert by_sid["ResultFiles"] == ["arn:aws:s3:::results/cache/*", "arn:aws:s3:::results/generated-code/*"]
    assert by_sid["ListServiceFiles"] == ["arn:aws:s3:::services"]


def test_an_account_that_nobody_named_is_to_be_filled_in():
    assert all(":ACCOUNT:" in arn for one in iam()["Statement"] if one["Sid"] == "FindProfiles" for arn in one["Resource"])


def test_a_scope_whose_regions_are_unknown_and_a_family_without_a_model_are_refused():
    assert "mythos" in iam("--models", "mythos", code=2)
    assert "profile scope apac" in iam("--models", "apac.anthropic.claude-opus-5", code=2)
