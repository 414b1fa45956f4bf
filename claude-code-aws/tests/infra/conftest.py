"""What all tests of the deployment share: where things are, and tools that a machine may lack."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "claude-code-aws/infra"
CDK = INFRA / "cdk"
TEMPLATE = INFRA / "cloudformation/claude-code.json"


def need(tool):
    """The tool's path. Without it the test is skipped aloud; where tools are required it fails."""
    found = shutil.which(tool)
    if found is None:
        message = f"{tool} is not installed"
        if os.environ.get("REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def run(*command, **options):
    """A finished process, its output as text."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)


def synthesise(target, **environment):
    """Synthesises the stack into a file, without any network."""
    need("node")
    variables = os.environ | {"CLAUDE_CODE_TEMPLATE": str(target), "CDK_OUTDIR": f"{target}.out"} | environment
    package = json.loads((CDK / "package.json").read_text())
    return run(*offline(), "sh", "-ec", package["scripts"]["synth"], cwd=CDK, env=variables)


def offline():
    """What a command begins with to have no network, where this machine may take it away."""
    allowed = run("unshare", "-n", "true").returncode == 0 if shutil.which("unshare") else False
    return ["unshare", "-n"] if allowed else []


@pytest.fixture(scope="session")
def template():
    """The committed template. Tests that change it take a copy."""
    return json.loads(TEMPLATE.read_text())
