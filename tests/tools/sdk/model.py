"""Writes the requests that AWS's model of S3 describes, as botocore has it: one JSON array per line.

    ["GetObject", "partNumber", "GET", "/users/alice/x", "partNumber=1", []]

The members are the operation, what is added to the smallest request for it (a query parameter, a header, or nothing),
the method, the path, the query, and the headers with their values. Each parameter and each header of an operation is added
alone. The bucket is in the host name.
"""

import json

import botocore.session

KEY = "users/alice/x"

# Values that say more than a value of the right type.
VALUES = {
    "prefix": "users/alice/",
    "delimiter": "/",
    "encoding-type": "url",
    "x-amz-copy-source": "files/users/bob/x",
    "If-None-Match": "*",
    "x-amz-checksum-mode": "ENABLED",
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "Content-Type": "image/png",
}


def sample(name, shape):
    if name in VALUES:
        return VALUES[name]
    if shape.type_name == "boolean":
        return "true"
    if shape.type_name in ("integer", "long"):
        return "1"
    if shape.type_name == "timestamp":
        return "Thu, 01 Jan 2026 00:00:00 GMT"
    return next(iter(getattr(shape, "enum", [])), "x")


def requests(model):
    path, _, fixed = model.http["requestUri"].partition("?")
    path = path.replace("/{Bucket}", "", 1).replace("{Key+}", KEY) or "/"
    members = model.input_shape.members if model.input_shape else {}
    required = set(model.input_shape.required_members) if model.input_shape else set()
    query, headers, optional = [fixed] if fixed else [], [], []
    for name, shape in sorted(members.items()):
        place, wire = shape.serialization.get("location"), shape.serialization.get("name", name)
        if place == "querystring":
            pair = f"{wire}={sample(wire, shape).replace(' ', '%20')}"
            (query if name in required else optional).append(pair)
        elif place == "header":
            (headers if name in required else optional).append((wire, sample(wire, shape)))
        elif place == "headers":
            optional.append((f"{wire}a", "x"))
    method = model.http["method"]
    yield [model.name, "", method, path, "&".join(query), headers]
    for one in optional:
        if isinstance(one, str):
            yield [model.name, one.partition("=")[0], method, path, "&".join([*query, one]), headers]
        else:
            yield [model.name, one[0].lower(), method, path, "&".join(query), [*headers, one]]


if __name__ == "__main__":
    service = botocore.session.get_session().get_service_model("s3")
    for operation in sorted(service.operation_names):
        for request in requests(service.operation_model(operation)):
            print(json.dumps(request))
