"""deploy.sh, rehearsed on a mock: a canary that goes well, and every way in which it does not."""

import http.server
import io
import json
import os
import re
import signal
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import pytest

from conftest import INFRA, need, offline, run
from cli_server import loaded_cli
from known import REGION
from mock import mocked, reduced

DEPLOY = INFRA / "deploy.sh"
ARTIFACTS = f"claude-code-artifacts-123456789012-{REGION}"
GOOD = json.dumps({"statusCode": 200, "body": '{"status":"ok","accepted":true}'})
BAD = json.dumps({"statusCode": 500, "body": '{"title":"broken"}'})
STREAMED = json.dumps({"statusCode": 200, "headers": {}}) + "\0" * 8 + '{"status":"ok","accepted":true}'
KEY = "sk-ant-api03-canary"


def archive(text):
    """A function's zip."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as file:
        file.writestr("bootstrap", text)
    return code.getvalue()


class Endpoint:
    """The public address of the API, whose health the test decides."""

    def __init__(self):
        endpoint = self
        self.healthy = True

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if endpoint.healthy else 503)
                self.end_headers()
                self.wfile.write(b'{"status":"ok"}' if endpoint.healthy else b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


class Account:
    """An account with the stack in it: version 1 answers."""

    def __init__(self, mock, template, place, commands):
        self.mock, self.commands = mock, commands
        self.arguments = Path(commands["PATH"].split(":")[0]) / "arguments"
        self.functions, self.cloudwatch = mock.client("lambda"), mock.client("cloudwatch")
        self.cloudformation = mock.client("cloudformation")
        self.endpoint = Endpoint()
        self.scripted = False
        small = reduced(template, {"CodeBucket": "b", "CodeKey": "k"})
        small["Outputs"]["Endpoint"] = {"Value": self.endpoint.url}
        self.template = place / "template.json"
        self.template.write_text(json.dumps(small))

    def create(self):
        mock = self.mock
        mock.client("s3").create_bucket(Bucket=ARTIFACTS)
        mock.client("s3").put_object(Bucket=ARTIFACTS, Key="first.zip", Body=archive("1"))
        parameters = {"CodeBucket": ARTIFACTS, "CodeKey": "first.zip"}
        self.cloudformation.create_stack(
            StackName="claude-code",
            TemplateBody=self.template.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        )
        self.first_version()
        for name in ("claude-code-function-errors", "claude-code-gateway-errors"):
            self.cloudwatch.put_metric_alarm(
                AlarmName=name, Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60, EvaluationPeriods=1,
                Threshold=0, ComparisonOperator="GreaterThanThreshold",
            )
        return self

    def first_version(self):
        """What moto does not create from the template."""
        self.functions.publish_version(FunctionName="claude-code")
        self.functions.create_alias(FunctionName="claude-code", Name="live", FunctionVersion="1")

    def code(self, text):
        """New code, not published yet."""
        self.functions.update_function_code(FunctionName="claude-code", ZipFile=archive(text))

    def answers(self, *results):
        """What invocations answer, in this order; the last one for all that follow."""
        self.scripted = True
        results = [*results, *[results[-1]] * 200]
        self.mock.post("/moto-api/static/lambda-simple/response", {"results": results, "region": REGION})

    def alias(self):
        found = self.functions.get_alias(FunctionName="claude-code", Name="live")
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def told(self):
        return self.functions.get_alias(FunctionName="claude-code", Name="live").get("Description")

    def start(self, *arguments, **environment):
        if not self.scripted:
            self.answers(GOOD)
        variables = self.mock.environment() | self.commands | {"CLAUDE_CODE_TEMPLATE": str(self.template), "CLAUDE_CODE_DEPLOY_POLL_SECONDS": "0"}
        return subprocess.Popen(
            ["bash", DEPLOY, *arguments], env=variables | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True, start_new_session=True,
        )

    def deploy(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        output, _ = process.communicate(timeout=240)
        return process.returncode, output

    def in_canary(self, process):
        """Waits until a part of the traffic goes to the new version."""
        for _ in range(600):
            if self.alias()[1]:
                return
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.05)
        raise AssertionError("no canary began")


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """A PATH on which `aws` is the AWS CLI, loaded once."""
    need("aws")
    with loaded_cli(tmp_path_factory.mktemp("bin")) as directory:
        yield {"PATH": f"{directory}:{os.environ['PATH']}"}


@pytest.fixture
def account(template, tmp_path, commands):
    with mocked() as mock:
        yield Account(mock, template, tmp_path, commands).create()


def test_a_deployment_updates_the_stack_shifts_ten_percent_and_then_everything(account, tmp_path):
    (tmp_path / "second.zip").write_bytes(archive("2"))
    shares, process = [], account.start("--zip", str(tmp_path / "second.zip"), "--canary-seconds", "2", "--set", "MaxUsdPerDay=3", ANTHROPIC_API_KEY=KEY)
    account.in_canary(process)
    shares.append(account.alias())
    output, _ = process.communicate(timeout=240)
    arguments = account.arguments.read_text()
    assert process.returncode == 0, output
    assert shares == [("1", {"2": 0.1})]
    assert account.alias() == ("2", {}) and account.told() == "version 2, before it 1"
    assert f"endpoint: {account.endpoint.url}" in output
    settings = account.functions.get_function_configuration(FunctionName="claude-code")["Environment"]["Variables"]
    assert str(settings["CLAUDE_CODE_AWS_MAX_USD_PER_DAY"]) == "3"
    kept_where_it_belongs(account, output, arguments)


def kept_where_it_belongs(account, output, arguments):
    """The key is in Secrets Manager and in no argument, output, setting, template or object."""
    secret = account.mock.client("secretsmanager").get_secret_value(SecretId="claude-code/anthropic-api-key")
    assert secret["SecretString"] == KEY
    stack = account.cloudformation.describe_stacks(StackName="claude-code")["Stacks"][0]
    assert secret["ARN"] in json.dumps(stack["Parameters"])
    function = account.functions.get_function(FunctionName="claude-code")
    objects = account.mock.client("s3").list_objects_v2(Bucket=ARTIFACTS)["Contents"]
    bodies = [account.mock.client("s3").get_object(Bucket=ARTIFACTS, Key=entry["Key"])["Body"].read().decode("latin-1") for entry in objects]
    assert "put-secret-value" in arguments
    for text in [output, arguments, json.dumps(stack, default=str), json.dumps(function, default=str), *bodies]:
        assert KEY not in text


def test_the_same_code_again_changes_nothing(account):
    account.code("2")
    assert account.deploy("shift", "--canary-seconds", "0")[0] == 0
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 0 and "version 2 answers already" in output, output
    assert account.alias() == ("2", {})


def test_a_streamed_answer_passes_the_smoke_test(account):
    account.code("2")
    account.answers(STREAMED)
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 0 and account.alias() == ("2", {}), output


def test_an_alarm_takes_the_canary_back(account):
    account.code("2")
    process = account.start("shift", "--canary-seconds", "60")
    account.in_canary(process)
    account.cloudwatch.set_alarm_state(AlarmName="claude-code-function-errors", StateValue="ALARM", StateReason="rehearsal")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert account.alias() == ("1", {}), output
    assert "claude-code-function-errors: version 2 is taken back" in output and "version 1 answers all requests again" in output


def test_a_failed_smoke_test_shifts_nothing(account):
    account.code("2")
    account.answers(GOOD, BAD)
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 1 and account.alias() == ("1", {}) and "it got no traffic" in output, output


def test_a_version_that_falls_ill_in_its_canary_is_taken_back(account):
    account.code("2")
    account.answers(GOOD, GOOD, BAD)
    code, output = account.deploy("shift", "--canary-seconds", "60")
    assert code == 1 and account.alias() == ("1", {}) and "no longer answers /health" in output, output


def test_an_endpoint_that_does_not_answer_after_the_shift_brings_the_old_version_back(account):
    account.code("2")
    account.endpoint.healthy = False
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 1 and account.alias() == ("1", {}) and "the endpoint does not answer" in output, output


@pytest.mark.parametrize("signal_sent", [signal.SIGTERM, signal.SIGINT])
def test_who_ends_a_deployment_gets_the_old_version_back(signal_sent, account):
    account.code("2")
    process = account.start("shift", "--canary-seconds", "60")
    account.in_canary(process)
    # Restoring begins when the command that runs just now has ended.
    os.kill(process.pid, signal_sent)
    output, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, 3), output
    assert account.alias() == ("1", {}), output


def test_a_deployment_that_is_killed_in_its_canary_is_repaired_by_the_next(account):
    account.code("2")
    process = account.start("shift", "--canary-seconds", "60")
    account.in_canary(process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert account.alias() == ("1", {"2": 0.1})
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 0 and "an earlier deployment stopped" in output, output
    assert account.alias() == ("2", {})


def test_a_deployment_that_is_killed_before_its_last_check_is_checked_by_the_next(account):
    account.code("2")
    account.functions.publish_version(FunctionName="claude-code")
    account.functions.update_alias(
        FunctionName="claude-code", Name="live", FunctionVersion="2", Description="version 2, before it 1, not checked yet"
    )
    account.endpoint.healthy = False
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 1 and account.alias() == ("1", {}) and "before version 2 was checked" in output, output


def test_what_cannot_be_restored_is_said_with_the_command_for_it(account):
    account.code("2")
    process = account.start("shift", "--canary-seconds", "60")
    account.in_canary(process)
    account.functions.delete_alias(FunctionName="claude-code", Name="live")
    account.cloudwatch.set_alarm_state(AlarmName="claude-code-gateway-errors", StateValue="ALARM", StateReason="rehearsal")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 3 and "VERSION 1 COULD NOT BE RESTORED" in output, output
    assert "aws lambda update-alias --function-name claude-code --name live --function-version 1" in output


def test_nothing_is_shifted_while_an_alarm_rings(account):
    account.code("2")
    account.cloudwatch.set_alarm_state(AlarmName="claude-code-gateway-errors", StateValue="ALARM", StateReason="rehearsal")
    code, output = account.deploy("shift", "--canary-seconds", "0")
    assert code == 1 and account.alias() == ("1", {}) and "an alarm rings already" in output, output


def test_a_rollback_brings_the_version_before_back(account):
    account.code("2")
    assert account.deploy("shift", "--canary-seconds", "0")[0] == 0
    assert "version 2 (version 2, before it 1)" in account.deploy("status")[1]
    code, output = account.deploy("rollback")
    assert code == 0 and account.alias() == ("1", {}), output


def test_a_first_deployment_creates_bucket_and_stack(template, tmp_path, commands):
    with mocked() as mock:
        account = Account(mock, template, tmp_path, commands)
        (tmp_path / "first.zip").write_bytes(archive("1"))
        # Moto makes no alias from a template: the run stops there, and goes on when it is there.
        code, output = account.deploy("--zip", str(tmp_path / "first.zip"), "--set", "ReservedConcurrency=0")
        assert code == 1 and "== traffic" in output, output
        stack = account.cloudformation.describe_stacks(StackName="claude-code")["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        blocked = mock.client("s3").get_public_access_block(Bucket=ARTIFACTS)["PublicAccessBlockConfiguration"]
        assert all(blocked.values())
        account.first_version()
        code, output = account.deploy("--zip", str(tmp_path / "first.zip"), "--canary-seconds", "0")
        assert code == 0 and "version 2 answers all requests" in output, output
        assert account.deploy("destroy", "--yes")[0] == 0
        assert "claude-code" not in [stack["StackName"] for stack in account.cloudformation.describe_stacks()["Stacks"]]


def test_destroying_asks_first_and_deletes_data_only_when_told(account):
    code, output = account.deploy("destroy")
    assert code == 1 and "nothing was deleted" in output, output
    mock = account.mock
    mock.client("s3").put_object(Bucket="claude-code-workshop-123456789012", Key="generated-code/rust/a.rs", Body=b"x")
    code, output = account.deploy("destroy", "--delete-data", "--yes")
    assert code == 0, output
    names = [bucket["Name"] for bucket in mock.client("s3").list_buckets()["Buckets"]]
    assert "claude-code-workshop-123456789012" not in names and ARTIFACTS not in names
    assert mock.client("dynamodb").list_tables()["TableNames"] == []


def test_a_dry_run_shows_every_step_without_credentials_network_or_aws_cli(tmp_path):
    bare = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANTHROPIC_API_KEY": KEY}
    done = run(*offline(), "bash", DEPLOY, "--dry-run", env=bare)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    for part in ("lambda-arm64", "put-secret-value", "create-change-set", "publish-version", "lambda invoke", '"2\\":0.10', "describe-alarms", "curl", "endpoint:"):
        assert part in told, part
    assert KEY not in told
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["--canary", "100"], ["--set", "Runtim=rust"], ["--canary-seconds", "soon"]])
def test_an_argument_that_makes_no_sense_is_named(arguments):
    done = run("bash", DEPLOY, "--dry-run", *arguments)
    assert done.returncode == 1 and arguments[-1].split("=")[0] in done.stderr, done.stderr


def test_the_scripts_know_the_templates_parameters_and_the_alarms_of_a_canary(template):
    text = (INFRA / "deploy/common.sh").read_text()
    assert re.search(r"PARAMETERS=\(([^)]*)\)", text)[1].split() == list(template["Parameters"])
    watched = re.search(r"CANARY_ALARMS=\(([^)]*)\)", text)[1].split()
    alarms = json.loads((INFRA / "alarms.json").read_text())
    assert watched == [f"claude-code-{name}" for name, alarm in alarms.items() if alarm["canary"]]
