"""Equal requests of several processes over one twin are sent once."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
from conftest import COMMAND, MODEL, REVERSE

MODULE = Path(__file__).parents[3] / "claude-code-py" / "python"
PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
import claude_code

client = claude_code.Client(store="aws")
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(25) as pool:
    results = list(pool.map(lambda _: client.generate(sys.argv[1]), range(25)))
print(json.dumps([[g.id, g.cached is None] for g in results]))
"""


def answers(*faults):
    """A step for each call, which tells its number and comes late; the first one has these faults."""
    late = {"latency_ms": 2000}
    steps = [{"answer": {"text": f"```python n.py\nn = {n}\n```\n"}, "faults": [late]} for n in range(6)]
    if faults:
        steps[0]["faults"] = list(faults)
    return steps


def service(twin, name):
    return boto3.client(
        name,
        region_name=twin.env["AWS_REGION"],
        aws_access_key_id=twin.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=twin.env["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=twin.env[f"AWS_ENDPOINT_URL_{name.upper().replace('-', '_')}"],
    )


def calls(twin):
    """How many calls the model had: the next answer tells."""
    messages = [{"role": "user", "content": [{"text": "how many"}]}]
    answer = service(twin, "bedrock-runtime").converse(modelId=MODEL, messages=messages)
    return int(answer["output"]["message"]["content"][0]["text"].split("n = ")[1].split()[0])


def rows(twin, kind):
    found = service(twin, "dynamodb").scan(TableName="claude-code-state", ConsistentRead=True)["Items"]
    return [row for row in found if row["pk"]["S"].startswith(kind)]


def test_two_processes_with_25_equal_requests_each_send_once(scripted):
    twin = scripted(*answers())
    environment = {**twin.env, "PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "PYTHONPATH": str(MODULE)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, REVERSE],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    # Both ask before there is an answer: what they share is the lease, not only the cache.
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    results = []
    for process in processes:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        results += json.loads(output)
    assert len(results) == 50
    assert len({generation for generation, _ in results}) == 1
    assert sum(sent for _, sent in results) == 1
    assert calls(twin) == 1
    assert service(twin, "dynamodb").scan(TableName="claude-code-results")["Count"] == 1


def start(twin, home):
    environment = {**twin.env, "PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CODE_AWS_STORE": "aws"}
    return subprocess.Popen(
        [COMMAND, "generate", REVERSE, "-m", "haiku", "--json"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def asking(twin, home):
    """A process whose request is under way and gets no answer."""
    leader = start(twin, home)
    until(lambda: any(int(row["reserved"]["N"]) > 0 for row in rows(twin, "BUDGET") if "reserved" in row))
    assert len(rows(twin, "LEASE")) == 1
    # The money is held right before the request is written.
    time.sleep(1)
    return leader


def test_a_killed_leader_is_followed_by_one(scripted, tmp_path):
    twin = scripted(*answers({"stall_at": 200}))
    leader = asking(twin, tmp_path)
    leader.kill()
    leader.communicate()
    followers = [start(twin, tmp_path) for _ in range(2)]
    results = []
    for follower in followers:
        output, told = follower.communicate(timeout=60)
        assert follower.returncode == 0, told
        results.append(json.loads(output))
    assert [result["files"][0]["content"] for result in results] == ["n = 1\n"] * 2
    assert results[0]["id"] == results[1]["id"]
    assert calls(twin) == 2, "the dead leader's, and one after it"


def test_ctrl_c_gives_the_right_to_ask_back_and_tells_that_the_cost_is_unknown(scripted, tmp_path):
    twin = scripted(*answers({"stall_at": 200}))
    leader = asking(twin, tmp_path)
    leader.send_signal(signal.SIGINT)
    leader.communicate(timeout=60)
    assert leader.returncode == 130
    [lease] = rows(twin, "LEASE")
    assert int(lease["expires_ms"]["N"]) <= time.time() * 1000
    assert all(int(row["unknown"]["N"]) > 0 for row in rows(twin, "BUDGET") if "unknown" in row)


def until(happened):
    for _ in range(200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within ten seconds")


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
