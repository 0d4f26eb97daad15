"""Decides with `libauthorizer.so`, the library beside this file.

The process stays the managed runtime's, and AWS's client takes events from the Runtime API as for any handler.
This file takes no part in the decision: without an outcome of the library it answers nothing, and CloudFront
answers 5xx.
"""

import ctypes
import json
import os
import sys


class _Answer(ctypes.Structure):
    _fields_ = [("bytes", ctypes.c_void_p), ("length", ctypes.c_size_t), ("outcome", ctypes.c_size_t)]


def _load(path):
    library = ctypes.CDLL(path)
    given = [ctypes.c_char_p, ctypes.c_size_t]
    library.authorizer_start.argtypes = [*given, ctypes.POINTER(_Answer)]
    library.authorizer_decide.argtypes = [*given, ctypes.c_uint64, ctypes.POINTER(_Answer)]
    library.authorizer_free.argtypes = [ctypes.POINTER(_Answer)]
    library.authorizer_free.restype = None
    return library


def _log(lines):
    """Writes whole lines directly to descriptor 1: the runtime has replaced sys.stdout. A failed write does not change
    the decision."""
    try:
        while lines:
            lines = lines[os.write(1, lines):]
    except OSError:
        pass


def _call(function, *arguments):
    answer = _Answer()
    status = function(*arguments, answer)
    given, outcome = ctypes.string_at(answer.bytes, answer.length), answer.outcome
    _library.authorizer_free(answer)
    _log(given[outcome:])
    return given[:outcome] if status == 0 else None


def _fail_to_start(reason, error):
    line = {"level": "error", "event": "start_failed", "reason": reason, "message": str(error)}
    _log((json.dumps(line, separators=(",", ":")) + "\n").encode())
    # The runtime ends without an event, so CloudFront answers 5xx.
    os._exit(1)


def handler(event, context):
    event = json.dumps(event, separators=(",", ":")).encode()
    millis_left = max(0, int(context.get_remaining_time_in_millis()))
    outcome = _call(_library.authorizer_decide, event, len(event), millis_left)
    if outcome is None:
        raise RuntimeError("the library gave no outcome")
    return json.loads(outcome)


_folder = os.path.dirname(os.path.abspath(__file__))
try:
    _library = _load(os.path.join(_folder, "libauthorizer.so"))
except (OSError, AttributeError) as error:
    _fail_to_start("library_not_loaded", error)
try:
    with open(os.path.join(_folder, "bundle.json"), "rb") as file:
        _bundle = file.read()
except OSError as error:
    _fail_to_start("bundle_missing", error)
# For the line of the start.
os.environ["AUTHORIZER_HANDED_OVER"] = f"python{sys.version_info[0]}.{sys.version_info[1]}:{os.getpid()}"
if _call(_library.authorizer_start, _bundle, len(_bundle)) is None:
    # A line says why.
    os._exit(1)
del _bundle
