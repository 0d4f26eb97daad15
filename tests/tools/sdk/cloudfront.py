"""A stand-in for the part of CloudFront's API that a continuous deployment needs, with what infra/rollout reads beside it.

    python cloudfront.py FOLDER

What CloudFront can be asked, and in what shape, is botocore's service model: a request that it does not have is an error
here, and an answer is written by it. What CloudFront does is written from the API Reference (CopyDistribution,
CreateContinuousDeploymentPolicy, UpdateDistributionWithStagingConfig) and from "Quotas and other considerations for
continuous deployment" in the Developer Guide. FOLDER has:

    distribution.json    the configuration of the distribution EPRIMARY, to begin with
    policies.json        {"bucket": a bucket's policy or null, "encryption": its key or null, "key": a key's policy}
    faults.json          what goes wrong: {"OPERATION": {"code": ..., "status": ..., "does": whether it is done all the
                         same, "drops": whether the connection ends without an answer}}, each once; "OPERATION ID" is
                         for one id, and each time
    calls                each operation that was called, one a line, written here
    state.json           everything that there is, after each call, written here

Prints its port.
"""

import copy
import http.server
import itertools
import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ET
from pathlib import Path

import botocore.session
from botocore.validate import ParamValidator

FOLDER = Path(sys.argv[1])
MODEL = botocore.session.get_session().get_service_model("cloudfront")
NAMESPACE = "http://cloudfront.amazonaws.com/doc/2020-05-31/"
ACCOUNT = "111122223333"
STATUS = {"PreconditionFailed": 412, "AccessDenied": 403, "NoSuchDistribution": 404, "NoSuchContinuousDeploymentPolicy": 404,
          "ContinuousDeploymentPolicyInUse": 409, "DistributionNotDisabled": 409, "StagingDistributionInUse": 409}


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def parse(shape, element):
    """What an element says, by its shape. An element that the shape does not have is an error."""
    if shape.type_name == "structure":
        members = {one.serialization.get("name", name): (name, one) for name, one in shape.members.items()
                   if "location" not in one.serialization}
        said = {}
        for child in element:
            name = child.tag.rpartition("}")[2]
            if name not in members:
                raise Refused("MalformedXML", f"{shape.name} has no {name}")
            said[members[name][0]] = parse(members[name][1], child)
        return said
    if shape.type_name == "list":
        return [parse(shape.member, child) for child in element]
    text = element.text or ""
    if shape.type_name == "boolean":
        return text == "true"
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name == "float":
        return float(text)
    return text


def render(shape, name, value):
    element = ET.Element(name)
    if shape.type_name == "structure":
        for member, inside in value.items():
            one = shape.members[member]
            element.append(render(one, one.serialization.get("name", member), inside))
    elif shape.type_name == "list":
        for inside in value:
            element.append(render(shape.member, shape.member.serialization.get("name", "member"), inside))
    elif shape.type_name == "boolean":
        element.text = "true" if value else "false"
    else:
        element.text = str(value)
    return element


