"""The service creator: seven questions, six files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import claude_code
from claude_code import AsyncClient, Client, FileFinished

SIX = [
    "backend_service.py",
    "api_routes.py",
    "database_schema.sql",
    "config.yaml",
    "requirements.txt",
    "README.md",
]


def answered(client: Client) -> claude_code.Service:
    service = client.service()
    while service.example is not None:
        service.message(service.example)
    return service


def test_seven_answers_become_six_files(client: Client, tmp_path: Path) -> None:
    service = client.service()
    questions = []
    assert service.total_steps == 7
    while service.question is not None:
        questions.append(service.question)
        assert service.step == len(questions)
        assert service.title
        assert service.example
        assert service.message(service.example) == service.question
    assert len(set(questions)) == 7
    assert service.done
    assert service.data["service_type"] == "vFirewall"
    code = service.generate()
    assert code.accepted
    assert code.sample
    assert list(code.files) == SIX
    assert "def " in code.files["backend_service.py"].content
    assert code.receipt.total_usd == 0
    written = code.write_to(tmp_path / "service")
    assert [path.name for path in written] == SIX
    with pytest.raises(claude_code.ConflictError):
        code.write_to(tmp_path / "service")


def test_files_are_shown_as_they_are_written_and_not_written_twice(client: Client) -> None:
    service = answered(client)
    events: list[object] = []
    code = service.generate(on_event=events.append)
    finished = [event.path for event in events if isinstance(event, FileFinished)]
    assert finished == SIX
    again = service.generate()
    assert again == code


def test_a_conversation_goes_on_in_another_client(tmp_path: Path) -> None:
    with Client.local(tmp_path) as first:
        begun = first.service()
        begun.message("vFirewall")
        id = begun.id
    with Client.local(tmp_path) as second:
        service = second.service(id)
        assert service.step == 2
        assert service.data["service_type"] == "vFirewall"
        with pytest.raises(claude_code.NotFoundError):
            second.service("no-such-id")


def test_a_stale_answer_is_refused(client: Client) -> None:
    one = client.service()
    other = client.service(one.id)
    one.message("vFirewall")
    with pytest.raises(claude_code.ConflictError, match="step 2"):
        other.message("something else")
    with pytest.raises(claude_code.ConflictError, match="step 2"):
        one.generate()


def test_a_description_can_be_given_whole(client: Client) -> None:
    data = answered(client).data
    assert client.service().generate(data).accepted
    with pytest.raises(claude_code.InvalidRequestError, match="service_type"):
        client.service().generate({"service_type": ""})
    with pytest.raises(ValueError, match="unknown field"):
        client.service().generate({"servicetype": "x"})


def test_an_unknown_service_offline_names_the_sample(client: Client) -> None:
    with pytest.raises(claude_code.InvalidRequestError, match="vFirewall") as caught:
        client.service().generate({"service_type": "a bakery"})
    assert caught.value.kind == "no_sample"


def test_without_a_store_conversations_are_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_CODE_AWS_STORE", "none")
    client = Client.local()
    service = answered(client)
    assert client.service(service.id).done
    assert service.generate().accepted


def test_it_is_awaited_too(tmp_path: Path) -> None:
    async def main() -> None:
        service = await AsyncClient.local(tmp_path).service()
        while service.example is not None:
            await service.message(service.example)
        assert list((await service.generate()).files) == SIX

    asyncio.run(main())
