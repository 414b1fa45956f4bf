"""CloudFormation and Terraform create the same, under every choice that a deployment has; and the comparison sees differences."""

import copy
import json
import re
import shutil
from pathlib import Path

import pytest

import differences
from canonical import from_cloudformation
from conftest import INFRA, need
from evaluate import Template
from from_terraform import from_terraform
from provider import serving

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:claude-code/anthropic-api-key-AbCdEf"
# A CloudFormation parameter, Terraform's variable, and the values that are compared beside the defaults.
CHOICES = [
    ("Runtime", "runtime", ["python3.11"]),
    ("ProfileScope", "profile_scope", ["us", "eu", "jp", "au", "in"]),
    ("ApiKeys", "api_keys", ["on"]),
    ("AllowedOrigins", "allowed_origins", ["https://a.example,https://b.example"]),
    ("ServiceBucketName", "service_bucket_name", ["another-bucket"]),
    ("ReservedConcurrency", "reserved_concurrency", [0, 7]),
    ("MaxUsdPerDay", "max_usd_per_day", [3]),
    ("MonthlyBudgetUsd", "monthly_budget_usd", [250]),
    ("AlarmEmail", "alarm_email", ["ops@example.com"]),
    ("AnthropicSecretArn", "anthropic_secret_arn", [SECRET]),
    ("GatewayLogging", "gateway_logging", ["existing"]),
    ("TransactionSearch", "transaction_search", ["on"]),
    ("InvocationLogging", "invocation_logging", ["on"]),
    ("Page", "page", ["on"]),
]
CODE = {"CodeBucket": "artifacts", "CodeKey": "code.zip"}
VARIABLES = {"code_bucket": "artifacts", "code_key": "code.zip"}
# Everything that can be switched on at once.
ALL = {"ApiKeys": "on", "AlarmEmail": "ops@example.com", "AnthropicSecretArn": SECRET, "TransactionSearch": "on", "InvocationLogging": "on", "Page": "on", "AllowedOrigins": "https://a.example"}
NAMES = {parameter: variable for parameter, variable, _ in CHOICES}


def variables(parameters):
    """Terraform's variables of CloudFormation's parameters: a switch is a boolean there."""
    given = {NAMES[name]: {"on": "true", "off": "false"}.get(value, value) for name, value in parameters.items()}
    return VARIABLES | given


def cloudformation(template, parameters):
    return from_cloudformation(Template(template, CODE | parameters).evaluated())


@pytest.fixture(scope="module")
def terraform():
    with serving(need("terraform"), INFRA / "terraform/schema.json") as terraform:
        yield terraform