class Cloud:
    def __init__(self):
        self.distributions, self.policies, self.numbers = {}, {}, itertools.count(1)
        self.add("EPRIMARY", json.loads((FOLDER / "distribution.json").read_text()))

    def etag(self):
        return f"E{next(self.numbers)}TAG"

    def add(self, id, config):
        self.distributions[id] = {"etag": self.etag(), "config": config, "status": "InProgress"}

    def distribution(self, id):
        if id not in self.distributions:
            raise Refused("NoSuchDistribution", "The specified distribution does not exist.")
        return self.distributions[id]

    def policy(self, id):
        if id not in self.policies:
            raise Refused("NoSuchContinuousDeploymentPolicy", "The policy does not exist.")
        return self.policies[id]

    @staticmethod
    def same(etag, held):
        if etag != held:
            raise Refused("PreconditionFailed", "The request failed because it didn't meet the preconditions in one or more "
                          "request-header fields.")

    def written(self, id, name="Distribution"):
        one = self.distribution(id)
        said = {
            "Id": id, "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id}", "Status": one["status"],
            "LastModifiedTime": "2026-11-28T12:00:00Z", "InProgressInvalidationBatches": 0, "DomainName": self.domain(id),
            "DistributionConfig": one["config"],
        }
        return {name: said, "ETag": one["etag"]}

    @staticmethod
    def domain(id):
        return f"{id.lower()}.cloudfront.net"

    def GetDistribution(self, given):
        """A change is everywhere when it was asked for once, so that the wait for it does not take a minute."""
        self.distribution(given["Id"])["status"] = "Deployed"
        return self.written(given["Id"])

    def GetDistributionConfig(self, given):
        one = self.distribution(given["Id"])
        return {"DistributionConfig": one["config"], "ETag": one["etag"]}

    def ListDistributions(self, given):
        rows = []
        for id, one in self.distributions.items():
            config = one["config"]
            row = {name: config[name] for name in (
                "Aliases", "Origins", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses", "Comment", "PriceClass",
                "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging")
                if name in config}
            rows.append({"Id": id, "ARN": f"arn:aws:cloudfront::{ACCOUNT}:distribution/{id}", "Status": one["status"],
                         "LastModifiedTime": "2026-11-28T12:00:00Z", "DomainName": self.domain(id), **row})
        return {"DistributionList": {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(rows), "Items": rows}}

    def CopyDistribution(self, given):
        primary = self.distribution(given["PrimaryDistributionId"])
        self.same(given.get("IfMatch"), primary["etag"])
        if primary["config"]["CallerReference"] == given["CallerReference"] or any(
                one["config"]["CallerReference"] == given["CallerReference"] for one in self.distributions.values()):
            raise Refused("DistributionAlreadyExists", "The caller reference is taken.")
        self.without_http3(primary["config"])
        config = copy.deepcopy(primary["config"])
        config.update(CallerReference=given["CallerReference"], Staging=given.get("Staging", False),
                      Enabled=given.get("Enabled", True), Aliases={"Quantity": 0}, ContinuousDeploymentPolicyId="")
        id = f"ESTAGING{len(self.distributions)}"
        self.add(id, config)
        return self.written(id)

    def UpdateDistribution(self, given):
        one = self.distribution(given["Id"])
        self.same(given.get("IfMatch"), one["etag"])
        config = given["DistributionConfig"]
        if config["CallerReference"] != one["config"]["CallerReference"]:
            raise Refused("IllegalUpdate", "The caller reference cannot change.")
        if config.get("ContinuousDeploymentPolicyId"):
            self.policy(config["ContinuousDeploymentPolicyId"])
            self.without_http3(config)
        one.update(etag=self.etag(), config=config, status="InProgress")
        return self.written(given["Id"])

    @staticmethod
    def without_http3(config):
        if "3" in config.get("HttpVersion", ""):
            raise Refused("InvalidArgument", "Continuous deployment is not supported for distributions with HTTP/3.")

    def DeleteDistribution(self, given):
        one = self.distribution(given["Id"])
        self.same(given.get("IfMatch"), one["etag"])
        if one["config"]["Enabled"] or one["status"] != "Deployed":
            raise Refused("DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.")
        if any(self.domain(given["Id"]) in self.names(one) for one in self.policies.values()):
            raise Refused("StagingDistributionInUse", "A continuous deployment policy has it.")
        del self.distributions[given["Id"]]
        return {}

    @staticmethod
    def names(policy):
        return policy["config"]["StagingDistributionDnsNames"].get("Items", [])

    def checked(self, config):
        by_name = {self.domain(id): one["config"] for id, one in self.distributions.items()}
        for name in config["StagingDistributionDnsNames"].get("Items", []):
            if not by_name.get(name, {}).get("Staging"):
                raise Refused("InvalidArgument", f"{name} is no staging distribution.")
        traffic = config.get("TrafficConfig") or {}
        if (traffic.get("SingleWeightConfig") or {}).get("Weight", 0) > 0.15:
            raise Refused("InvalidArgument", "The weight is more than 0.15.")
        header = (traffic.get("SingleHeaderConfig") or {}).get("Header", "aws-cf-cd-")
        if not header.startswith("aws-cf-cd-"):
            raise Refused("InvalidArgument", "The header does not begin with aws-cf-cd-.")
        return config

    def policy_written(self, id):
        one = self.policy(id)
        return {"ContinuousDeploymentPolicy": {"Id": id, "LastModifiedTime": "2026-11-28T12:00:00Z",
                                               "ContinuousDeploymentPolicyConfig": one["config"]}, "ETag": one["etag"]}

    def CreateContinuousDeploymentPolicy(self, given):
        config = self.checked(given["ContinuousDeploymentPolicyConfig"])
        taken = {name for one in self.policies.values() for name in self.names(one)}
        if taken & {*config["StagingDistributionDnsNames"].get("Items", [])}:
            raise Refused("StagingDistributionInUse", "Another policy has the staging distribution.")
        id = f"{len(self.policies) + 1:08x}-1111-2222-3333-444455556666"
        self.policies[id] = {"etag": self.etag(), "config": config}
        return self.policy_written(id)

    def GetContinuousDeploymentPolicy(self, given):
        return self.policy_written(given["Id"])

    def ListContinuousDeploymentPolicies(self, given):
        rows = [{"ContinuousDeploymentPolicy": self.policy_written(id)["ContinuousDeploymentPolicy"]} for id in self.policies]
        said = {"MaxItems": 100, "Quantity": len(rows)}
        return {"ContinuousDeploymentPolicyList": {**said, **({"Items": rows} if rows else {})}}

    def UpdateContinuousDeploymentPolicy(self, given):
        one = self.policy(given["Id"])
        self.same(given.get("IfMatch"), one["etag"])
        one.update(etag=self.etag(), config=self.checked(given["ContinuousDeploymentPolicyConfig"]))
        return self.policy_written(given["Id"])

    def DeleteContinuousDeploymentPolicy(self, given):
        self.same(given.get("IfMatch"), self.policy(given["Id"])["etag"])
        if any(one["config"].get("ContinuousDeploymentPolicyId") == given["Id"] for one in self.distributions.values()):
            raise Refused("ContinuousDeploymentPolicyInUse", "A distribution has the policy.")
        del self.policies[given["Id"]]
        return {}

    def UpdateDistributionWithStagingConfig(self, given):
        primary, staging = self.distribution(given["Id"]), self.distribution(given["StagingDistributionId"])
        self.same(given.get("IfMatch"), f"{primary['etag']}, {staging['etag']}")
        policy = self.policy(primary["config"].get("ContinuousDeploymentPolicyId") or "none")
        config = copy.deepcopy(staging["config"])
        for name in ("Aliases", "ContinuousDeploymentPolicyId", "CallerReference", "Staging"):
            if name in primary["config"]:
                config[name] = primary["config"][name]
        primary.update(etag=self.etag(), config=config, status="InProgress")
        # "This action will disable the continuous deployment policy."
        policy["config"]["Enabled"] = False
        policy["etag"] = self.etag()
        return self.written(given["Id"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"x-amzn-RequestId": "1", "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def fault(self, operation, id=None):
        faults = json.loads((FOLDER / "faults.json").read_text())
        fault = faults.pop(operation, None) or faults.get(f"{operation} {id}")
        (FOLDER / "faults.json").write_text(json.dumps(faults))
        with open(FOLDER / "calls", "a", encoding="utf-8") as calls:
            print(operation, file=calls)
        return fault

    def other(self, url, body):
        """What infra/rollout asks of other services."""
        held = json.loads((FOLDER / "policies.json").read_text())
        query, target = urllib.parse.parse_qs(url.query, keep_blank_values=True), self.headers.get("X-Amz-Target", "")
        if url.path.startswith("/2015-03-31/functions/"):
            return self.answer(200, json.dumps({"State": "Active"}).encode())
        if target == "TrentService.GetKeyPolicy":
            return self.answer(200, json.dumps({"Policy": json.dumps(held["key"])}).encode())
        if "policy" in query or "encryption" in query:
            if fault := self.fault("GetBucketPolicy" if "policy" in query else "GetBucketEncryption"):
                return self.answer(fault["status"], f"<Error><Code>{fault['code']}</Code><Message>no</Message></Error>".encode())
        if "policy" in query:
            if held["bucket"] is None:
                return self.answer(404, b"<Error><Code>NoSuchBucketPolicy</Code><Message>no</Message></Error>")
            return self.answer(200, json.dumps(held["bucket"]).encode())
        if "encryption" in query:
            algorithm = "<SSEAlgorithm>AES256</SSEAlgorithm>" if not held["encryption"] else (
                f"<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{held['encryption']}</KMSMasterKeyID>")
            return self.answer(200, ("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
                                     f"{algorithm}</ApplyServerSideEncryptionByDefault></Rule>"
                                     "</ServerSideEncryptionConfiguration>").encode())
        return self.answer(501, b"<Error><Code>NotImplemented</Code></Error>")

    def do(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not url.path.startswith("/2020-05-31/"):
            return self.other(url, body)
        found = None
        for name in MODEL.operation_names:
            operation = MODEL.operation_model(name)
            path, _, fixed = operation.http["requestUri"].partition("?")
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
            match = re.fullmatch(pattern, url.path)
            if match and operation.http["method"] == self.command and not fixed:
                found = (operation, match)
        if found is None or not hasattr(CLOUD, found[0].name):
            return self.answer(501, b"<ErrorResponse><Error><Code>NotImplemented</Code></Error></ErrorResponse>")
        operation, match = found
        fault = self.fault(operation.name, match.groupdict().get("Id"))
        try:
            given = self.given(operation, match, url, body)
            if fault and not fault.get("does"):
                raise Refused(fault["code"], "as the test wants it")
            said = getattr(CLOUD, operation.name)(given)
            state = {"distributions": CLOUD.distributions, "policies": CLOUD.policies}
            (FOLDER / "state.json").write_text(json.dumps(state))
            if fault and fault.get("drops"):
                self.close_connection = True
                self.connection.close()
                return None
            if fault:
                raise Refused(fault["code"], "as the test wants it, after it was done")
        except Refused as error:
            text = ET.tostring(ET.fromstring(
                f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type><Code>{error.code}</Code><Message>{error}</Message>'
                "</Error><RequestId>1</RequestId></ErrorResponse>"))
            return self.answer(STATUS.get(error.code, 400), text)
        return self.written(operation, said)

    def given(self, operation, match, url, body):
        shape, given = operation.input_shape, {}
        query = urllib.parse.parse_qs(url.query)
        for name, one in shape.members.items():
            place, key = one.serialization.get("location"), one.serialization.get("name", name)
            value = {"uri": match.groupdict().get(key), "header": self.headers.get(key),
                     "querystring": query.get(key, [None])[0]}.get(place)
            if value is not None:
                given[name] = value == "true" if one.type_name == "boolean" else value
        if body:
            payload = shape.serialization.get("payload")
            said = parse(shape.members[payload] if payload else shape, ET.fromstring(body))
            given.update({payload: said} if payload else said)
        report = ParamValidator().validate(given, shape)
        if report.has_errors():
            raise Refused("MalformedXML", report.generate_report())
        return given

    def written(self, operation, said):
        headers, shape = {}, operation.output_shape
        body = b""
        if shape is not None:
            for name, one in shape.members.items():
                if one.serialization.get("location") == "header" and name in said:
                    headers[one.serialization["name"]] = said[name]
            payload = shape.serialization.get("payload")
            if payload:
                root = render(shape.members[payload], payload, said[payload])
                root.set("xmlns", NAMESPACE)
                body = ET.tostring(root)
        return self.answer(operation.http.get("responseCode", 200), body, headers)

    do_GET = do_POST = do_PUT = do_DELETE = do


CLOUD = Cloud()
SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(SERVER.server_port, flush=True)
SERVER.serve_forever()
