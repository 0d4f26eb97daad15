"""`authorizer serve` as a process that is measured: for `serve` and `soak`, beside this file."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
AUTHORIZER = os.environ.get("AUTHORIZER", str(ROOT / "target/release/authorizer"))
TICK = os.sysconf("SC_CLK_TCK")


class Served:
    """A server with the sample in a folder. `lines` counts what it wrote after its first line."""

    def __init__(self, folder, *arguments):
        self.folder = Path(folder) / "sample"
        self.log = open(Path(folder) / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [AUTHORIZER, "serve", "--sample", str(self.folder), "--listen", "127.0.0.1:0", "--format", "json", *arguments],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.pid = self.process.pid
        first = self.process.stdout.readline()
        if not first.startswith("{"):
            self.process.wait()
            sys.exit(f"`authorizer serve` did not start: {first}{self.said()}")
        self.started = json.loads(first)
        self.url = self.started["url"]
        self.lines = 0
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for _ in self.process.stdout:
            self.lines += 1

    def said(self):
        """What it wrote on standard error."""
        self.log.flush()
        return Path(self.log.name).read_text(encoding="utf-8")

    def token(self, user):
        """The name and the value of the header of a user. The file has it as curl's `-H @FILE` reads it."""
        name, value = (self.folder / "tokens" / user).read_text(encoding="utf-8").strip().split(": ", 1)
        return name, value

    def stop(self, signal):
        """Ends it, and returns its exit status."""
        self.process.send_signal(signal)
        status = self.process.wait()
        self.reader.join()
        return status


def cpu(pid):
    """The seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid):
    """The resident memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def descriptors(pid):
    """How many files and connections a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
