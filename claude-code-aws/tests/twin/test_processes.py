"""Equal requests of several processes over one twin are sent once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from conftest import COMMAND, REVERSE

MODULE = Path(__file__).parents[3] / "claude-code-py" / "python"
PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import claude_code

client = claude_code.Client(store="aws")
with ThreadPoolExecutor(25) as pool:
    results = list(pool.map(lambda _: client.generate(sys.argv[1]), range(25)))
print(json.dumps([[g.id, g.cached is None] for g in results]))
"""


def test_two_processes_with_25_equal_requests_each_send_once(twin):
    environment = {**twin.env, "PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": str(MODULE)}
    prompt = REVERSE
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, prompt], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    results = []
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        results += json.loads(output)
    assert len(results) == 50
    assert len({generation for generation, _ in results}) == 1
    assert sum(sent for _, sent in results) == 1
    table = boto3.Session(
        aws_access_key_id=twin.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=twin.env["AWS_SECRET_ACCESS_KEY"],
        region_name=twin.env["AWS_REGION"],
    ).resource("dynamodb", endpoint_url=twin.env["AWS_ENDPOINT_URL_DYNAMODB"])
    assert table.Table("claude-code-results").scan()["Count"] == 1


def test_an_answer_of_thinking_alone_is_scripted_in_three_lines_and_is_empty(scripted, tmp_path):
    thinking = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in THINKING)
    header = {"header": {"name": "content-type", "value": "text/event-stream"}}
    twin = scripted({"answer": {"text": ""}, "faults": [{"body": thinking}, header]})
    settings = {"CLAUDE_CODE_AWS_PROVIDER": "anthropic", "CLAUDE_CODE_AWS_STORE": "none"}
    done = subprocess.run(
        [COMMAND, "generate", "anything", "-m", "haiku"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CLAUDE_CODE_AWS_MAX_SENDS": "1", **settings, **twin.env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    assert "ended its turn without an answer" in done.stderr, done.stderr


# A turn in which the model only thought, in the Messages API's events.
THINKING = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5", "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]  # fmt: skip
