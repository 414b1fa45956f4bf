"""The committed template is what the CDK app gives, and linters have nothing to say about it."""

import json
import time

from conftest import CDK, TEMPLATE, need, run, synthesise


def test_the_committed_template_is_what_the_cdk_app_gives_offline_and_cdk_nag_finds_nothing_unexplained(tmp_path):
    started = time.monotonic()
    done = synthesise(tmp_path / "template.json", NAG="1")
    print(f"synthesised without a network and checked by cdk-nag in {time.monotonic() - started:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stderr and "WARNING" not in done.stderr.upper(), done.stderr
    fresh, committed = (tmp_path / "template.json").read_text(), TEMPLATE.read_text()
    assert fresh == committed, "the template is stale: npm run synth --prefix claude-code-aws/infra/cdk"


def test_cdk_nag_is_awake(tmp_path):
    """The same app without the explanations: else the test above would pass where nag does not run at all."""
    done = synthesise(tmp_path / "template.json", NAG="1", UNEXPLAINED="1")
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert all(f"AwsSolutions-{rule}" in text for rule in ("S1", "IAM5", "APIG4")), text


def test_the_cdk_app_has_its_types_right():
    need("node")
    done = run("tsc", "--noEmit", "-p", CDK)
    assert done.returncode == 0, done.stdout


def test_cfn_lint_finds_nothing():
    need("cfn-lint")
    done = run("cfn-lint", TEMPLATE)
    assert done.returncode == 0, done.stdout


def test_every_package_of_the_cdk_app_is_pinned():
    package = json.loads((CDK / "package.json").read_text())
    for name, version in {**package["dependencies"], **package["devDependencies"]}.items():
        assert version[0].isdigit(), f"{name} {version}"
    for name, entry in json.loads((CDK / "package-lock.json").read_text())["packages"].items():
        assert not name or entry.get("integrity") or entry.get("inBundle"), f"{name} has no hash"
