"""An OpenAPI document becomes a typed Python client, whose own tests pass against a mock before it is written.

python examples/api_integration/api_integration.py openapi.json -o DIR [--offline | --endpoint URL]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code import ClaudeCodeError, Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from endpoint import Endpoint, EndpointError

HERE = Path(__file__).resolve().parent
WORDS = "openapi.json describes the API; client/runtime.py is its HTTP and stays as it is. Write client/__init__.py, \
client/models.py, client/api.py (Client and AsyncClient) and tests/test_client.py (the server's URL is in API_URL)."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("document", type=Path)
    parser.add_argument("-o", "--output", required=True, metavar="DIR", type=Path)
    parser.add_argument("--offline", action="store_true", help="sample answers; needs no AWS account")
    parser.add_argument("--endpoint", metavar="URL", help="ask a server of the HTTP API")
    given = parser.parse_args()
    document = given.document.read_text()
    runtime = (HERE / "runtime" / "runtime.py").read_text()
    title = json.loads(document)["info"]["title"]
    sources = {"openapi.json": document, "client/runtime.py": runtime}

    def tested(files: Mapping[str, Any]) -> list[str]:
        """What mypy and the tests say; run here, outside of a sandbox."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in {**sources, **{name: file.content for name, file in files.items()}}.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            for command in (
                ["-m", "mypy", "--strict", "--no-error-summary", "client", "tests"],
                [str(HERE / "mock.py"), "openapi.json", sys.executable, "-m", "pytest", "-q", "tests"],
            ):
                done = subprocess.run(
                    [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False
                )
                if done.returncode:
                    return [done.stdout[-4000:]]
        return []

    client: Any = Endpoint(given.endpoint) if given.endpoint else None
    client = client or (Client.local(answers=HERE / "samples") if given.offline else Client())
    try:
        prompt = f"Write a typed python client for the API {json.dumps(title)}."
        answer = client.generate(
            prompt, language="python", files=sources, instructions=WORDS, check=tested, store=False
        )
        answer.raise_for_rejected().write_to(given.output, overwrite=True)
    except (ClaudeCodeError, EndpointError) as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 1
    (given.output / "client" / "runtime.py").write_text(runtime)
    print(f"{len(answer.files) + 1} files in {os.path.relpath(given.output)}, ${answer.receipt.total_usd}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
