"""The work that a release build is trained on: what most users do, at the frequency that they do it.

    python train.py first     one call, nothing stored
    python train.py tls       the same over TLS, as AWS is asked
    python train.py disk      the same with results on the disk
    python train.py           all of it, many times

Needs a module that was built with `-C profile-generate`; LLVM_PROFILE_FILE says where it writes what it counted. Asks
the local twin over loopback, through the AWS SDK. Errors are not trained: code that never ran here is laid out
apart from the rest, and made small instead of fast.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal

ROUNDS = 200
URL = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
SAMPLE = "Write a Python function that reverses a string."
BODIES = {
    "python": "def half(n: int) -> int:\n    return n // 2\n",
    "typescript": "export const half = (n: number): number => Math.floor(n / 2);\n",
    "go": "package main\n\nfunc Half(n int) int {\n\treturn n / 2\n}\n",
    "json": '{"half": [1, 2.5, null]}\n',
    "yaml": "half:\n  - 1\n  - two\n",
}


@contextmanager
def twin(directory: str, counted: bool) -> Iterator[dict[str, str]]:
    """The twin in a process of its own; gives the environment that its clients need."""
    command = [sys.executable, "-m", "claude_code", "twin", "up", "--port", "0", "--dir", directory]
    env = dict(os.environ) if counted else {**os.environ, "LLVM_PROFILE_FILE": os.devnull}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=env)
    assert server.stdout
    variables = {}
    for line in server.stdout:
        found = re.search(r"(\w+)=(\S+)", line)
        if found:
            variables[found[1]] = found[2]
            if found[1] == URL:
                break
    try:
        yield variables
    finally:
        server.terminate()
        server.wait()


def secured(directory: str, url: str) -> dict[str, str]:
    """TLS before the twin, with a certificate that only clients with these variables trust."""
    key, certificate = f"{directory}/key.pem", f"{directory}/certificate.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run(
        [*make.split(), *names, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    serving = relay(listener, context, int(url.rpartition(":")[2]))
    threading.Thread(target=asyncio.run, args=(serving,), daemon=True).start()
    return {URL: f"https://localhost:{listener.getsockname()[1]}", "SSL_CERT_FILE": certificate}


async def relay(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A process that ends resets what it has open.
        with suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
        writer.close()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_twin, to_twin = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, to_twin), pipe(from_twin, writer))

    server = await asyncio.start_server(accepted, sock=listener, ssl=context)
    await server.serve_forever()


def one(store: Literal["none", "disk"]) -> None:
    from claude_code import Client, read_answer

    assert read_answer(fenced("python", 1)).files
    with Client(provider="bedrock", store=store) as client:
        stored = store != "none"
        assert client.generate(SAMPLE, model="haiku", cache="off", validate=False, store=stored).files


def calls(rounds: int) -> None:
    """One after the other: plain, streamed, cached."""
    from claude_code import Client

    with Client(provider="bedrock", store="none") as client:
        for _ in range(rounds * 5):
            client.generate(SAMPLE, model="haiku", cache="off", validate=False)
        for _ in range(rounds):
            with client.stream(SAMPLE, model="haiku", cache="off") as events:
                for event in events:
                    repr(event)
            client.generate(SAMPLE)
            client.estimate(SAMPLE)


def kept(store: Literal["disk", "aws"]) -> None:
    from claude_code import Client

    with Client(provider="bedrock", store=store) as client:
        for _ in range(ROUNDS // 40):
            generation = client.generate(SAMPLE, cache="refresh")
            client.generate(SAMPLE)
            for row in client.results.list(language="python"):
                client.results.get(row.id)
            client.refactor(generation.files, instructions=SAMPLE)
        client.budget()
        client.doctor()


def scripted() -> None:
    """Answers of every kind within the process, checked; what a notebook shows of them."""
    from claude_code.testing import Twin

    twin = Twin()
    client = twin.client()
    for language, body in BODIES.items():
        for n in range(ROUNDS // 40):
            twin.answer(fenced(language, 1 if language == "json" else 1 + n))
            generation = client.generate(f"{n}, in {language}")
            assert generation.files, language
            generation.to_dict()
            generation._repr_html_()
        twin.answer(f"```{language} half\n{body}```\n```python b.py\n{BODIES['python']}```\n")
        with tempfile.TemporaryDirectory() as directory:
            client.generate(f"two files, {language}").write_to(directory)
    twin.answer(fenced("python", 300))
    with client.stream("a long one") as events:
        assert sum(1 for _ in events) > 3


def fenced(language: str, repeats: int) -> str:
    return f"Here it is.\n\n```{language}\n{BODIES[language] * repeats}```\n\nCall it with a number.\n"


async def awaited() -> None:
    from claude_code import AsyncClient

    async with AsyncClient(provider="bedrock", store="none") as client:
        for _ in range(ROUNDS // 20):
            await asyncio.gather(*(client.generate(SAMPLE, cache="off") for _ in range(8)))
            async for event in client.stream(SAMPLE, cache="off"):
                repr(event)
        async for item in client.batch([SAMPLE] * 8):
            assert item.generation


def command() -> None:
    run = [sys.executable, "-m", "claude_code"]
    with tempfile.TemporaryDirectory() as directory:
        written = ["generate", SAMPLE, "--output", f"{directory}/out"]
        subprocess.run([*run, *written], check=True, capture_output=True)
    for words in (["--help"], ["models"], ["results", "list"], ["doctor"]):
        subprocess.run([*run, *words], check=False, capture_output=True)


def everything(directory: str) -> None:
    calls(ROUNDS)
    kept("disk")
    kept("aws")
    scripted()
    asyncio.run(awaited())
    command()
    os.environ.update(secured(directory, os.environ[URL]))
    calls(ROUNDS // 2)


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "everything"
    with (
        tempfile.TemporaryDirectory() as directory,
        twin(f"{directory}/twin", what == "everything") as variables,
    ):
        os.environ.update(variables, AWS_EC2_METADATA_DISABLED="true")
        os.environ["CLAUDE_CODE_AWS_LOCAL_DIR"] = f"{directory}/disk"
        if what == "tls":
            os.environ.update(secured(directory, variables[URL]))
        works: dict[str, Callable[[], None]] = {
            "first": lambda: one("none"),
            "tls": lambda: one("none"),
            "disk": lambda: one("disk"),
            "everything": lambda: everything(directory),
        }
        works[what]()


main()
