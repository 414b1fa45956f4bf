"""The workshop's first client: code from words, and changes to code.

Runs offline with sample answers; with `--bedrock` it asks Amazon Bedrock with your AWS credentials.
"""

from __future__ import annotations

import sys

from claude_code import ClaudeCodeError, Client, Generation


class ClaudeCodeClient:
    """Generates and refactors code. Retries, validation, storing and the bill are the client's work."""

    def __init__(self, client: Client | None = None) -> None:
        self.client = client or Client()

    def generate_code(
        self,
        prompt: str,
        language: str = "python",
        max_tokens: int | None = None,
        temperature: float | None = None,
        max_usd: str = "0.50",
    ) -> Generation:
        """Code for a prompt; costs at most `max_usd` dollars.

        Current models take no temperature: it is left out then, and the result's `warnings` say so.
        """
        return self.client.generate(
            prompt, language=language, max_tokens=max_tokens, temperature=temperature, max_usd=max_usd
        )

    def refactor_code(self, code: str, instructions: str, language: str = "python") -> Generation:
        """The code, changed as the instructions say."""
        return self.client.refactor(code, instructions=instructions, language=language)


def main() -> int:
    offline = "--bedrock" not in sys.argv
    claude = ClaudeCodeClient(Client.local() if offline else Client())
    try:
        generation = claude.generate_code("Write a Python function that reverses a string.")
    except ClaudeCodeError as error:
        print(f"{error.kind}: {error}\n{error.hint or ''}", file=sys.stderr)
        return 1
    print(generation.code)
    print(f"{generation.model} · {generation.usage.output_tokens} tokens · ${generation.receipt.total_usd}")
    return 0 if generation.accepted else 3


if __name__ == "__main__":
    raise SystemExit(main())