def copied(place, terraform):
    """A copy of the Terraform directory, initialised; what it reads lies beside it as in the repository."""
    for name in ("access.json", "alarms.json", "dashboard.json.tmpl", "page-headers.yml"):
        shutil.copy(INFRA / name, place)
    shutil.copytree(INFRA / "terraform", place / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    done = terraform(place / "terraform", "init", "-input=false", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    return place / "terraform"


@pytest.fixture
def directory(tmp_path, terraform):
    return copied(tmp_path, terraform)


def test_every_parameter_has_its_variable_with_the_same_default_and_description(template, terraform, directory):
    declared = "".join(path.read_text() for path in directory.glob("variables.tf"))
    for parameter, variable, _ in CHOICES:
        entry = template["Parameters"][parameter]
        body = declared.split(f'variable "{variable}" {{')[1].split("\n}")[0]
        default = {"off": "false", "on": "true"}.get(entry["Default"], json.dumps(entry["Default"]))
        assert f"= {default}\n" in body + "\n", f"{parameter} has {default}: {body}"
        told = re.sub(r"\b(off|on): ", lambda found: {"off": "false: ", "on": "true: "}[found[1]], entry["Description"])
        assert f'description = "{told}"' in body, f"{parameter}: {told}"
    assert declared.count('variable "') == len(template["Parameters"]) == len(CHOICES) + len(CODE)


def test_terraform_is_formatted_and_valid_and_passes_its_own_tests(terraform, directory):
    assert terraform(directory, "fmt", "-check", "-recursive").returncode == 0, "terraform fmt claude-code-aws/infra/terraform"
    for command in (["validate"], ["test"]):
        done = terraform(directory, *command, "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("wrong", differences.INVALID, ids=lambda wrong: wrong[0])
def test_the_provider_schema_catches(wrong, terraform, directory):
    name, file, old, new, told = wrong
    edit(directory / file, old, new)
    done = terraform(directory, "validate", "-no-color")
    assert done.returncode != 0 and told in done.stdout + done.stderr, done.stdout + done.stderr


def combinations():
    yield {}
    yield ALL
    yield ALL | {"Runtime": "python3.11", "ProfileScope": "eu", "GatewayLogging": "existing", "ReservedConcurrency": 0}
    for parameter, _, values in CHOICES:
        for value in values:
            yield {parameter: value}


def test_the_templates_create_the_same_under_every_choice(template, terraform, directory):
    for parameters in combinations():
        planned, outputs = terraform.plan(directory, variables(parameters))
        found = list(cloudformation(template, parameters).differences(from_terraform(planned)))
        assert not found, f"under {parameters}:\n" + "\n".join(found)
        assert same_outputs(Template(template, CODE | parameters).outputs(), outputs)


def same_outputs(of_cloudformation, of_terraform):
    renamed = {"".join(word.title() for word in name.split("_")): value for name, value in of_terraform.items() if value is not None}
    assert of_cloudformation == renamed
    return True


def test_what_outlives_a_stack_is_what_terraform_does_not_destroy(template):
    kept = {entry["Type"] for entry in template["Resources"].values() if entry.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::Logs::LogGroup"}
    for part in (INFRA / "terraform/storage.tf").read_text().split('resource "')[1:]:
        holds_data = part.startswith(('aws_dynamodb_table"', 'aws_s3_bucket"'))
        assert ("prevent_destroy = true" in part) == holds_data, part


def test_what_is_shifted_no_apply_takes_back(template):
    alias = (INFRA / "terraform/function.tf").read_text().split('resource "aws_lambda_alias" "live"')[1].split("\n}")[0]
    assert "ignore_changes = [function_version, routing_config, description]" in alias
    for logical in ("Live", "FirstVersion"):
        assert not list(references(template["Resources"][logical], template["Parameters"])), f"{logical} depends on a parameter"


def references(node, names):
    if isinstance(node, dict):
        yield from (name for name in [node.get("Ref")] if name in names)
        for value in node.values():
            yield from references(value, names)
    elif isinstance(node, list):
        for value in node:
            yield from references(value, names)


@pytest.mark.parametrize("seeded", differences.TERRAFORM, ids=lambda seeded: seeded[0])
def test_a_difference_in_terraform_is_found(seeded, template, terraform, directory):
    name, file, old, new = seeded
    edit(directory / file, old, new)
    assert any(seen(name, template, terraform, directory, parameters) for parameters in (ALL, {})), f"{name} was not seen"


def seen(name, template, terraform, directory, parameters):
    try:
        model = from_terraform(terraform.plan(directory, variables(parameters))[0])
    except AssertionError as refused:
        if differences.REFUSED.get(name, "not to be refused") not in str(refused):
            raise
        return True
    return any(cloudformation(template, parameters).differences(model))


@pytest.fixture(scope="module")
def unchanged(terraform, tmp_path_factory):
    """What Terraform plans with everything switched on, and with nothing."""
    place = copied(tmp_path_factory.mktemp("unchanged"), terraform)
    return [(parameters, from_terraform(terraform.plan(place, variables(parameters))[0])) for parameters in (ALL, {})]


@pytest.mark.parametrize("seeded", differences.CLOUDFORMATION, ids=lambda seeded: seeded[0])
def test_a_difference_in_cloudformation_is_found(seeded, template, unchanged):
    name, path, value = seeded
    changed = copy.deepcopy(template)
    differences.put(changed["Resources"], path, value)
    found = [line for parameters, model in unchanged for line in cloudformation(changed, parameters).differences(model)]
    assert found, f"{name} was not seen"


def edit(file: Path, old, new):
    text = file.read_text()
    assert text.count(old) >= 1, f"{file.name} has no {old!r}"
    file.write_text(text.replace(old, new, 1))
