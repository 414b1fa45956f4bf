"""HTTP of a generated client: authentication, timeouts, retries, typed errors, server-sent events. No dependency."""

from __future__ import annotations

import base64
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Protocol

# A server that asks for a longer wait, in seconds, is not asked again: the error has its `retry_after`.
MAX_WAIT = 60.0

Query = Mapping[str, "str | int | float | bool | None"]


class ApiError(Exception):
    """An answer that is no success; `problem` is its body where that is JSON."""

    def __init__(self, status: int, problem: Any, retry_after: float | None = None) -> None:
        detail = problem.get("detail") or problem.get("title") if isinstance(problem, dict) else None
        super().__init__(f"status {status}: {detail or 'no detail'}")
        self.status, self.problem, self.retry_after = status, problem, retry_after


class BadRequestError(ApiError):
    """400."""


class UnauthorizedError(ApiError):
    """401."""


class ForbiddenError(ApiError):
    """403."""


class NotFoundError(ApiError):
    """404."""


class ConflictError(ApiError):
    """409."""


class UnprocessableError(ApiError):
    """422: the request can be read and is not acceptable."""


class TooManyRequestsError(ApiError):
    """429."""


class ServerError(ApiError):
    """500 and above."""


class ConnectionFailedError(Exception):
    """No answer: not reached, or not within the timeout."""


ERRORS: dict[int, type[ApiError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: TooManyRequestsError,
}


@dataclass(frozen=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Answer(Protocol):
    """What comes back: status, headers, and lines or all of the body."""

    status: int
    headers: Mapping[str, str]

    def read(self) -> bytes: ...
    def __iter__(self) -> Iterator[bytes]: ...


class Sender(Protocol):
    """Sends a request; raises OSError or HTTPException where there is no answer."""

    def __call__(self, request: Request, timeout: float) -> Answer: ...


def send(request: Request, timeout: float) -> Answer:
    """Sends over the network."""
    out = urllib.request.Request(request.url, request.body, dict(request.headers), method=request.method)
    try:
        answer: Answer = urllib.request.urlopen(out, timeout=timeout)
    except urllib.error.HTTPError as refused:
        answer = refused  # type: ignore[assignment]
    return answer


@dataclass
class Transport:
    """Sends requests of one API."""

    base_url: str
    bearer: str | None = field(default=None, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    """User and password."""
    api_key: tuple[str, str] | None = field(default=None, repr=False)
    """Header and value."""
    query_key: tuple[str, str] | None = field(default=None, repr=False)
    """Name and value in the query."""
    timeout: float = 60.0
    retries: int = 3
    sender: Sender = send
    sleep: Any = time.sleep

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        keyed: bool = False,
    ) -> Any:
        """The JSON of a good answer; None where it has no body.

        What may be repeated (GET, PUT, DELETE, and whatever has an idempotency key) is, after 429, 502, 503, 504 and a
        failed connection: after Retry-After, else after a growing, random wait.
        """
        answer = self._answer(method, path, query, body, headers, idempotency_key, keyed)
        try:
            text = answer.read()
        except (OSError, HTTPException) as lost:
            raise ConnectionFailedError(f"{method} {path}: the answer broke off: {lost}") from lost
        return json.loads(text) if text else None

    def events(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Name and data of each server-sent event."""
        accept = {"Accept": "text/event-stream"}
        name, data = "message", ""
        for raw in self._answer(method, path, query, body, accept, idempotency_key, False):
            line = raw.decode().rstrip("\r\n")
            key, _, value = line.partition(":")
            if key == "event":
                name = value.strip()
            elif key == "data":
                data += value.removeprefix(" ")
            elif not line and data:
                yield name, json.loads(data)
                name, data = "message", ""

    def _answer(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Any,
        headers: Mapping[str, str] | None,
        idempotency_key: str | None,
        keyed: bool,
    ) -> Answer:
        key = idempotency_key or (str(uuid.uuid4()) if keyed else None)
        request = self._request(method, path, query, body, dict(headers or {}), key)
        repeatable = method in ("GET", "HEAD", "PUT", "DELETE") or key is not None
        for attempt in range(self.retries + 1):
            last = attempt == self.retries or not repeatable
            try:
                answer = self.sender(request, self.timeout)
            except (OSError, HTTPException) as lost:
                if last:
                    raise ConnectionFailedError(f"{method} {path}: {lost}") from lost
                self.sleep(backoff(attempt))
                continue
            if answer.status < 400:
                return answer
            error = failure(answer)
            if last or answer.status not in (429, 502, 503, 504) or (error.retry_after or 0) > MAX_WAIT:
                raise error
            self.sleep(backoff(attempt) if error.retry_after is None else error.retry_after)
        raise AssertionError("unreachable")

    def _request(
        self, method: str, path: str, query: Query | None, body: Any, headers: dict[str, str], key: str | None
    ) -> Request:
        given = {name: text(value) for name, value in (query or {}).items() if value is not None}
        given |= dict([self.query_key] if self.query_key else [])
        url = self.base_url.rstrip("/") + path + ("?" + urllib.parse.urlencode(given) if given else "")
        headers = {"Accept": "application/json", **headers}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.bearer is not None:
            headers["Authorization"] = f"Bearer {self.bearer}"
        if self.basic is not None:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.basic).encode()).decode()
        if self.api_key is not None:
            headers[self.api_key[0]] = self.api_key[1]
        if key is not None:
            headers["Idempotency-Key"] = key
        return Request(method, url, headers, None if body is None else json.dumps(body).encode())


def text(value: str | int | float | bool) -> str:
    """A value in a query or a path."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def segment(value: str | int) -> str:
    """A value as one segment of a path."""
    return urllib.parse.quote(str(value), safe="")


def backoff(attempt: int) -> float:
    """Seconds before the next attempt: doubled each time, with full jitter."""
    return random.uniform(0, min(8.0, 0.5 * 2**attempt))


def failure(answer: Answer) -> ApiError:
    """The error of an answer."""
    body = answer.read()
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    kind = ERRORS.get(answer.status, ServerError if answer.status >= 500 else ApiError)
    return kind(answer.status, problem, retry_after(answer.headers.get("Retry-After")))


def retry_after(value: str | None) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
