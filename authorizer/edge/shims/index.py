"""Hands the process over to `bootstrap`, the native function that lies beside this file.

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

    # Everything else goes along: `bootstrap` reads the reserved AWS_LAMBDA_* variables. This one
    # names a descriptor, the runtime's framed log, which `bootstrap` does not write.
    env = dict(os.environ)
    env.pop("_LAMBDA_TELEMETRY_LOG_FD", None)

    # What the runtime has buffered would be lost. Descriptors 0 to 2 stay open across the exec; the
    # ones that Python opened itself do not (PEP 446).
    sys.stdout.flush()
    sys.stderr.flush()

    try:
        os.execve(path, [path], env)
    except OSError as error:
        # One line on descriptor 1 itself, as `bootstrap` logs: sys.stdout is the runtime's by now.
        line = {
            "level": "error",
            "event": "start_failed",
            "reason": "bootstrap_not_executable",
            "message": str(error),
        }
        os.write(1, (json.dumps(line, separators=(",", ":")) + "\n").encode())
        # Nothing that imported this can catch it. The runtime ends without an event, so CloudFront
        # answers 5xx.
        os._exit(1)


def handler(event, context):
    """Never reached unless the hand-over did not happen.

    It must not answer: a handler that returns anything could let the request through.
    """
    raise RuntimeError("bootstrap did not take over")


_hand_over()
