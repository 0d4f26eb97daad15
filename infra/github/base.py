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
        return merged_into(git) or event["pull_request"]["base"]["sha"]
    if "merge_group" in event:
        return event["merge_group"]["base_sha"]
    before = event.get("before", "")
    return before if before.strip("0") else None


def merged_into(git):
    """The commit that GitHub merged the change into, if that merge is what is checked out.

    It can be newer than the base that the event names. Any other commit is the author's, who chooses its parents.
    """
    by_github = os.environ.get("GITHUB_REF", "").endswith("/merge")
    if not by_github or git.resolve("HEAD") != os.environ.get("GITHUB_SHA"):
        return None
    # The header ends at the first empty line. The message behind it is the author's too.
    header = git("cat-file", "commit", "HEAD").split("\n\n")[0]
    parents = [line[7:] for line in header.splitlines() if line.startswith("parent ")]
    return parents[0] if len(parents) == 2 else None


class Git:
    """Git in the repository of the policy."""

    def __init__(self, folder, token):
        self.folder = folder
        self.token = token
        self.folder = Path(self("rev-parse", "--show-toplevel").rstrip("\n"))

    def __call__(self, *words, environment=None):
        # What a repository may have set up to run does not run.
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words]
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", **(environment or {})}
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
        except NoBase as without:
            if not self.token:
                raise
            # The checkout did not keep its token, as it should not. This is the header that it would have kept.
            server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
            basic = base64.b64encode(f"x-access-token:{self.token}".encode()).decode()
            header = {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{server}/.extraheader",
                "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
            }
            try:
                self(*fetch, environment=header)
            except NoBase as error:
                raise NoBase(f"{without}; with the token: {error}") from error
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
