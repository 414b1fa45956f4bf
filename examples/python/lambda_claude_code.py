"""A Lambda function behind API Gateway: POST {"prompt": …, "language": …} gives the result's JSON.

Results go to the bucket and the table of CLAUDE_CODE_AWS_BUCKET_NAME and CLAUDE_CODE_AWS_TABLE_NAME. The
Rust router of this project (`serve`, or its Lambda build) does more and starts faster; this is the same job
in Python.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import claude_code

# What an exception means to an HTTP caller; everything else is a 500.
STATUS: dict[type[claude_code.ClaudeCodeError], int] = {
    claude_code.InvalidRequestError: 422,
    claude_code.AuthenticationError: 401,
    claude_code.PermissionDeniedError: 403,
    claude_code.NotFoundError: 404,
    claude_code.ConflictError: 409,
    claude_code.ModelRetiredError: 410,
    claude_code.BudgetExceededError: 402,
    claude_code.RefusedError: 422,
    claude_code.EditError: 422,
    claude_code.IncompleteAnswerError: 502,
    claude_code.RateLimitError: 503,
    claude_code.UnavailableError: 503,
    claude_code.RequestTimeoutError: 504,
}

# Made once for all requests of an instance; connects with the first one.
client = claude_code.Client()


def generate_code(body: dict[str, Any]) -> dict[str, Any]:
    """The result for a request's body."""
    return client.generate(body["prompt"], language=body.get("language"), timeout=280).to_dict()


def refactor_code(body: dict[str, Any]) -> dict[str, Any]:
    """The result of a refactoring request's body."""
    return client.refactor(
        body.get("files") or body["code"],
        instructions=body["instructions"],
        language=body.get("language"),
        timeout=280,
    ).to_dict()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry point."""
    del context
    if event.get("rawPath", event.get("path", "")).endswith("/health"):
        return response(200, {"status": "ok", "version": claude_code.__version__})
    try:
        raw = event.get("body") or ""
        body = json.loads(base64.b64decode(raw) if event.get("isBase64Encoded") else raw)
        return response(200, refactor_code(body) if "instructions" in body else generate_code(body))
    except (ValueError, KeyError, TypeError) as error:
        return response(
            400, {"kind": "malformed", "detail": f"the body is not a request: {type(error).__name__}"}
        )
    except claude_code.ClaudeCodeError as error:
        problem = {"kind": error.kind, "detail": str(error), "hint": error.hint}
        return response(STATUS.get(type(error), 500), problem)


def response(status: int, body: dict[str, Any]) -> dict[str, Any]:
    """What API Gateway sends on."""
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
