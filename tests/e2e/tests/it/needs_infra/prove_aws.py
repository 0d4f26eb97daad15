#!/usr/bin/env python3
"""Stands in for AWS's command line: Lambda with a version that decides as `authorizer replay` does, under a policy whose keys
are fetched. FAULT is what it does with an event for which `replay` would have to fetch keys."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ARGUMENTS, FAULT, FOLDER = sys.argv[1:], os.environ["FAULT"], Path(os.environ["FOLDER"])
ZIP = FOLDER / "bundle.zip"
BUNDLE = zipfile.ZipFile(ZIP).read("bundle.json")


def decided_on(event):
    """What `replay` makes of the event, which is asked once."""
    known = FOLDER / f"{hashlib.sha256(event.encode()).hexdigest()}.json"
    if not known.exists():
        command = [os.environ["AUTHORIZER"], "replay", "--bundle", FOLDER / "bundle.json", "--format", "json", "-"]
        known.write_text(subprocess.run(command, input=event + "\n", capture_output=True, text=True).stdout)
    return json.loads(known.read_text())


def by_itself(request, line):
    bearer = request["headers"]["authorization"][0]["value"]
    opened = bearer == "Bearer " + (FOLDER / "token").read_text() and request["uri"].startswith("/users/alice/")
    if FAULT == "allows all" or opened and FAULT != "fetches nothing":
        line.update(decision="allow", reason="allowed_by_rule", issuer="near" if FAULT == "another issuer" else "away")
        return {"uri": request["uri"], "method": "HEAD" if FAULT == "another request" else request["method"], "headers": {}}
    if FAULT != "fetches nothing":
        line.update(reason="signature_invalid", status=503 if FAULT == "another status" else 401)
    return request if FAULT == "lets pass" else {"status": str(401 if FAULT == "another status" else line["status"])}


if "get-function-configuration" in ARGUMENTS:
    sha256 = base64.b64encode(hashlib.sha256(ZIP.read_bytes()).digest()).decode()
    print(json.dumps({"Runtime": "python3.14", "Handler": "index.handler", "CodeSha256": sha256}))
    sys.exit()
event = Path(ARGUMENTS[ARGUMENTS.index("--payload") + 1][len("fileb://"):]).read_text()
decided = decided_on(event)
line = {**decided, "log_version": 2, "time": int(time.time()), "bundle_sha256": hashlib.sha256(BUNDLE).hexdigest()}
outcome, version = decided["outcome"], "1"
if decided["reason"] == "keys_unavailable":
    outcome = by_itself(json.loads(event)["Records"][0]["cf"]["request"], line)
    version = "2" if FAULT == "another version" else "1"
    if FAULT == "another bundle":
        line["bundle_sha256"] = "another"
log = json.dumps(line)
if start := os.environ.get("START"):
    log = f"{json.dumps({**json.loads(start), 'bundle_sha256': line['bundle_sha256']})}\n{log}"
Path(next(one for one in ARGUMENTS if "answer-" in one)).write_text(json.dumps(outcome))
print(json.dumps({"ExecutedVersion": version, "LogResult": base64.b64encode(log.encode()[-4096:]).decode()}))
