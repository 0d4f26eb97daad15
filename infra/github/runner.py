"""What a runner of GitHub Actions reads from a step: commands on standard output, and files.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

import os
import re
import secrets
import sys
import traceback


def printable(text, but=""):
    """A text in which a character that is not shown, or that turns the others around, is its escape."""
    return "".join(one if one.isprintable() or one in but else ascii(one)[1:-1] for one in str(text))


def data(text):
    """The text of a command: one line, whatever it has."""
    return printable(text, "\n").replace("%", "%25").replace("\n", "%0A")


def attribute(value):
    """The value of an attribute, which a comma or a colon would end."""
    return data(value).replace(":", "%3A").replace(",", "%2C")


def annotate(level, message, **place):
    """A message beside a line of the change: `error`, `warning` or `notice`, with `file`, `line`, `col`, `title`."""
    given = ",".join(f"{name}={attribute(value)}" for name, value in place.items() if value)
    print(f"::{level}{' ' if given else ''}{given}::{data(message)}", flush=True)


def show(text):
    """Shows a text that may have any line. The runner takes no line of it for a command."""
    if text.strip():
        token = secrets.token_hex(16)
        print(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::", flush=True)


def output(name, value):
    """Sets an output of the step."""
    end = secrets.token_hex(16)
    append("GITHUB_OUTPUT", f"{name}<<{end}\n{value}\n{end}\n")


def summarize(text):
    """Adds Markdown to the page of the run."""
    append("GITHUB_STEP_SUMMARY", f"{text}\n\n")


def append(variable, text):
    path = os.environ.get(variable)
    if path:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def code(text):
    """A text as code in Markdown, on one line: it is no markup, no link and no mention."""
    text = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def start():
    """Anything can be printed, also the name of a file that is not Unicode, and a mistake in this code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.excepthook = lambda *error: show("".join(traceback.format_exception(*error)))
    if sys.version_info < (3, 11):
        annotate("error", f"this is Python {sys.version.split()[0]}: this action needs 3.11 or newer, as ubuntu-24.04 has")
        sys.exit(1)
