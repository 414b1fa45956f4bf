"""A Lambda function behind API Gateway or a function URL: the HTTP API, from the Python package.

Handler: lambda_claude_code.lambda_handler, runtime python3.11, 512 MB, 300 s; settings from the environment
(CLAUDE_CODE_AWS_TABLE_NAME, CLAUDE_CODE_AWS_BUCKET_NAME, ...). Callers come in with the gateway's API keys or IAM.
The Lambda in Rust does the same and starts faster.
"""

from __future__ import annotations

from typing import Any

from claude_code.aws_lambda import handler


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point."""
    return handler(event, context)
