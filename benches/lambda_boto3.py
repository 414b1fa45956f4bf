"""What people write by hand: a Lambda on boto3 that asks Bedrock, keeps the code in S3 and a row in DynamoDB.

Started as a process by lambda.py: clients at the start, then a runtime loop as small as one can be.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import uuid

import boto3

bedrock = boto3.client("bedrock-runtime")
s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["CLAUDE_CODE_AWS_TABLE_NAME"])
BUCKET = os.environ["CLAUDE_CODE_AWS_BUCKET_NAME"]
MODEL = os.environ["BENCH_MODEL"]


def handler(event: dict[str, object]) -> dict[str, object]:
    """The prompt's code, kept."""
    prompt = json.loads(str(event["body"]))["prompt"]
    answer = bedrock.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": prompt}]}])
    text = answer["output"]["message"]["content"][0]["text"]
    code = text.split("```")[1].split("\n", 1)[1] if "```" in text else text
    made, stamp = str(uuid.uuid4()), time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    key = f"generated-code/python/{stamp}-{made}.py"
    s3.put_object(Bucket=BUCKET, Key=key, Body=code.encode(), ContentType="text/x-python")
    row = {"id": made, "prompt": prompt[:500], "language": "python", "generated_at": stamp, "s3_key": key}
    table.put_item(Item={**row, "code_length": len(code), "model": MODEL})
    body = {"id": made, "code": code, "s3_key": key, "stop_reason": answer["stopReason"]}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}


def main() -> None:
    """Events for ever."""
    runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        got = runtime.getresponse()
        event = json.loads(got.read())
        place = f"/2018-06-01/runtime/invocation/{got.headers['Lambda-Runtime-Aws-Request-Id']}/response"
        runtime.request("POST", place, json.dumps(handler(event)))
        runtime.getresponse().read()


main()
