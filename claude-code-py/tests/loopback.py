"""A server with the Messages API on loopback: what it was asked, and which of its connections are open."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

HELLO = "```python hello.py\nprint('hello')\n```"


def _event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _begin(usage: dict[str, Any]) -> bytes:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "usage": usage,
    }
    block = {"type": "text", "text": ""}
    delta = {"type": "text_delta", "text": HELLO}
    return (
        _event("message_start", message=message)
        + _event("content_block_start", index=0, content_block=block)
        + _event("content_block_delta", index=0, delta=delta)
    )


def _end(usage: dict[str, Any]) -> bytes:
    return (
        _event("content_block_stop", index=0)
        + _event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage=usage,
        )
        + _event("message_stop")
    )


class Loopback:
    """Answers every request; with `stall`, half of it, and then waits for the caller to hang up."""

    def __init__(
        self,
        *,
        stall: bool = False,
        first: dict[str, Any] | None = None,
        last: dict[str, Any] | None = None,
    ) -> None:
        self.stall = stall
        self.first = {"input_tokens": 10, "output_tokens": 1} if first is None else first
        self.last = {"output_tokens": 9} if last is None else last
        self.heads: list[str] = []
        self.began = threading.Semaphore(0)
        self.hung_up = threading.Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Loopback:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._listener.close()

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
            head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
            connection.sendall(head + _begin(self.first))
            self.began.release()
            if not self.stall:
                connection.sendall(_end(self.last))
                return
            try:
                while connection.recv(1024):
                    pass
            except ConnectionError:
                pass
            self.hung_up.release()
