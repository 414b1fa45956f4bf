"""Clients travel to other processes: a pickle has the constructor's arguments and nothing that was made of them."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REVERSE

import claude_code
from claude_code import AsyncClient, Client


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_comes_back_as_it_was_made(kind: type[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never-in-a-pickle")
    client = kind(provider="bedrock", region="eu-central-1", model="haiku", store="none", timeout=7.5)
    bytes_ = pickle.dumps(client)
    assert b"never-in-a-pickle" not in bytes_
    assert repr(pickle.loads(bytes_)) == repr(client)


def test_a_local_client_works_in_another_process_over_the_same_directory(tmp_path: Path) -> None:
    client = Client.local(tmp_path)
    made = client.generate(REVERSE)
    (tmp_path / "client.pickle").write_bytes(pickle.dumps(client))
    code = (
        "import pickle, sys; client = pickle.load(open(sys.argv[1], 'rb'));"
        "generation = client.generate(sys.argv[2]); print(generation.id, generation.cached is not None)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "client.pickle"), REVERSE]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(arguments, capture_output=True, text=True, check=True, env=env)
    assert told.stdout.split() == [made.id, "True"]


def test_a_client_of_this_process_alone_is_refused_with_a_way_out() -> None:
    with pytest.raises(claude_code.InvalidRequestError, match="path or a URL"):
        pickle.dumps(Client.local(answers=["an answer"]))
    client = Client(store="none")
    client.close()
    with pytest.raises(claude_code.InvalidRequestError, match="closed"):
        pickle.dumps(client)
