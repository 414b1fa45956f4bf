"""Recording what a service answers, and playing it again: the same bytes, and nothing secret in the files."""

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import anthropic
import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, EventStreamError

from conftest import MODEL, REVERSE, Twin

ONCE = Config(retries={"total_max_attempts": 1})
ACCOUNT = "123456789012"
ARN = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.anthropic.claude-haiku-5-5"
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAABCDEFGHIJKLMNOP",
    "AWS_SECRET_ACCESS_KEY": "a-secret-that-signs",
    "AWS_SESSION_TOKEN": "a-token-of-the-session",
    "ANTHROPIC_API_KEY": "sk-ant-a-real-key-0123456789",
}
STEPS = [
    {"answer": {"text": "Grüße aus dem Modell\n"}},
    {"error": {"code": "ThrottlingException", "status": 429, "message": "slow"}, "faults": [{"header": {"name": "retry-after", "value": "7"}}]},
    {"answer": {"text": f"see arn:aws:iam::{ACCOUNT}:user/bob"}},
    {"answer": {"text": "in parts " * 20}},
    {"faults": [{"exception": {"at": 2, "code": "throttlingException", "message": "slow down"}}]},
    {"answer": {"text": "as Anthropic writes it"}},
    {"answer": {"text": "as Anthropic streams it " * 9}},
]


def client(twin):
    keys = {"aws_access_key_id": SECRETS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": SECRETS["AWS_SECRET_ACCESS_KEY"], "region_name": "us-east-1"}
    return boto3.client("bedrock-runtime", endpoint_url=twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], config=ONCE, **keys)


def ask(text, model=MODEL):
    return {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}]}


