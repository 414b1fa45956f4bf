"""A Lambda function behind API Gateway or a function URL: the HTTP API, from the Python package.

Handler: lambda_claude_code.lambda_handler, runtime python3.11, 512 MB, 300 s; settings from the environment
(CLAUDE_CODE_AWS_TABLE_NAME, CLAUDE_CODE_AWS_BUCKET_NAME, ...). Callers come in with the gateway's API keys or IAM.
The Lambda in Rust does the same and starts faster. Who invokes the function directly sends
{"function": "generate_code", "prompt": ...} or {"function": "refactor_code", "code": ..., "instructions": ...}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import claude_code
from claude_code.aws_lambda import handler

# Made once for all invocations of an instance; connects with the first call.
client = claude_code.Client()


# Seconds that the function keeps for its own answer, once the client has given up.
RESERVE = 2.0


def generate_code(prompt: str, language: str = "python", *, timeout: float | None = None) -> dict[str, Any]:
    """The result of a prompt, as the HTTP API gives it."""
    return client.generate(prompt, language=language, timeout=timeout).to_dict()


def refactor_code(
    code: str, instructions: str, language: str = "python", *, timeout: float | None = None
) -> dict[str, Any]:
    """The result of a change to code, with its diff."""
    return client.refactor(code, instructions=instructions, language=language, timeout=timeout).to_dict()


def time_left(context: Any) -> float | None:
    """Seconds that a call may take: a function that Lambda ends tells nobody what was paid for until then."""
    return max(context.get_remaining_time_in_millis() / 1000 - RESERVE, 0.1) if context else None


FUNCTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "generate_code": generate_code,
    "refactor_code": refactor_code,
}


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point: the HTTP API for gateways and the jobs' queue, a function for direct invocations."""
    name = event.get("function")
    if name is None:
        return handler(event, context)
    if name not in FUNCTIONS:
        raise ValueError(f"no function {name!r}: {', '.join(FUNCTIONS)} are here")
    arguments = {key: value for key, value in event.items() if key not in ("function", "timeout")}
    return FUNCTIONS[name](**arguments, timeout=time_left(context))
