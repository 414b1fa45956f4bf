"""Least privilege, settings, entrances and watched metrics; and that mistakes in the template are caught."""

import copy
import json
import os
import platform
import re
import subprocess

import pytest

from conftest import CDK, INFRA, ROOT, TEMPLATE
from differences import put
from mutations import MUTATIONS
from policies import ACCESS, METRICS, called, settings, violations

RULES = INFRA / "guard/claude-code.guard"
VALIDATOR = CDK / "node_modules/@cdklabs/cdk-validator-cfnguard/bin"


def guard(template):
    """The rules that fail on a template's text."""
    machine = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
    program = VALIDATOR / ("macos" if platform.system() == "Darwin" else "ubuntu") / machine / "cfn-guard"
    if not program.exists():
        (pytest.fail if os.environ.get("REQUIRE_TOOLS") else pytest.skip)(f"{program} is not installed")
    program.chmod(0o755)
    payload = json.dumps({"rules": [RULES.read_text()], "data": [template]})
    done = subprocess.run([program, "validate", "--payload", "-S", "all"], input=payload, capture_output=True, text=True)
    assert done.returncode in (0, 19), done.stdout + done.stderr
    ruled = re.findall(r"/(\w+)\s+(PASS|FAIL|SKIP)$", done.stdout, re.M)
    assert len(ruled) == len(rules()), done.stdout
    return {name for name, verdict in ruled if verdict != "PASS"}


def rules():
    return set(re.findall(r"^rule (\w+)", RULES.read_text(), re.M))


def test_the_template_passes_every_rule_and_every_check(template):
    assert guard(TEMPLATE.read_text()) == set()
    assert list(violations(template)) == []
    assert len(rules()) >= 20


@pytest.fixture(scope="module")
def caught(template):
    """By mutation: the rules that fail and, where none does, the violations that the checks find."""
    found = {}
    for name, path, value in MUTATIONS:
        changed = copy.deepcopy(template)
        put(changed["Resources"], path, value)
        assert changed != template, f"{name} changes nothing"
        failed = guard(json.dumps(changed))
        found[name] = failed, [] if failed else list(violations(changed))
    return found


def test_every_seeded_mistake_is_caught(caught):
    missed = [name for name, (failed, found) in caught.items() if not failed and not found]
    assert missed == []
    assert len(caught) >= 40


def test_every_rule_fails_on_some_mistake(caught):
    assert rules() - set().union(*(failed for failed, _ in caught.values())) == set()


def test_some_mistakes_only_the_checks_see(caught):
    alone = [name for name, (_, found) in caught.items() if found]
    assert len(alone) >= 10, alone


def test_the_scopes_models_and_regions_are_those_of_the_catalogue_and_the_twin():
    catalogue = json.loads(next((ROOT / "claude-code-core").rglob("models.json")).read_text())
    regions = {}
    for path in (ROOT / "claude-code-aws/src/local").rglob("region.rs"):
        for scope, places in re.findall(r"ProfileScope::(\w+) => vec!\[([^\]]*)\]", path.read_text()):
            regions[scope.lower()] = re.findall(r'"([a-z0-9-]*)"', places)
    for scope, entry in ACCESS.items():
        expected = ["${region}", ""] if scope == "global" else regions[scope]
        assert entry["regions"] == expected, scope
        assert entry["models"] == chosen(catalogue, scope), scope


def chosen(catalogue, scope):
    """What the tiers of a scope ask: each family's current model and its predecessor, for the case of a fault."""
    models = []
    for family in ("haiku", "sonnet", "opus"):
        open_ones = [
            model
            for model in catalogue["models"]
            if model["family"] == family
            and model["lifecycle"]["status"] == "active"
            and scope in model["profiles"]
            and not model["capabilities"]["data_retention"]
        ]
        open_ones.sort(key=lambda model: model["released"] or "", reverse=True)
        open_ones.sort(key=lambda model: model["api_id"] != catalogue["families"][family])
        models += [model["bedrock_id"] for model in open_ones[:2]]
    return models


def test_the_checks_read_the_code_that_they_are_about():
    assert {"dynamodb:GetItem", "s3:PutObject", "sqs:SendMessage", "bedrock:InvokeModelWithResponseStream"} <= called()
    assert {"TABLE_NAME", "BUCKET_NAME", "STATE_TABLE", "PROFILE_SCOPE", "JOBS_QUEUE_URL"} <= settings()


def test_every_metric_that_is_emitted_has_a_unit_of_cloudwatch():
    for name, metric in METRICS["metrics"].items():
        assert metric["unit"] in ("Count", "Milliseconds", "None"), name


def test_alarms_and_dashboard_cover_what_the_seeds_ask_for(template):
    watched = json.dumps(template["Resources"])
    asked = ["Requests", "Success", "Failure", "Duration", "TimeToFirstFile", "CostUsd", "InputTokens", "OutputTokens", "CacheHits", "Throttles", "Incomplete", "BatchRecordsFailed", "AuthenticationFailures"]
    assert [name for name in asked if name not in watched] == []
    alarms = {entry["Properties"]["AlarmName"] for entry in template["Resources"].values() if entry["Type"] == "AWS::CloudWatch::Alarm"}
    expected = {"error-rate", "response-time", "daily-cost", "dead-letters", "incomplete-rate", "throttles", "authentication-failures", "metrics-invalid"}
    assert {f"claude-code-{name}" for name in expected} <= alarms