def told(call, events=None):
    """What boto3 makes of an answer, errors included."""
    try:
        answer = call()
    except ClientError as error:
        return error.response["Error"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    answer.pop("ResponseMetadata")
    if events is None:
        return answer
    heard = []
    try:
        heard.extend(answer[events])
    except EventStreamError as error:
        heard.append(str(error))
    return heard


def conversation(twin):
    """One call for each step of the script: what each of them gave."""
    bedrock = client(twin)
    messages = anthropic.Anthropic(base_url=twin.env["ANTHROPIC_BASE_URL"], api_key="sk-ant-the-clients-own-key", max_retries=0).messages
    api = {"model": "claude-haiku-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "one"}]}
    heard = [
        told(lambda: bedrock.converse(**ask("one"))),
        told(lambda: bedrock.converse(**ask("two"))),
        told(lambda: bedrock.converse(**ask("two", ARN))),
        told(lambda: bedrock.converse_stream(**ask("one")), "stream"),
        told(lambda: bedrock.converse_stream(**ask("two")), "stream"),
        messages.create(**api).to_dict(),
    ]
    with messages.stream(**api) as stream:
        heard.append(("".join(stream.text_stream), stream.get_final_message().to_dict()))
    return heard


@pytest.fixture
def recorded(tmp_path):
    """A directory of recorded exchanges, and what was heard while it was written."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"steps": STEPS}))
    far_keys = {name: SECRETS[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    # The far side checks every signature: what is passed on is signed anew, and well.
    far = Twin(tmp_path / "far", "--answers", str(script), "--verify-signatures", **far_keys)
    out = tmp_path / "out"
    upstream = far.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    near = Twin(tmp_path / "near", "--out", str(out), "--upstream", upstream, command="record", **SECRETS)
    yield out, conversation(near), near
    near.close()
    far.close()


def test_what_was_recorded_is_played_again(recorded, tmp_path):
    out, heard, near = recorded
    assert len(list(out.iterdir())) == len(STEPS)
    near.close()
    replay = Twin(tmp_path / "replay", "--answers", str(out))
    try:
        again = conversation(replay)
        assert again[2]["output"]["message"]["content"][0]["text"] == "see arn:aws:iam::000000000000:REMOVED"
        heard[2] = again[2]
        assert again == heard
        refused, status = told(lambda: client(replay).converse(**ask("never asked")))
        assert status == 400 and "recorded" in refused["Message"]
    finally:
        replay.close()


def test_the_bytes_of_an_answer_are_those_of_the_service(recorded, tmp_path):
    out, _, near = recorded
    path = f"/model/{MODEL}/converse-stream"
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": REVERSE}]}]})

    def raw(twin):
        connection = http.client.HTTPConnection(twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].removeprefix("http://"))
        request = AWSRequest("POST", twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] + path, {"content-type": "application/json"}, body)
        SigV4Auth(Credentials(SECRETS["AWS_ACCESS_KEY_ID"], SECRETS["AWS_SECRET_ACCESS_KEY"]), "bedrock", "us-east-1").add_auth(request)
        connection.request("POST", path, body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.getheader("content-type"), answer.read()

    first = raw(near)
    replay = Twin(tmp_path / "replay", "--answers", str(out))
    try:
        assert raw(replay) == first and len(first[2]) > 1000
    finally:
        replay.close()


def test_a_task_is_found_in_another_prompt(recorded, tmp_path):
    out, heard, near = recorded
    replay = Twin(tmp_path / "replay", "--answers", str(out))
    try:
        wrapped = ask("Answer well.\n<task>\none\n</task>\n", "us.anthropic.claude-haiku-5-5")
        assert told(lambda: client(replay).converse(**wrapped)) == heard[0]
        longer = ask("one")
        longer["messages"] += [{"role": "assistant", "content": [{"text": "a"}]}, *ask("one")["messages"]]
        assert told(lambda: client(replay).converse(**longer))[1] == 400, "another turn of it is another question"
        assert told(lambda: client(replay).converse(**ask("one", "us.anthropic.claude-sonnet-5-5")))[1] == 400, "another family"
    finally:
        replay.close()


def test_nothing_secret_is_in_the_files(recorded):
    out, _, near = recorded
    text = "\n".join(path.read_text() for path in out.iterdir())
    for secret in [*SECRETS.values(), ACCOUNT, "the-clients-own-key", "Signature", "authorization", "security-token", "bob"]:
        assert secret.lower() not in text.lower(), secret
    assert "000000000000:inference-profile" in text
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in out.iterdir())
    first = json.loads(sorted(out.iterdir())[0].read_text())
    assert first["request"]["body"]["messages"][0]["content"][0]["text"] == "one"


def test_bedrocks_own_headers_and_the_query_are_passed_on(tmp_path):
    seen = []

    class Far(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.path, dict(self.headers)))
            body = json.dumps({"content": []}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    far = HTTPServer(("127.0.0.1", 0), Far)
    threading.Thread(target=far.serve_forever, daemon=True).start()
    upstream = f"http://127.0.0.1:{far.server_port}"
    near = Twin(tmp_path / "near", "--out", str(tmp_path / "out"), "--upstream", upstream, command="record", **SECRETS)
    try:
        guardrail = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/abc"
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": []})
        client(near).invoke_model(
            modelId=MODEL, body=body, guardrailIdentifier=guardrail, guardrailVersion="1", trace="ENABLED", serviceTier="flex"
        )
        path, headers = seen[0]
        names = {name.lower(): value for name, value in headers.items() if name.lower().startswith("x-amzn-bedrock-")}
        assert names["x-amzn-bedrock-guardrailidentifier"] == guardrail
        assert names["x-amzn-bedrock-guardrailversion"] == "1"
        assert names["x-amzn-bedrock-trace"] == "ENABLED" and "flex" in names.values()
        messages = anthropic.Anthropic(base_url=near.env["ANTHROPIC_BASE_URL"], api_key="k", max_retries=0).messages
        messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}], extra_query={"beta": "true"})
        assert seen[1][0] == "/v1/messages?beta=true"
        written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
        assert "guardrailidentifier" in written.lower() and ACCOUNT not in written
    finally:
        near.close()
        far.shutdown()
        far.server_close()


def test_refused_credentials_are_not_recorded(tmp_path):
    far = Twin(tmp_path / "far", "--verify-signatures")
    upstream = far.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    near = Twin(tmp_path / "near", "--out", str(tmp_path / "out"), "--upstream", upstream, command="record", **SECRETS)
    try:
        assert told(lambda: client(near).converse(**ask(REVERSE)))[1] == 403
        assert not list((tmp_path / "out").iterdir())
    finally:
        near.close()
        far.close()


def test_a_service_that_is_not_there_is_unavailable(tmp_path):
    far = Twin(tmp_path / "far")
    upstream = far.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"]
    far.close()
    near = Twin(tmp_path / "near", "--out", str(tmp_path / "out"), "--upstream", upstream, command="record", **SECRETS)
    try:
        error, status = told(lambda: client(near).converse(**ask(REVERSE)))
        assert (error["Code"], status) == ("ServiceUnavailableException", 503)
    finally:
        near.close()


def test_a_request_without_the_twins_keys_spends_nothing(recorded):
    out, _, near = recorded
    before = len(list(out.iterdir()))
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": REVERSE}]}]})
    for path in (f"/model/{MODEL}/converse", "/v1/messages"):
        connection = http.client.HTTPConnection(near.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"].removeprefix("http://"))
        connection.request("POST", path, body, {"content-type": "text/plain"})
        answer = connection.getresponse()
        assert answer.status == 403 and b"twin record" in answer.read(), path
    assert len(list(out.iterdir())) == before
