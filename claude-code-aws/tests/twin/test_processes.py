"""Equal requests of several processes over one twin are sent once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
from conftest import REVERSE

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
