"""aioboto3 pins a botocore of its own: it has its own environment."""

import asyncio

from conftest import MODEL, REVERSE

ASK = [{"role": "user", "content": [{"text": REVERSE}]}]


def test_aioboto3_converses(twin):
    import aioboto3

    async def ask():
        async with aioboto3.Session().client("bedrock-runtime") as runtime:
            return await runtime.converse(modelId=MODEL, messages=ASK)

    assert asyncio.run(ask())["stopReason"] == "end_turn"
