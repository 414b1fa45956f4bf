"""The anthropic package, unchanged: the Messages API, and its Bedrock client."""

import anthropic
import pytest

from conftest import MODEL, REVERSE

ASK = {"max_tokens": 2000, "messages": [{"role": "user", "content": REVERSE}]}


@pytest.fixture
def messages(environment):
    with anthropic.Anthropic(max_retries=0) as client:
        yield client.messages


@pytest.fixture
def bedrock(environment):
    with anthropic.AnthropicBedrock(base_url=environment["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], max_retries=0) as client:
        yield client.messages


def test_create_answers_with_text_stop_reason_and_usage(messages):
    answer = messages.create(model="claude-haiku-5-5", **ASK)
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert "def reverse_string" in answer.content[0].text
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


def test_stream_gives_the_same_message(messages):
    whole = messages.create(model="claude-haiku-5-5", **ASK)
    with messages.stream(model="claude-haiku-5-5", **ASK) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text == final.content[0].text
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", whole.usage.output_tokens)


def test_max_tokens_and_stop_sequences_end_an_answer(messages):
    cut = messages.create(model="claude-haiku-5-5", max_tokens=5, messages=ASK["messages"])
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 5)
    stopped = messages.create(model="claude-haiku-5-5", stop_sequences=["return"], **ASK)
    assert stopped.stop_reason == "stop_sequence"
    assert "return text" not in stopped.content[0].text


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def tool_turns():
    """A conversation whose turns are a tool's call, its result and an image: no text in any of them but the first."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "clock", "input": {"zone": "UTC"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "12:00"}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
    return [
        {"role": "user", "content": REVERSE},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
        {"role": "assistant", "content": "Noon."},
        {"role": "user", "content": [image]},
    ]


def test_turns_of_tools_and_images_alone_are_taken_and_empty_ones_are_not(scripted, environment):
    twin = scripted({"times": 9, "answer": {"text": "fine"}})
    once = {"max_retries": 0}
    clients = [
        (anthropic.Anthropic(base_url=twin.env["ANTHROPIC_BASE_URL"], **once), "claude-haiku-5-5"),
        (anthropic.AnthropicBedrock(base_url=twin.env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], **once), MODEL),
    ]
    for client, model in clients:
        for end in (3, 5):
            answer = client.messages.create(model=model, max_tokens=99, messages=tool_turns()[:end])
            assert answer.content[0].text == "fine"
        for empty in ("", " \n", [], [{"type": "text", "text": " "}]):
            with pytest.raises(anthropic.BadRequestError, match="content"):
                client.messages.create(model=model, max_tokens=99, messages=[{"role": "user", "content": empty}])


def test_tokens_are_counted(messages):
    counted = messages.count_tokens(model="claude-haiku-5-5", messages=ASK["messages"])
    assert counted.input_tokens > 0


def test_errors_are_the_packages_own(messages):
    with pytest.raises(anthropic.BadRequestError, match="no sample answer"):
        messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": "other"}])
    with pytest.raises(anthropic.BadRequestError):
        messages.create(model="claude-sonnet-5-5", extra_body={"temperature": 0.7}, **ASK)


def test_a_throttled_call_is_a_rate_limit_error(scripted, environment):
    refusal = {"code": "ThrottlingException", "status": 429, "message": "slow down"}
    twin = scripted({"error": refusal})
    client = anthropic.Anthropic(base_url=twin.env["ANTHROPIC_BASE_URL"], max_retries=0)
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(model="claude-haiku-5-5", **ASK)
    assert client.messages.create(model="claude-haiku-5-5", **ASK).stop_reason == "end_turn"


def test_an_exception_within_a_stream_is_the_error_of_a_call_without_one(scripted, environment):
    names = ["throttlingException", "serviceUnavailableException", "modelStreamErrorException", "validationException"]
    twin = scripted(*[{"faults": [{"exception": {"at": 2, "code": name, "message": "scripted"}}]} for name in names])
    client = anthropic.Anthropic(base_url=twin.env["ANTHROPIC_BASE_URL"], max_retries=0)
    for status in (429, 529, 500, 400):
        with pytest.raises(anthropic.APIStatusError, match="scripted") as refused:
            client.messages.create(model="claude-haiku-5-5", **ASK)
        assert refused.value.status_code == status


def test_the_bedrock_client_creates_and_streams(bedrock):
    whole = bedrock.create(model=MODEL, **ASK)
    assert whole.stop_reason == "end_turn" and "def reverse_string" in whole.content[0].text
    with bedrock.stream(model=MODEL, **ASK) as stream:
        assert "".join(stream.text_stream) == whole.content[0].text
        assert stream.get_final_message().usage.output_tokens == whole.usage.output_tokens


def test_the_bedrock_clients_errors_are_the_packages_own(bedrock):
    with pytest.raises(anthropic.BadRequestError, match="no sample answer"):
        bedrock.create(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "other"}])
