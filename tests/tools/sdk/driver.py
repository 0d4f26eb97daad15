"""Makes calls with AWS's SDK for Python for the tests, and prints their results.

    driver.py DISTRIBUTION

Each line of standard input is a call and each line of standard output its answer, both JSON:

    {"token": "...", "scheme": "https", "config": {...}, "call": "head_object", "args": {...}}
    {"result": {...}, "sent": [{"method": "HEAD", "target": "/key", "headers": ["host", ...]}]}

A call that the SDK raises an error for has `error` in place of `result`. Calls are those of the SDK's
client, whose `Bucket` is filled in, and `upload_file`, `download_file` and `paginate`.
"""

import json
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bearer import HOST, send_to

BUCKET, DOMAIN = HOST.split(".", 1)


class Viewer:
    """An SDK client for one token and configuration."""

    def __init__(self, distribution, token, scheme, config):
        # A retry would hide an answer that a test checks.
        config = Config(
            signature_version=UNSIGNED, s3={"addressing_style": "virtual"}, retries={"total_max_attempts": 1}, **config
        )
        endpoint = f"{scheme}://{DOMAIN}"
        self.client = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint, config=config)
        self.sent = []
        self.client.meta.events.register("before-send.s3", send_to(distribution, token, self.sent))

    def call(self, name, args):
        args = {"Bucket": BUCKET, **args}
        if name in ("upload_file", "download_file"):
            args["Config"] = TransferConfig(**args.get("Config", {}))
        elif name == "paginate":
            return self.pages(args.pop("Operation"), args)
        if isinstance(args.get("Body"), str):
            args["Body"] = args["Body"].encode()
        return plain(getattr(self.client, name)(**args) or {})

    def pages(self, operation, args):
        pages = self.client.get_paginator(operation).paginate(**args)
        return [plain(page) for page in pages]


def plain(result):
    """The value in a form that JSON can express."""
    result.pop("ResponseMetadata", None)
    if "Body" in result:
        result["Body"] = result["Body"].read().decode()
    return result


def failure(error):
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"].get("HTTPStatusCode")
        return {"status": status, "code": error.response["Error"].get("Code"), "of": error.operation_name}
    return {"type": type(error).__name__, "message": str(error)}


def main(distribution):
    viewers = {}
    for line in sys.stdin:
        asked = json.loads(line)
        whose = (asked["token"], asked["scheme"], json.dumps(asked["config"]))
        if whose not in viewers:
            viewers[whose] = Viewer(distribution, asked["token"], asked["scheme"], asked["config"])
        viewer = viewers[whose]
        viewer.sent.clear()
        try:
            answer = {"result": viewer.call(asked["call"], asked["args"])}
        except (ClientError, BotoCoreError, boto3.exceptions.Boto3Error) as error:
            # The transfer manager wraps the error of the call that failed.
            answer = {"error": failure(error.__context__ if type(error).__name__ == "S3UploadFailedError" else error)}
        print(json.dumps({**answer, "sent": viewer.sent}, default=str), flush=True)


main(sys.argv[1])
