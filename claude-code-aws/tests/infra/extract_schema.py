"""Extracts the schema of the Terraform types in use from the npm package of the AWS provider's bindings.

    npm pack @cdktn/provider-aws@25.7.0 && tar xzf cdktn-provider-aws-25.7.0.tgz
    python extract_schema.py package

Writes claude-code-aws/infra/terraform/schema.json. To be run again when a type is added or the provider's version moves. The bindings know
every argument, its type and whether it is required; they do not know the provider's own checks of values.
"""

import json
import re
import sys
from pathlib import Path

TERRAFORM = Path(__file__).parents[2] / "infra/terraform"
MODULE = "@cdktn/provider-aws."
# What Terraform itself gives every resource.
META = {"connection", "provisioners", "lifecycle", "provider", "dependsOn", "count", "forEach"}
# How deep blocks are told: nothing here is deeper, and some types nest into themselves.
DEPTH = 3
SCALARS = {"string": "string", "number": "number", "boolean": "bool"}


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)).lower()


class Bindings:
    def __init__(self, package):
        self.types = json.loads((package / ".jsii").read_text())["types"]
        about = json.loads((package / "package.json").read_text())
        self.version = f"{about['name']}@{about['version']}"
        self.provider = about.get("cdktn", about.get("cdktf", {})).get("provider", {})

    def find(self, name, data):
        """The class of a resource or data source: aws_s3_bucket is s3Bucket.S3Bucket."""
        camel = re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name.removeprefix("aws_"))
        module = "dataAws" + camel[0].upper() + camel[1:] if data else camel
        for fqn, entry in self.types.items():
            base = entry.get("base") or ""
            if fqn.startswith(f"{MODULE}{module}.") and base.endswith(("TerraformResource", "TerraformDataSource")):
                return fqn
        raise SystemExit(f"{name} is not in the bindings")

    def resource(self, name, data=False):
        fqn = self.find(name, data)
        block = self.block(f"{fqn}Config")
        for prop in self.types[fqn].get("properties", []):
            attribute = snake(prop["name"])
            known = attribute in block["attributes"] or attribute in block["blocks"]
            if known or not prop.get("immutable") or attribute.endswith("_input") or attribute == "tf_resource_type":
                continue
            block["attributes"][attribute] = {"type": self.value(prop["type"]), "computed": True}
        block["attributes"].setdefault("id", {"type": "string", "optional": True, "computed": True})
        return block

    def block(self, fqn, depth=0):
        attributes, blocks = {}, {}
        for prop in self.types[fqn].get("properties", []):
            if prop["name"] in META:
                continue
            docs = prop.get("docs", {})
            linked = re.search(r"#([a-z0-9_]+)\}", docs.get("summary", "") + " " + docs.get("remarks", ""))
            name = linked[1] if linked else snake(prop["name"])
            optional = bool(prop.get("optional"))
            nested = self.struct(prop["type"]) if docs.get("summary", "").endswith("block.") else None
            if nested and depth < DEPTH:
                struct, many = nested
                blocks[name] = {"many": many, "required": not optional, "block": self.block(struct, depth + 1)}
            elif not nested:
                kind = {"optional": True, "computed": depth == 0} if optional else {"required": True}
                attributes[name] = {"type": self.value(prop["type"]), **kind}
        return {"attributes": attributes, "blocks": blocks}

    def value(self, kind):
        """A type as Terraform writes it: "string", ["list","string"]."""
        if "primitive" in kind:
            return SCALARS.get(kind["primitive"], "dynamic")
        if "collection" in kind:
            inner = self.value(kind["collection"]["elementtype"])
            return ["map" if kind["collection"]["kind"] == "map" else "list", inner]
        for member in kind.get("union", {}).get("types", []):
            if "primitive" in member or "collection" in member:
                return self.value(member)
        # A list or a map of the bindings' own, of what nobody sets here.
        named = kind.get("fqn", "").rsplit(".", 1)[-1]
        return {"StringMap": ["map", "string"], "IResolvable": "dynamic"}.get(named, "dynamic")

    def struct(self, kind):
        """The structure of a block, and whether there may be several."""
        if kind.get("fqn", "").startswith(MODULE):
            return kind["fqn"], False
        for member in kind.get("union", {}).get("types", []):
            if found := self.struct(member):
                return found
        if "collection" in kind and (found := self.struct(kind["collection"]["elementtype"])):
            return found[0], True
        return None


def main():
    bindings = Bindings(Path(sys.argv[1]))
    text = "".join(path.read_text() for path in sorted(TERRAFORM.glob("*.tf")))
    used = {kind: sorted(set(re.findall(rf'^{kind} "(aws_\w+)"', text, re.M))) for kind in ("resource", "data")}
    schema = {
        "package": bindings.version,
        "provider": bindings.provider,
        "resources": {name: bindings.resource(name) for name in used["resource"]},
        "data": {name: bindings.resource(name, data=True) for name in used["data"]},
    }
    # Sorted and one line per type: a diff shows which type changed.
    lines = [f'"{key}": {json.dumps(schema[key], sort_keys=True)}' for key in ("package", "provider")]
    for key in ("resources", "data"):
        types = ",\n  ".join(f'"{name}": {json.dumps(block, sort_keys=True)}' for name, block in schema[key].items())
        lines.append(f'"{key}": {{\n  {types}\n }}')
    (TERRAFORM / "schema.json").write_text("{\n " + ",\n ".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
