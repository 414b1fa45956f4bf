"""The AWS CLI, where there is one that runs: the `aws` on the path, or the one that AWS_CLI names."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import MODEL, REVERSE

AWS = os.environ.get("AWS_CLI") or shutil.which("aws")


def runs():
    """Whether it is more than a name: a version manager leaves a shim of a program that is not there."""
    try:
        return bool(AWS) and subprocess.run([AWS, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.fixture(scope="module")
def aws(twin):
    if not runs():
        pytest.skip(f"no AWS CLI that runs ({AWS or 'none on the path'}); AWS_CLI can name one")
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | twin.env

    def call(*words):
        done = subprocess.run([AWS, *words], capture_output=True, text=True, timeout=60, env=environment)
        return done.returncode, done.stdout, done.stderr

    return call


def test_converse_answers_and_refuses(aws):
    ask = json.dumps([{"role": "user", "content": [{"text": REVERSE}]}])
    code, out, err = aws("bedrock-runtime", "converse", "--model-id", MODEL, "--messages", ask)
    assert code == 0, err
    answer = json.loads(out)
    assert answer["stopReason"] == "end_turn" and answer["usage"]["outputTokens"] > 0
    assert "def reverse_string" in answer["output"]["message"]["content"][0]["text"]
    code, _, err = aws("bedrock-runtime", "converse", "--model-id", "anthropic.claude-haiku-5-5", "--messages", ask)
    assert code != 0 and "ValidationException" in err and "on-demand throughput" in err


def test_models_and_profiles_are_listed(aws):
    code, out, err = aws("bedrock", "list-inference-profiles")
    assert code == 0, err
    profiles = [profile["inferenceProfileId"] for profile in json.loads(out)["inferenceProfileSummaries"]]
    assert MODEL in profiles
    code, out, err = aws("bedrock", "get-foundation-model", "--model-identifier", "anthropic.claude-haiku-5-5")
    assert code == 0 and json.loads(out)["modelDetails"]["modelLifecycle"]["status"] == "ACTIVE", err


def test_files_go_to_a_bucket_and_come_back(aws, tmp_path):
    source, target = tmp_path / "source.py", tmp_path / "target.py"
    source.write_text("print(1)\n")
    assert aws("s3", "mb", "s3://from-the-cli")[0] == 0
    code, _, err = aws("s3", "cp", str(source), "s3://from-the-cli/a/b.py")
    assert code == 0, err
    assert "a/b.py" in aws("s3", "ls", "s3://from-the-cli", "--recursive")[1]
    assert aws("s3", "cp", "s3://from-the-cli/a/b.py", str(target))[0] == 0
    assert target.read_text() == "print(1)\n"


def test_rows_are_put_and_read(aws):
    table = ["--table-name", "claude-code-results"]
    code, _, err = aws("dynamodb", "put-item", *table, "--item", json.dumps({"id": {"S": "from the cli"}}))
    assert code == 0, err
    key = ["--key", json.dumps({"id": {"S": "from the cli"}})]
    code, out, _ = aws("dynamodb", "get-item", *table, *key)
    assert code == 0 and json.loads(out)["Item"]["id"]["S"] == "from the cli"
    assert aws("dynamodb", "delete-item", *table, *key)[0] == 0
    assert aws("dynamodb", "get-item", *table, *key)[1] == ""
    assert aws("sts", "get-caller-identity")[1].count("000000000000")
