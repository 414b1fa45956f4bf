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


def generate_code(prompt: str, language: str = "python") -> dict[str, Any]:
    """The result of a prompt, as the HTTP API gives it."""
    return client.generate(prompt, language=language).to_dict()


def refactor_code(code: str, instructions: str, language: str = "python") -> dict[str, Any]:
    """The result of a change to code, with its diff."""
    return client.refactor(code, instructions=instructions, language=language).to_dict()


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
    return FUNCTIONS[name](**{key: value for key, value in event.items() if key != "function"})
