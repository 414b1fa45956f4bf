"""What `terraform validate` and `cdk synth` say is repaired; a tool that is not there is named in a warning."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Run, tree

SAMPLES = ROOT / "examples/infra_automation/samples"
PROMPT = "A private bucket for uploads, a table for their metadata, and a queue for the work."
VERSION = "6.66.0"
# The schema of the AWS provider over Terraform's plugin protocol: it validates as the provider would, and calls nobody.
PLUGIN = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here))
import tf.provider, tf.runner
from provider import Provider
tf.provider.ProviderServicer = lambda _: Provider(json.loads((here / "schema.json").read_text()))
tf.runner.run_provider(None)
"""


TEXTS = {"type": ["list", "string"], "optional": True}
# What our own deployment has no use for, and so is not in its schema.
POLICY = {
    "attributes": {"json": {"type": "string", "computed": True}},
    "blocks": {
        "statement": {
            "many": True,
            "required": False,
            "block": {
                "attributes": {
                    "sid": {"type": "string", "optional": True},
                    "effect": {"type": "string", "optional": True},
                    "actions": TEXTS,
                    "resources": TEXTS,
                },
                "blocks": {},
            },
        }
    },
}


def python_with_tf() -> str:
    """A Python that has what a plugin in Python needs."""
    for folder in os.environ["PATH"].split(os.pathsep):
        python = Path(folder, "python3")
        command = [str(python), "-c", "import grpc, msgpack, tf"]
        if python.is_file() and subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return str(python)
    assert not os.environ.get("REQUIRE_TOOLS"), "the package tf is not installed"
    pytest.skip("NOT RUN: the package tf is not installed")


