"""Rebuilds a client from a pickle."""

from typing import Any


def rebuild(client: Any, is_local: bool, options: dict[str, Any]) -> Any:
    """The client of these constructor arguments: credentials and connections are found where it is made."""
    return (client.local if is_local else client)(**options)
