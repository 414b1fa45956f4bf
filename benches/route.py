"""How long the command tries a host that it cannot reach, and what its error says.

    python route.py COMMAND [--check]

Loopback stands in for a corporate network: a TLS server with a CA of its own (made by the openssl command) and a proxy. Printed
are seconds and the error's first line; with --check it ends with 1 if one is outside its bound or names neither cause nor fix.
"""

from __future__ import annotations

import argparse
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ELSEWHERE = "https://bedrock.example.com"


def serve(answer: Callable[[socket.socket], object]) -> int:
    """Lets `answer` have every connection; gives the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def closed() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def tls(directory: Path) -> int:
    """A server whose certificate nobody knows."""
    key, cert = directory / "key.pem", directory / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)
        except OSError:
            connection.close()

    return serve(answer)


def proxy(status: str) -> int:
    """A proxy that refuses every tunnel."""

    def answer(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536)[-4:] not in (b"\r\n\r\n", b""):
                pass
            connection.sendall(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())

    return serve(answer)


def forgets(status: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": ELSEWHERE, "HTTPS_PROXY": f"http://user:canary@127.0.0.1:{proxy(status)}"}


def silent(_: socket.socket) -> None:
    """Takes a connection and never says a word."""
    threading.Event().wait()


def secret(endpoint: str) -> dict[str, str]:
    """The Messages API's key is a secret, and Secrets Manager is there."""
    return {
        "CLAUDE_CODE_AWS_PROVIDER": "anthropic",
        "CLAUDE_CODE_AWS_ANTHROPIC_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:key-AbCdEf",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint,
    }


def scenarios(directory: Path) -> dict[str, tuple[dict[str, str], float, tuple[str, str]]]:
    """Name of a scenario: variables, bound in seconds, the cause and the fix that its error must tell."""
    endpoint = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
    # An address of this machine that is not loopback by its name: refused as a remote one is.
    own = {endpoint: ELSEWHERE, "HTTPS_PROXY": f"http://{socket.gethostname()}:{closed()}"}
    return {
        "unknown CA": (
            {endpoint: f"https://127.0.0.1:{tls(directory)}"}, 5,
            ("a CA that this machine does not know", "set AWS_CA_BUNDLE"),
        ),
        "proxy 407": (
            forgets("407 Proxy Authentication Required"), 5, ("(407)", "HTTPS_PROXY=http://user:password"),
        ),
        "proxy 403": (forgets("403 Forbidden"), 5, ("(403)", "name it in NO_PROXY")),
        "no such host": (
            {endpoint: "https://no-such-host.invalid"}, 5, ("the name no-such-host.invalid", "check "),
        ),
        "refused, loopback": (
            {endpoint: f"http://127.0.0.1:{closed()}"}, 5, ("refused the connection", "check host and port"),
        ),
        "refused": (own, 35, ("refused the connection", "check host and port")),
        "secret, refused": (
            secret(f"http://127.0.0.1:{closed()}"), 5, ("refused the connection", "check host and port"),
        ),
        "secret, unknown CA": (
            secret(f"https://127.0.0.1:{tls(directory)}"), 5,
            ("a CA that this machine does not know", "set AWS_CA_BUNDLE"),
        ),
        "secret, no host": (secret("https://no-such-host.invalid"), 5, ("the name no-such-host.invalid", "check ")),
        "secret, silent": (
            secret(f"http://127.0.0.1:{serve(silent)}"), 20, ("did not answer", "set ANTHROPIC_API_KEY"),
        ),
    }  # fmt: skip


def main() -> int:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("command", type=Path)
    arguments.add_argument("--check", action="store_true", help="fail outside a bound")
    given = arguments.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for scenario, (variables, bound, words) in scenarios(directory).items():
            env = {
                "PATH": os.environ["PATH"],
                "HOME": name,
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "b",
                "AWS_EC2_METADATA_DISABLED": "true",
                "CLAUDE_CODE_AWS_STORE": "none",
            } | variables
            begun = time.perf_counter()
            done = subprocess.run(
                [given.command.resolve(), "generate", "reverse a string"],
                env=env, cwd=name, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            took = time.perf_counter() - begun
            line = next((line for line in done.stderr.splitlines() if line.startswith("error:")), done.stderr)
            good = took <= bound and all(word in line for word in words)
            good &= "canary" not in done.stderr and done.returncode == 1
            missed |= not good
            print(f"{scenario:18} {took:6.1f} s of {bound:3.0f}  {'' if good else 'MISSED  '}{line}")
    return 1 if missed and given.check else 0


if __name__ == "__main__":
    sys.exit(main())