def needs(program: str) -> None:
    if shutil.which(program) is None:
        assert not os.environ.get("REQUIRE_TOOLS"), f"{program} is not installed"
        pytest.skip(f"NOT RUN: {program} is not installed")


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror of plugins with the AWS provider in it, as `terraform providers mirror` lays one out."""
    needs("terraform")
    mirror = tmp_path / "plugins"
    platform = subprocess.run(["terraform", "version", "-json"], capture_output=True, text=True, check=True)
    place = mirror / "registry.terraform.io/hashicorp/aws" / VERSION / json.loads(platform.stdout)["platform"]
    place.mkdir(parents=True)
    for source in ("provider.py", "known.py"):
        shutil.copy(ROOT / "claude-code-aws/tests/infra" / source, place)
    schema = json.loads((ROOT / "claude-code-aws/infra/terraform/schema.json").read_text())
    schema["data"]["aws_iam_policy_document"] = POLICY
    (place / "schema.json").write_text(json.dumps(schema))
    plugin = place / f"terraform-provider-aws_v{VERSION}"
    plugin.write_text(PLUGIN.format(python=python_with_tf()))
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(mirror))
    return mirror


def good(name: str) -> dict[str, str]:
    """The files of a sample with its repair."""
    files: dict[str, str] = {}
    for sample in (f"{name}.md", f"{name}_repair.md"):
        for part in (SAMPLES / sample).read_text().split("\n````")[1:]:
            head, _, body = part.partition("\n")
            if " " in head:
                files[head.split(" ", 1)[1]] = body + "\n"
    return files


def script(place: Path, *answers: dict[str, str]) -> str:
    texts = ["".join(f"````text {name}\n{text}````\n\n" for name, text in files.items()) for files in answers]
    path = place / "script.json"
    path.write_text(json.dumps({"steps": [{"answer": {"text": text}} for text in texts]}))
    return str(path)


def new(kind: str, *more: str) -> tuple[str, ...]:
    return ("infra_automation", PROMPT, "--kind", kind, "-o", "out", "--offline", "--yes", *more)


def test_what_terraform_validate_says_is_repaired(run: Run, place: Path, plugins: Path) -> None:
    sound = good("terraform")
    wrong = {
        **sound,
        "main.tf": sound["main.tf"].replace("name_prefix             =", "name_prefixes           ="),
    }
    assert wrong != sound
    done = run(*new("terraform", "--answers", script(place, wrong, sound)))
    assert done.returncode == 0, done.stderr
    assert "checks: own rules, terraform, terraform validate" in done.stderr
    assert "  repair:" in done.stderr
    assert tree(place / "out")["main.tf"].decode() == sound["main.tf"]


def test_what_terraform_validate_goes_on_saying_is_refused_with_its_words(
    run: Run, place: Path, plugins: Path
) -> None:
    sound = good("terraform")
    wrong = {**sound, "main.tf": sound["main.tf"].replace("billing_mode", "billing_mod ")}
    own = run(*new("terraform", "--no-tools", "--plan-only", "--answers", script(place, wrong)))
    assert own.returncode == 0, "our own rules do not know every argument"
    done = run(*new("terraform", "--answers", script(place, *[wrong] * 4)))
    assert done.returncode == 3, done.stderr
    assert "Unsupported argument" in done.stderr
    assert not (place / "out").exists()


def test_a_plugin_of_another_version_is_no_fault_of_the_files(run: Run, place: Path, plugins: Path) -> None:
    folder = plugins / "registry.terraform.io/hashicorp/aws"
    (folder / VERSION).rename(folder / "2.0.0")
    done = run(*new("terraform", "--answers", script(place, good("terraform"))))
    assert done.returncode == 0, done.stderr
    assert "  repair:" not in done.stderr
    assert "risk" in done.stdout or "Failed to query available provider packages" in done.stdout + done.stderr


def test_a_tool_that_is_not_there_is_named_in_a_warning(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = place / "bin"
    bare.mkdir()
    for name in ("infra_automation", "claude-code-aws", "sh", "grep", "cat"):
        found = shutil.which(name)
        assert found is not None
        (bare / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(bare))
    monkeypatch.setenv("HOME", str(place))
    for kind, missing in (
        ("cloudformation", ["cfn-lint is not installed", "cfn-guard is not installed"]),
        ("terraform", ["terraform is not installed: terraform validate is left out"]),
        ("cdk", ["cdk synth is left out; `npm install` in out brings them in"]),
    ):
        done = run(*new(kind, "--plan-only"))
        assert done.returncode == 0, done.stderr
        assert "checks: own rules\n" in done.stderr
        for told in missing:
            assert f"warning: {told}" in done.stderr or f": {told}" in done.stderr, done.stderr
    needs_provider = shutil.which("terraform", path=os.pathsep.join(["/usr/local/bin", "/usr/bin"]))
    if needs_provider:
        (bare / "terraform").symlink_to(needs_provider)
        done = run(*new("terraform", "--plan-only"))
        assert "warning: the provider hashicorp/aws is not on this machine" in done.stderr


def test_what_the_compiler_says_and_then_what_cdk_synth_says_is_repaired(run: Run, place: Path) -> None:
    needs("cdk")
    needs("node")
    sound = good("cdk")
    stack = sound["lib/stack.ts"]
    wrong = stack.replace("statements: [", "statement: [")
    twice = stack.replace("(this, 'Work', {", "(this, 'Metadata', {")
    assert stack not in (wrong, twice)
    answers = [{**sound, "lib/stack.ts": text} for text in (wrong, twice, stack)]
    own = run(*new("cdk", "--no-tools", "--plan-only", "--answers", script(place, answers[1])))
    assert own.returncode == 0, "our own rules do not know what a synthesis does"
    done = run(*new("cdk", "--answers", script(place, *answers)), timeout=400)
    assert done.returncode == 0, done.stderr
    assert "checks: own rules, cdk synth" in done.stderr
    assert done.stderr.count("  repair:") == 2, done.stderr
    assert tree(place / "out")["lib/stack.ts"].decode() == stack
