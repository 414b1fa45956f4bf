"""A twin that is up for the whole session, and clients for it."""

import os
import subprocess

import pytest

COMMAND = os.environ.get("CLAUDE_CODE_AWS_COMMAND", "claude-code-aws")
REVERSE = "Write a Python function that reverses a string."
MODEL = "global.anthropic.claude-haiku-5-5"


class Twin:
    """A running `twin up` (or another command of it) and the variables that it printed."""

    def __init__(self, directory, *args, command="up", **more):
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | more
        self.process = subprocess.Popen(
            [COMMAND, "twin", command, "--dir", str(directory), *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
        )
        self.env = {}
        for line in self.process.stdout:
            name, value = line.removeprefix("export ").strip().split("=", 1)
            self.env[name] = value
            if name == "AWS_ENDPOINT_URL_BEDROCK_RUNTIME":
                break

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="session")
def twin(tmp_path_factory):
    twin = Twin(tmp_path_factory.mktemp("twin"))
    yield twin
    twin.close()


@pytest.fixture
def scripted(tmp_path):
    """Starts a twin that plays these steps first."""
    import json

    started = []

    def start(*steps, args=()):
        script = tmp_path / "script.json"
        script.write_text(json.dumps({"steps": steps}))
        started.append(Twin(tmp_path / "data", "--answers", str(script), *args))
        return started[-1]

    yield start
    for twin in started:
        twin.close()


@pytest.fixture
def environment(twin, monkeypatch):
    """The variables of the twin, as `eval` sets them, and nothing else of AWS or Anthropic."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    for name, value in twin.env.items():
        monkeypatch.setenv(name, value)
    return twin.env
