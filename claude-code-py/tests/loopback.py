"""A server with the Messages API or Converse on loopback: what it was asked, and which of its connections are open."""

from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from typing import Any, Callable, Union

import pytest

HELLO = "```python hello.py\nprint('hello')\n```"

Usage = dict[str, Any]


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


class Messages:
    """The Messages API: the usage stands in the first event and in the last but one."""

    content_type = "text/event-stream"

    def __init__(self, first: Usage | None = None, last: Usage | None = None) -> None:
        self.first = {"input_tokens": 10, "output_tokens": 1} if first is None else first
        self.last = {"output_tokens": 9} if last is None else last

    def begin(self) -> bytes:
        message: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": [],
            "stop_reason": None,
            "usage": self.first,
        }
        block = {"type": "text", "text": ""}
        delta = {"type": "text_delta", "text": HELLO}
        return (
            event("message_start", message=message)
            + event("content_block_start", index=0, content_block=block)
            + event("content_block_delta", index=0, delta=delta)
        )

    def end(self, stop_reason: str) -> bytes:
        return (
            event("content_block_stop", index=0)
            + event(
                "message_delta",
                delta={"stop_reason": stop_reason, "stop_sequence": None},
                usage=self.last,
            )
            + event("message_stop")
        )

    def environment(self, url: str) -> dict[str, str]:
        return {
            "CLAUDE_CODE_AWS_PROVIDER": "anthropic",
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "test",
        }


def _frame(event: str, payload: object) -> bytes:
    """One message of AWS's event-stream encoding."""
    headers = b""
    named = {":message-type": "event", ":event-type": event, ":content-type": "application/json"}
    for name, value in named.items():
        headers += bytes([len(name)]) + name.encode() + b"\x07"
        headers += len(value).to_bytes(2, "big") + value.encode()
    body = json.dumps(payload).encode()
    total = 12 + len(headers) + len(body) + 4
    prelude = total.to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = prelude + zlib.crc32(prelude).to_bytes(4, "big") + headers + body
    return message + zlib.crc32(message).to_bytes(4, "big")


class Converse:
    """Bedrock's ConverseStream: the usage stands in the metadata, of which there may be several."""

    content_type = "application/vnd.amazon.eventstream"

    def __init__(self, *reports: Usage) -> None:
        one = {"inputTokens": 10, "outputTokens": 9, "totalTokens": 19}
        self.reports: Sequence[Usage] = reports or (one,)

    def begin(self) -> bytes:
        delta = {"contentBlockIndex": 0, "delta": {"text": HELLO}}
        return _frame("messageStart", {"role": "assistant"}) + _frame("contentBlockDelta", delta)

    def end(self, stop_reason: str) -> bytes:
        last = [{"usage": usage, "metrics": {"latencyMs": 10}} for usage in self.reports]
        return (
            _frame("contentBlockStop", {"contentBlockIndex": 0})
            + _frame("messageStop", {"stopReason": stop_reason})
            + b"".join(_frame("metadata", report) for report in last)
        )

    def environment(self, url: str) -> dict[str, str]:
        return {
            "CLAUDE_CODE_AWS_PROVIDER": "bedrock",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


Wire = Union[Messages, Converse]


class Loopback:
    """Answers every request; with `stall`, half of it, and then waits for the caller to hang up.

    ending: seconds between the first half and the second, and its stop reason, for each answer anew."""

    def __init__(
        self,
        *,
        stall: bool = False,
        wire: Wire | None = None,
        ending: Callable[[], tuple[float, str]] = lambda: (0.0, "end_turn"),
    ) -> None:
        self.stall = stall
        self.wire = wire or Messages()
        self.ending = ending
        self.heads: list[str] = []
        self.began = threading.Semaphore(0)
        self.hung_up = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Clients that are made from the environment ask this server, and keep nothing on disk."""
        monkeypatch.setenv("CLAUDE_CODE_AWS_STORE", "none")
        for name, value in self.wire.environment(self.url).items():
            monkeypatch.setenv(name, value)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            text = head.decode().lower()
            length = int(text.split("content-length:")[1].split("\r\n")[0])
            while len(body) < length:
                body += connection.recv(65536)
            self.heads.append(text)
            kind = self.wire.content_type
            head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode()
            connection.sendall(head + self.wire.begin())
            self.began.release()
            if not self.stall:
                seconds, stop_reason = self.ending()
                time.sleep(seconds)
                try:
                    connection.sendall(self.wire.end(stop_reason))
                except ConnectionError:
                    self.hung_up.release()
                return
            try:
                while connection.recv(1024):
                    pass
            except ConnectionError:
                pass
            self.hung_up.release()
