"""Moto as the AWS of a test, on loopback; and the part of the template that it can create."""

import copy
import json
import logging
import os
import urllib.request
from contextlib import contextmanager

import boto3
from moto.cloudformation.parsing import get_model_list
from moto.server import ThreadedMotoServer

from evaluate import Template
from known import ACCOUNT, REGION

# Types that moto claims but does not create from this template: an API without its alias has no methods to deploy.
NOT_CREATED = "AWS::ApiGateway::"


class Mock:
    """A moto server of its own."""

    def __init__(self, url):
        self.url = url

    def client(self, service):
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x")

    def environment(self):
        """What a command needs to ask this server and nobody else."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def post(self, path, body):
        request = urllib.request.Request(f"{self.url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()


@contextmanager
def mocked():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    os.environ.setdefault("MOTO_ACCOUNT_ID", ACCOUNT)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        mock = Mock(f"http://{host}:{port}")
        # Moto keeps one account for all its servers of a process.
        mock.post("/moto-api/reset", {})
        # Functions are not run in containers here.
        mock.post("/moto-api/config", {"lambda": {"use_docker": False}})
        yield mock
    finally:
        server.stop()


def reduced(template, parameters):
    """The template under these parameters, without what moto does not support, and without what refers to that."""
    evaluated = Template(template, parameters)
    template = decided(copy.deepcopy(template), evaluated)
    resources = template["Resources"]
    supported = {model.cloudformation_type() for model in get_model_list()}

    def unsupported(entry):
        absent = "Condition" in entry and not evaluated.holds(entry["Condition"])
        return absent or entry["Type"] not in supported or entry["Type"].startswith(NOT_CREATED)

    dropped = {name for name, entry in resources.items() if unsupported(entry)}
    while more := {name for name, entry in resources.items() if name not in dropped and set(referred(entry)) & dropped}:
        dropped |= more
    for name in dropped:
        del resources[name]
    for entry in resources.values():
        entry.pop("DependsOn", None)
    template["Outputs"] = {name: entry for name, entry in template["Outputs"].items() if not set(referred(entry)) & dropped}
    return template


def decided(node, evaluated):
    """The same with each Fn::If replaced by the branch that is taken."""
    if isinstance(node, list):
        return [decided(item, evaluated) for item in node]
    if not isinstance(node, dict):
        return node
    if "Fn::If" in node:
        condition, then, otherwise = node["Fn::If"]
        return decided(then if evaluated.holds(condition) else otherwise, evaluated)
    return {name: decided(value, evaluated) for name, value in node.items()}


def referred(node):
    if isinstance(node, dict):
        yield from [node["Ref"]] if "Ref" in node else []
        yield from [node["Fn::GetAtt"][0]] if "Fn::GetAtt" in node else []
        for value in node.values():
            yield from referred(value)
    elif isinstance(node, list):
        for value in node:
            yield from referred(value)
