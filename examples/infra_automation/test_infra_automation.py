"""The infrastructure automation from outside: the built program, offline, over samples and thirty seeded faults."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import readme
from conftest import Run, stopped_at, tree
from faults import FAULTS, GOOD

PROMPT = "A private bucket for uploads, a table for their metadata, and a queue for the work."
NEW = ("infra_automation", PROMPT, "-o", "out", "--offline")
REFUSED = ("infra_automation", PROMPT, "-o", "refused", "--offline", "--yes")
OWN = (*NEW, "--no-tools")
FILES = {
    "cloudformation": {"template.yaml"},
    "terraform": {"main.tf", "variables.tf", "versions.tf"},
    "cdk": {"lib/stack.ts", "bin/app.ts", "package.json", "cdk.json", "tsconfig.json"},
}


def script(place: Path, *templates: str) -> str:
    """A script whose answers are these templates, one after the other."""
    steps = [{"answer": {"text": f"**template.yaml**\n\n```yaml\n{template}```\n"}} for template in templates]
    path = place / "script.json"
    path.write_text(json.dumps({"steps": steps}))
    return str(path)


@pytest.mark.parametrize("kind", list(FILES))
def test_a_sentence_becomes_a_stack_in_each_language(run: Run, place: Path, kind: str) -> None:
    done = run(*NEW, "--kind", kind, "--yes")
    assert done.returncode == 0, done.stderr
    assert set(tree(place / "out")) == FILES[kind]
    assert "  repair:" in done.stderr
    assert "allowed actions: " in done.stdout
    assert "sqs:DeleteMessage, sqs:ReceiveMessage" in done.stdout
    assert "reachable from the internet: none" in done.stdout
    assert "idle cost: about $0.00 a month" in done.stdout
    assert "price not known here: none" in done.stdout


def test_nothing_is_written_before_the_plan_is_accepted(run: Run, place: Path) -> None:
    done = run(*OWN)
    assert done.returncode == 1
    assert "plan: 5 resources" in done.stdout
    assert "--yes agrees beforehand" in done.stderr
    assert not (place / "out").exists()
    accepted = run(*OWN, "--yes")
    assert accepted.returncode == 0, accepted.stderr
    assert "infrastructure: kept from the run before" in accepted.stderr


def test_there_are_thirty_faults_and_the_sound_template_has_none(run: Run, place: Path) -> None:
    assert len(FAULTS) == 30
    done = run(*OWN, "--answers", script(place, GOOD), "--plan-only")
    assert done.returncode == 0, done.stderr
    assert "repair" not in done.stderr


@pytest.mark.parametrize(
    ("rule", "template"), FAULTS, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(FAULTS, 1)]
)
def test_a_seeded_fault_is_repaired_or_refused_by_its_rule(
    run: Run, place: Path, rule: str, template: str
) -> None:
    repaired = run(*OWN, "--answers", script(place, template, GOOD), "--plan-only")
    assert repaired.returncode == 0, repaired.stderr
    assert "  repair:" in repaired.stderr
    refused = run(*REFUSED, "--no-tools", "--answers", script(place, *[template] * 4))
    assert refused.returncode == 3, refused.stderr
    assert f"[{rule}]" in refused.stderr
    assert not (place / "out").exists()
    assert not (place / "refused").exists()


def test_a_finding_has_the_line_of_its_cause(run: Run, place: Path) -> None:
    template = dict(FAULTS)["log-retention"]
    line = template.splitlines().index("  Log:") + 1
    refused = run(*OWN, "--answers", script(place, *[template] * 4))
    assert f"template.yaml:{line}:0: error: [log-retention] AWS::Logs::LogGroup `Log`" in refused.stderr


def test_functions_and_the_addresses_of_custom_resources_are_no_faults(run: Run, place: Path) -> None:
    more = (
        "  Custom:\n    Type: Custom::Thing\n    Properties:\n"
        "      ServiceToken: arn:aws:lambda:us-east-1::function:thing\n"
        "  Other:\n    Type: AWS::DynamoDB::Table\n    DeletionPolicy: RetainExceptOnCreate\n"
        "    UpdateReplacePolicy: Retain\n    Properties:\n"
        "      BillingMode: PAY_PER_REQUEST\n      SSESpecification:\n        SSEEnabled: true\n"
        "      PointInTimeRecoverySpecification:\n        PointInTimeRecoveryEnabled: true\n"
        "      AttributeDefinitions:\n        Fn::Transform:\n          Name: Keys\n"
        "      KeySchema:\n        - AttributeName: pk\n          KeyType: HASH\n"
        "  Queue:\n    Type: AWS::SQS::Queue\n    Properties:\n      SqsManagedSseEnabled: true\n"
        "      Fn::Transform:\n        Name: More\n"
    )
    done = run(
        *OWN, "--answers", script(place, GOOD.replace("\nOutputs:", more + "\nOutputs:")), "--plan-only"
    )
    assert done.returncode == 0, done.stderr
    assert "repair" not in done.stderr, done.stderr


def test_public_ways_in_and_monthly_costs_are_in_the_plan(run: Run, place: Path) -> None:
    more = (
        "  Front:\n    Type: AWS::EC2::EIP\n"
        "  Key:\n    Type: AWS::KMS::Key\n    Properties:\n      EnableKeyRotation: true\n"
        "  Clock:\n    Type: AWS::Events::Rule\n    Properties:\n      ScheduleExpression: rate(1 day)\n"
    )
    done = run(
        *OWN, "--answers", script(place, GOOD.replace("\nOutputs:", more + "\nOutputs:")), "--plan-only"
    )
    assert done.returncode == 0, done.stderr
    assert "reachable from the internet: Front" in done.stdout
    assert (
        "about $4.65 a month (kms-key 1.00, public-ipv4 3.65); price not known here: AWS::Events::Rule"
        in done.stdout
    )
    assert "check before you rely on them" in done.stdout


@pytest.mark.parametrize("word", ["SAMPLE", "checks:", "infrastructure", "✓", "repair", "written"])
def test_killed_at_any_point_the_directory_is_as_before_or_complete(run: Run, place: Path, word: str) -> None:
    command = (*OWN, "--yes")
    stopped_at(place, command, word, signal.SIGKILL)
    left = set(tree(place / "out")) if (place / "out").exists() else set()
    assert left in (set(), FILES["cloudformation"])
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


def test_the_template_passes_cfn_lint(run: Run, place: Path) -> None:
    if shutil.which("cfn-lint") is None:
        assert not os.environ.get("REQUIRE_TOOLS"), "cfn-lint is not installed"
        pytest.skip("NOT RUN: cfn-lint is not installed")
    done = run(*NEW, "--yes")
    assert done.returncode == 0, done.stderr
    assert "checks: own rules, cfn-lint" in done.stderr
    assert run("cfn-lint", "out/template.yaml").stdout == ""


def test_what_cfn_lint_says_is_repaired(run: Run, place: Path) -> None:
    if shutil.which("cfn-lint") is None:
        assert not os.environ.get("REQUIRE_TOOLS"), "cfn-lint is not installed"
        pytest.skip("NOT RUN: cfn-lint is not installed")
    wrong = GOOD.replace("BillingMode: PAY_PER_REQUEST", "BillingMode: PAY_PER_REQUESTS")
    own = run(*OWN, "--answers", script(place, wrong), "--plan-only")
    assert own.returncode == 0, "our own rules do not know the values of BillingMode"
    refused = run(*REFUSED, "--answers", script(place, *[wrong] * 4))
    assert refused.returncode == 3, refused.stderr
    assert "E3030" in refused.stderr
    assert not (place / "refused").exists()


def test_what_cfn_guard_says_is_repaired(run: Run, place: Path) -> None:
    if shutil.which("cfn-guard") is None:
        assert not os.environ.get("REQUIRE_TOOLS"), "cfn-guard is not installed"
        pytest.skip("NOT RUN: cfn-guard is not installed")
    wrong = GOOD.replace("s3:TlsVersion: 1.2", "s3:TlsVersion: 1.0")
    own = run(*OWN, "--answers", script(place, wrong), "--plan-only")
    assert own.returncode == 0, "our own rules do not look at the version of TLS"
    refused = run(*REFUSED, "--answers", script(place, *[wrong] * 4))
    assert refused.returncode == 3, refused.stderr
    assert "buckets_take_tls_only" in refused.stderr
    assert not (place / "refused").exists()


def test_the_python_script_writes_the_same_template(run: Run, place: Path) -> None:
    run(*OWN, "--yes")
    done = run(
        sys.executable,
        "examples/infra_automation/infra_automation.py",
        PROMPT,
        "-o",
        "python",
        "--offline",
        "--yes",
    )
    assert done.returncode == 0, done.stderr
    assert tree(place / "python") == tree(place / "out")


def test_every_command_of_the_readme_prints_what_it_says(place: Path) -> None:
    text = (Path(__file__).parent / "README.md").read_text()
    assert readme.rendered(text, place) == text


def test_every_sample_says_that_it_is_one() -> None:
    samples = list((Path(__file__).parent / "samples").glob("*.md"))
    assert len(samples) == 6
    for sample in samples:
        assert "A sample answer, written for this project" in sample.read_text(), sample.name
