"""The policy before the change, with all files beside it."""

import base64
import os
import subprocess
from pathlib import Path


class NoBase(Exception):
    """Why there is nothing to compare with."""


def commit_before(event, asked, git):
    """The commit that the change is compared with, or None if the event does not have one."""
    if asked:
        return asked
    if "pull_request" in event:
        # What is checked out is usually the merge of the change into its base. The commit that it was merged into can
        # be newer than the one that the event names.
        head = git("cat-file", "commit", "HEAD")
        parents = [line[7:] for line in head.splitlines() if line.startswith("parent ")]
        merged = os.environ.get("GITHUB_REF", "").endswith("/merge") and len(parents) == 2
        return parents[0] if merged else event["pull_request"]["base"]["sha"]
    if "merge_group" in event:
        return event["merge_group"]["base_sha"]
    before = event.get("before", "")
    return before if before.strip("0") else None


class Git:
    """Git in the repository of the policy."""

    def __init__(self, folder, token):
        self.folder = folder
        self.token = token
        self.folder = Path(self("rev-parse", "--show-toplevel").rstrip("\n"))

    def __call__(self, *words, environment=None):
        # What a repository may have set up to run does not run.
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words]
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", **(environment or {})}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="surrogateescape",
        )
        if done.returncode:
            raise NoBase(f"git {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def commit(self, name):
        """The commit of this name. It is fetched if it is not here, without its history."""
        try:
            return self.resolve(name)
        except NoBase:
            pass
        if ":" in name or name.startswith(("-", "+", "^")):
            raise NoBase(f"`{name}` is not the name of a commit, a branch or a tag")
        shallow = self("rev-parse", "--is-shallow-repository").strip() == "true"
        fetch = ["fetch", "--quiet", "--no-tags", *(["--depth=1"] if shallow else []), "--", "origin", name]
        try:
            self(*fetch)
        except NoBase:
            if not self.token:
                raise
            # The checkout did not keep its token, as it should not. This is the header that it would have kept.
            server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
            basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
            self(*fetch, environment={
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
                "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
            })
        return self.resolve("FETCH_HEAD")

    def resolve(self, name):
        return self("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()

    def check_out(self, commit, folder):
        """The files of a commit, in a new folder."""
        self("worktree", "add", "--detach", "--force", str(folder), commit)

    def remove(self, folder):
        self("worktree", "remove", "--force", str(folder))

    def old_name(self, commit, path):
        """The name that a file had in this commit, if it was renamed since."""
        listed = self("diff", "--name-status", "-z", "--find-renames", "--diff-filter=R", commit, "HEAD")
        fields = listed.split("\0")
        return next((old for old, new in zip(fields[1::3], fields[2::3]) if new == path), None)
