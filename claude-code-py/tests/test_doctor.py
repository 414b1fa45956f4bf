from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conftest import REVERSE

from claude_code import AsyncClient, Client, Finding
from claude_code.testing import Twin


def test_the_doctor_finds_nothing_wrong_offline(client: Client) -> None:
    findings = client.doctor()
    assert all(finding.ok for finding in findings)
    names = [finding.name for finding in findings]
    assert {"version", "answers", "models", "results", "caps"} <= set(names)


def test_the_doctor_is_not_worried_by_this_process_s_own_store(client: Client) -> None:
    client.generate(REVERSE)
    (results,) = [finding for finding in client.doctor() if finding.name == "results"]
    assert results.ok
    assert "in use" not in results.detail


def test_the_doctor_says_how_to_get_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    findings = Client(store="none", region="eu-central-1").doctor()
    (credentials,) = [finding for finding in findings if finding.name == "credentials"]
    assert not credentials.ok
    assert credentials.fix is not None
    assert "aws sso login" in credentials.fix
    assert credentials.fix in repr(credentials)
    assert str(credentials).startswith("fix  credentials: ")


def test_the_doctor_is_awaited_too(claude_twin: Twin) -> None:
    findings = asyncio.run(_examined(claude_twin.async_client()))
    assert all(finding.ok for finding in findings)
    assert claude_twin.sent() == []


async def _examined(client: AsyncClient) -> list[Finding]:
    return list(await client.doctor())
