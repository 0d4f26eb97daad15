"""Replaces this process with `bootstrap`, the native function beside this file.

Lambda@Edge runs the managed Node.js and Python runtimes only, and neither a custom runtime nor a
layer (AWS: "Restrictions on Lambda@Edge", CloudFront Developer Guide).
The runtime imports this file before it asks the Runtime API for its first event. By then
`bootstrap` has taken the process's place and asks for it itself.
"""

import json
import os
import sys


def _hand_over():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bootstrap")

    # All other variables stay: `bootstrap` reads the reserved AWS_LAMBDA_* variables. This one
    # names a descriptor, the runtime's framed log, which `bootstrap` does not write.
    env = dict(os.environ)
    env.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    # For the line of the start: exec keeps the id of the process.
    env["AUTHORIZER_HANDED_OVER"] = f"python{sys.version_info[0]}.{sys.version_info[1]}:{os.getpid()}"

    # The runtime's buffered output would be lost. Descriptors 0 to 2 stay open across the exec; those
    # that Python opened do not (PEP 446).
    sys.stdout.flush()
    sys.stderr.flush()

    try:
        os.execve(path, [path], env)
    except OSError as error:
        # One line, written directly to descriptor 1, as `bootstrap` logs: the runtime has replaced sys.stdout.
        line = {
            "level": "error",
            "event": "start_failed",
            "reason": "bootstrap_not_executable",
            "message": str(error),
        }
        os.write(1, (json.dumps(line, separators=(",", ":")) + "\n").encode())
        # Code that imported this file cannot catch this exit. The runtime ends without an event, so CloudFront
        # answers 5xx.
        os._exit(1)


def handler(event, context):
    """Never reached unless the hand-over did not happen.

    It must not answer: a handler that returns anything could let the request through.
    """
    raise RuntimeError("bootstrap did not replace this process")


_hand_over()
