"""Writes the small corpus beside this file: records of our own in the shapes of recorded traffic.

One record of each shape, so that the tests over recorded answers and traffic never pass on nothing. `python3 make.py`
writes the same bytes each time.
"""

import base64
import hashlib
import json
import struct
import zlib
from pathlib import Path

MODEL = "us.anthropic.claude-sonnet-5"
CODE = 'Here it is.\n\n```python greet.py\ndef greet(name):\n    return f"hello {name}"\n```\n'


def write(name, records):
    lines = "".join(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n" for record in records)
    (Path(__file__).parent / name).write_text(lines, encoding="utf-8")


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def expected(text, stop, given=None, taken=None, **more):
    figures = {
        "input_tokens": given,
        "output_tokens": taken,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
    }
    blocks = {"text": 1} if text else {}
    chars = {"text_sha256": sha256(text), "text_chars": len(text), "stop_reason": stop, "blocks": blocks}
    return {"status": 200} | chars | figures | more


def frame(kind, payload, message="event"):
    names = {f":{message}-type": kind, ":content-type": "application/json", ":message-type": message}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in names.items()
    )
    data = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    body = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return body + struct.pack(">I", zlib.crc32(body))


def exchange(name, operation, response, expects, streaming=False):
    return {
        "id": f"own-{name}",
        "operation": operation,
        "model": MODEL,
        "streaming": streaming,
        "fidelity": "made",
        "response": {"status": 200, "headers": {}} | response,
        "expected": {"kind": operation} | expects,
    }


def encoded(frames):
    return {"body_base64": base64.b64encode(b"".join(frames)).decode()}


def converse_stream(name, text, stop, usage=(12, 34), thinking=""):
    frames, index = [frame("messageStart", {"role": "assistant"})], 0
    if thinking:
        delta = {"reasoningContent": {"text": thinking}}
        frames += [frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": delta})]
        frames += [frame("contentBlockStop", {"contentBlockIndex": 0})]
        index = 1
    for at in range(0, len(text), 20):
        frames += [
            frame("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": text[at : at + 20]}})
        ]
    given, taken = usage
    if stop:
        total = {"inputTokens": given, "outputTokens": taken, "totalTokens": given + taken}
        frames += [
            frame("contentBlockStop", {"contentBlockIndex": index}),
            frame("messageStop", {"stopReason": stop}),
        ]
        frames += [frame("metadata", {"usage": total, "metrics": {"latencyMs": 7}})]
        expects = expected(text, stop, given, taken)
    else:
        expects = expected(text, None)
    if thinking:
        expects |= {"blocks": {"reasoningContent": 1, "text": 1}, "thinking_sha256": sha256(thinking)}
    return exchange(name, "converse-stream", encoded(frames), expects, streaming=True)


def message(text, stop, given, taken):
    usage = {"input_tokens": given, "output_tokens": taken}
    content = [{"type": "text", "text": text}]
    names = {"id": "msg_own", "type": "message", "role": "assistant", "model": "claude-sonnet-5"}
    return names | {"content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage}


def events(text, stop, given, taken):
    start = message("", None, given, 1) | {"content": []}
    yield {"type": "message_start", "message": start}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for at in range(0, len(text), 20):
        yield {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": text[at : at + 20]},
        }
    yield {"type": "content_block_stop", "index": 0}
    delta = {"stop_reason": stop, "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": taken}}
    yield {"type": "message_stop"}


def refusal(status, code, words):
    error = {"code": code, "message_sha256": sha256(words), "in_stream": False}
    return expected("", None) | {"status": status, "error": error}


