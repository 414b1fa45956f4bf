"""The HTTP API as a Lambda on Python: set the function's handler to `claude_code.aws_lambda.handler`.

The same routes, scopes, jobs and errors as `serve` and as the function in Rust, from the same settings; who stays on
Python pays with a slower start and answers in one piece.
"""

import json
import time
from typing import Any

from ._claude_code import _lambda

# Where there is no context, as in tests: API Gateway's own limit.
_LEFT = 29_000


def handler(event: "dict[str, Any]", context: Any) -> "dict[str, Any]":
    """Answers an event of API Gateway (REST or HTTP), of a function URL, or of the jobs' queue."""
    left = context.get_remaining_time_in_millis() if context else _LEFT
    answer: dict[str, Any] = json.loads(_lambda(json.dumps(event), int(time.time() * 1000) + left))
    return answer
