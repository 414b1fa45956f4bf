"""A provider for Terraform that knows the AWS provider's schema and calls nobody.

It serves infra/terraform/schema.json over plugin protocol 6, so that the real `terraform` validates, plans and tests without the
real provider. Computed attributes that others refer to get the values that AWS would give (`known`), so that a plan has none
that are unknown.
"""

import json
import os
import subprocess
from concurrent import futures
from contextlib import contextmanager
from pathlib import Path

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from known import DATA, attributes

SOURCE = "registry.terraform.io/hashicorp/aws"
BIG = 64 << 20


def block(entry):
    """A block of schema.json in the protocol's form."""
    nested = pb.Schema.NestedBlock
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(name=name, **{**attribute, "type": json.dumps(attribute["type"]).encode()})
            for name, attribute in sorted(entry["attributes"].items())
        ],
        block_types=[
            nested(
                type_name=name,
                nesting=nested.SINGLE if name == "timeouts" else nested.LIST,
                block=block(inner["block"]),
                min_items=1 if inner["required"] else 0,
                max_items=0 if inner["many"] or name == "timeouts" else 1,
            )
            for name, inner in sorted(entry["blocks"].items())
        ],
    )


def encoded(value):
    return pb.DynamicValue(msgpack=msgpack.packb(value))


def decoded(value):
    return msgpack.unpackb(value.msgpack, strict_map_key=False) if value.msgpack else json.loads(value.json)


class Provider(rpc.ProviderServicer):
    """Answers what `terraform init`, `validate`, `plan` and `test` ask."""

    def __init__(self, schema):
        self.resources = {name: pb.Schema(block=block(entry)) for name, entry in schema["resources"].items()}
        self.data = {name: pb.Schema(block=block(entry)) for name, entry in schema["data"].items()}

    def GetMetadata(self, request, context):
        answer = pb.GetMetadata.Response
        return answer(
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self.resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self.data],
        )

    def GetProviderSchema(self, request, context):
        region = pb.Schema.Attribute(name="region", type=b'"string"', optional=True)
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=pb.Schema.Block(attributes=[region])),
            resource_schemas=self.resources,
            data_source_schemas=self.data,
        )

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        return pb.ConfigureProvider.Response()

    def ReadDataSource(self, request, context):
        state = decoded(request.config) | DATA[request.type_name]
        return pb.ReadDataSource.Response(state=encoded(state))

    def PlanResourceChange(self, request, context):
        planned = decoded(request.proposed_new_state)
        if planned is not None:
            planned |= {name: value for name, value in attributes(request.type_name, planned).items() if planned.get(name) is None}
        return pb.PlanResourceChange.Response(planned_state=encoded(planned))

    def StopProvider(self, request, context):
        return pb.StopProvider.Response()


class Terraform:
    """`terraform` in a directory, with this provider."""

    def __init__(self, executable, address):
        self.executable = executable
        reattach = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "tcp", "String": address},
        }
        self.environment = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
        self.environment |= {"TF_REATTACH_PROVIDERS": json.dumps({SOURCE: reattach}), "CHECKPOINT_DISABLE": "1"}

    def __call__(self, directory, *arguments):
        command = [self.executable, *arguments]
        return subprocess.run(command, cwd=directory, env=self.environment, capture_output=True, text=True, timeout=120)

    def plan(self, directory, variables):
        """The resources that a plan creates, as a list of (address, type, values)."""
        given = [f"-var={name}={value}" for name, value in variables.items()]
        planned = self(directory, "plan", "-input=false", "-no-color", "-refresh=false", "-out=plan", *given)
        if planned.returncode:
            raise AssertionError(planned.stdout + planned.stderr)
        shown = json.loads(self(directory, "show", "-json", "plan").stdout)
        unknown = {change["address"]: change["change"]["after_unknown"] for change in shown["resource_changes"]}
        resources = shown["planned_values"]["root_module"]["resources"]
        outputs = {name: output.get("value") for name, output in shown["planned_values"]["outputs"].items()}
        for resource in resources:
            assert not true_in(unknown[resource["address"]]), f"{resource['address']} has unknown values"
        return [(entry["address"], entry["type"], entry["values"]) for entry in resources], outputs


def true_in(value):
    if isinstance(value, dict):
        return any(true_in(inner) for inner in value.values())
    return any(true_in(inner) for inner in value) if isinstance(value, list) else value is True


@contextmanager
def serving(executable, schema: Path):
    server = grpc.server(
        futures.ThreadPoolExecutor(8),
        options=[("grpc.max_send_message_length", BIG), ("grpc.max_receive_message_length", BIG)],
    )
    rpc.add_ProviderServicer_to_server(Provider(json.loads(schema.read_text())), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Terraform(executable, f"127.0.0.1:{port}")
    finally:
        server.stop(0)
