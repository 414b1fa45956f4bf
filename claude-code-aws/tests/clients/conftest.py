"""A twin that is up with a script, and a process environment with its exports and nothing else of AWS or Anthropic."""

import json
import os
import socket
import subprocess

import pytest

COMMAND = os.environ.get("CLAUDE_CODE_AWS_COMMAND", "claude-code-aws")
REVERSE = "Write a Python function that reverses a string."
MODEL = "global.anthropic.claude-haiku-4-5-20251001-v1:0"


class Twin:
    def __init__(self, directory, *args):
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [COMMAND, "twin", "up", "--dir", str(directory), *args],
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


@pytest.fixture(autouse=True)
def nothing_leaves(monkeypatch):
    """A connection to anything but this machine fails the test."""
    connect = socket.socket.connect

    def near(self, address):
        host = address[0] if isinstance(address, tuple) else "local"
        assert host in ("127.0.0.1", "::1", "localhost", "local"), f"a request leaves for {host}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", near)


def exported(twin, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("AWS_", "ANTHROPIC_")):
            monkeypatch.delenv(name)
    for name, value in twin.env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    twin = Twin(tmp_path_factory.mktemp("samples"))
    yield twin
    twin.close()


@pytest.fixture
def twin(samples, monkeypatch):
    """The twin with its sample answers."""
    exported(samples, monkeypatch)
    return samples


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Starts a twin that plays these steps."""
    started = []

    def start(*steps):
        script = tmp_path / "script.json"
        script.write_text(json.dumps({"steps": steps}))
        started.append(Twin(tmp_path / "data", "--answers", str(script)))
        exported(started[-1], monkeypatch)
        return started[-1]

    yield start
    for twin in started:
        twin.close()