def bedrock():
    yield converse_stream("stream-text", CODE, "end_turn")
    yield converse_stream("stream-thinking", CODE, "end_turn", thinking="a greeting needs a name")
    yield converse_stream("stream-cut-by-the-limit", CODE[:60], "max_tokens")
    yield converse_stream("stream-without-its-stop", CODE[:60], None)
    answer = {"message": {"role": "assistant", "content": [{"text": CODE}]}}
    usage = {"inputTokens": 12, "outputTokens": 34, "totalTokens": 46}
    whole = {"output": answer, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 7}}
    yield exchange("whole", "converse", {"body_text": json.dumps(whole)}, expected(CODE, "end_turn", 12, 34))
    body = json.dumps(message(CODE, "end_turn", 12, 34))
    yield exchange("invoke", "invoke", {"body_text": body}, expected(CODE, "end_turn", 12, 34))
    chunks = [
        frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})
        for event in events(CODE, "end_turn", 12, 34)
    ]
    expects = expected(CODE, "end_turn", 12, 34, frames=len(chunks))
    yield exchange("invoke-stream", "invoke-stream", encoded(chunks), expects, streaming=True)
    for name, operation, status, code, words in [
        (
            "throttled",
            "converse",
            429,
            "ThrottlingException",
            "Too many tokens, please wait before trying again.",
        ),
        ("invalid", "invoke", 400, "ValidationException", "max_tokens: must be at least 1"),
    ]:
        headers = {"x-amzn-errortype": code, "content-type": "application/json"}
        body = json.dumps({"message": words})
        yield exchange(
            name,
            operation,
            {"status": status, "headers": headers, "body_text": body},
            refusal(status, code, words),
        )


def anthropic():
    lines = "".join(
        f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events(CODE, "end_turn", 12, 34)
    )
    yield exchange(
        "sse", "messages", {"body_text": lines}, expected(CODE, "end_turn", 12, 34), streaming=True
    )
    body = json.dumps(message(CODE, "max_tokens", 12, 34))
    yield exchange("json", "messages", {"body_text": body}, expected(CODE, "max_tokens", 12, 34))
    words = "Overloaded"
    body = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": words}})
    refused = {"status": 529, "headers": {"request-id": "req_own"}, "body_text": body}
    yield exchange("overloaded", "messages", refused, refusal(529, "overloaded_error", words))


def block(info, first, content):
    lines = content.count("\n")
    sha = sha256(content.replace("\r\n", "\n"))
    place = {"first_line": first, "end_line": first + lines + 1}
    return place | {
        "info": info,
        "closed": True,
        "content_chars": len(content),
        "content_sha256": sha,
        "fence": "```",
        "level": 0,
    }


def answers():
    two = "Two files.\n\n```rust src/lib.rs\npub mod a;\n```\n\n"
    two += "```rust src/a.rs\npub fn one() -> u8 {\n    1\n}\n```\nDone.\n"
    found = [
        block("rust src/lib.rs", 3, "pub mod a;\n"),
        block("rust src/a.rs", 7, "pub fn one() -> u8 {\n    1\n}\n"),
    ]
    yield "own-two-files", two, found
    yield "own-crlf", two.replace("\n", "\r\n"), found
    yield "own-prose", "There is nothing to change: the function is right as it stands.\n", []
    edit = "```python a.py\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n```\n"
    yield (
        "own-edit",
        edit,
        [block("python a.py", 1, "<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n")],
    )
    blocks = '```python\nx = 1\n```\n\nIts settings:\n\n```json\n{"x": 1}\n```\n'
    yield "own-blocks", blocks, [block("python", 1, "x = 1\n"), block("json", 7, '{"x": 1}\n')]
    yield "own-unnamed", "```go\npackage main\n```\n", [block("go", 1, "package main\n")]


def commonmark():
    for number, markdown, blocks in [
        (9001, "```go\nx := 1\n```\n", [("go", "x := 1\n")]),
        (9002, "~~~~\n```\n~~~\n~~~~\n", [("", "```\n~~~\n")]),
        (9003, "no code here\n", []),
        (9004, "````md\n```\nx\n```\n````\n", [("md", "```\nx\n```\n")]),
    ]:
        found = [{"lang": lang, "content": content} for lang, content in blocks]
        yield {"example": number, "markdown": markdown, "has_fence": bool(blocks), "code_blocks": found}


def answer_records():
    for name, text, found in answers():
        expects = {"commonmark_blocks": found, "text_chars": len(text), "text_sha256": sha256(text)}
        yield {"id": name, "text": text, "kind": "made", "model": "made", "expected_commonmark": expects}


write("bedrock.jsonl", bedrock())
write("anthropic.jsonl", anthropic())
write("answers.jsonl", answer_records())
write("commonmark.jsonl", commonmark())
