"""A stub provider with the schemas of Terraform's AWS provider.

Terraform holds a configuration against them, plans it, and mocks them; nothing can be applied. Data sources
answer with what AWS's documentation has for examples.
"""

import json
import os
import pathlib

import tf.provider
from tf.gen import tfplugin_pb2 as pb
from tf.runner import run_provider
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

SCHEMAS = json.loads(pathlib.Path(os.environ["AWS_SCHEMAS"]).read_text())

EXAMPLES = {
    "aws_caller_identity": lambda _region: {"account_id": "111122223333", "id": "111122223333"},
    "aws_region": lambda region: {"region": region, "name": region, "id": region},
}

NESTING = {
    "list": pb.Schema.NestedBlock.LIST,
    "set": pb.Schema.NestedBlock.SET,
    "single": pb.Schema.NestedBlock.SINGLE,
}


def block_of(block):
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=json.dumps(one["type"]).encode(),
                required=one.get("required", False),
                optional=one.get("optional", False),
                computed=one.get("computed", False),
            )
            for name, one in sorted(block["attributes"].items())
        ],
        block_types=[
            pb.Schema.NestedBlock(
                type_name=name,
                nesting=NESTING[one["nesting"]],
                min_items=0 if one["nesting"] == "single" else one["min"],
                max_items=0 if one["nesting"] == "single" else one["max"],
                block=block_of(one["block"]),
            )
            for name, one in sorted(block["blocks"].items())
        ],
    )


def schemas(of):
    return {name: pb.Schema(block=block_of(block)) for name, block in SCHEMAS[of].items()}


def unknown_where_computed(values, block):
    """An omitted argument that the provider would fill in is known after the apply."""
    for name, one in block["attributes"].items():
        if values.get(name) is None and one.get("computed"):
            values[name] = Unknown
    return values


class SchemaOnly(tf.provider.ProviderServicer):
    def __init__(self, _app):
        self.region = None

    def GetMetadata(self, request, context):
        return pb.GetMetadata.Response(server_capabilities=pb.ServerCapabilities())

    def GetProviderSchema(self, request, context):
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=block_of(SCHEMAS["provider"])),
            resource_schemas=schemas("resources"),
            data_source_schemas=schemas("data"),
        )

    def ValidateProviderConfig(self, request, context):
        return pb.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        # Terraform starts a separate provider for each of its configurations.
        self.region = read_dynamic_value(request.config)["region"]
        return pb.ConfigureProvider.Response()

    def PlanResourceChange(self, request, context):
        planned = read_dynamic_value(request.proposed_new_state)
        if planned is not None:
            planned = unknown_where_computed(planned, SCHEMAS["resources"][request.type_name])
        return pb.PlanResourceChange.Response(planned_state=to_dynamic_value(planned))

    def ReadDataSource(self, request, context):
        values = read_dynamic_value(request.config)
        values.update(EXAMPLES[request.type_name](self.region))
        return pb.ReadDataSource.Response(state=to_dynamic_value(values))


class Provider:
    """The argument that run_provider requires; the servicer above replaces it."""


if __name__ == "__main__":
    tf.provider.ProviderServicer = SchemaOnly
    run_provider(Provider())
