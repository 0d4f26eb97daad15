"""The policy before the change, and with it the files of keys that it names.

A change can contain any tree: links, submodules, names that are also branches. None of it may choose what is compared.
"""

import base64
import os
import re
import subprocess
import tomllib
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


def top(workspace, policy):
    """The folder of the repository, never one that only a folder of the change leads to."""
    try:
        return Path(Git(workspace, "")("rev-parse", "--show-toplevel").rstrip("\n"))
    except (NoBase, OSError):
        pass
    # The workflow checked the repository out in a folder of the workspace. Its submodules are below.
    folder = Path(workspace)
    for part in Path(policy).parts[:-1]:
        folder /= part
        if folder.is_symlink():
            break
        if (folder / ".git").exists():
            return folder
    return Path(workspace)


def inside(tree, path):
    """A file of a tree, by a path that leads through its own folders only."""
    path = os.path.normpath(path)
    if leads_out(path):
        raise NoBase(f"`{path}` is not a file of the repository")
    file = Path(tree)
    for part in Path(path).parts:
        file /= part
        if file.is_symlink():
            raise NoBase(f"`{file.relative_to(tree)}` is a link, which may lead elsewhere: use the file itself")
        if (file / ".git").exists():
            raise NoBase(f"`{file.relative_to(tree)}` is another repository: use a file of this one")
    return file


def read_policy(file):
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise NoBase(f"the policy cannot be read: {error}") from error


def named(value):
    """All values of members `file`, which name files of keys and secrets."""
    if isinstance(value, dict):
        if isinstance(value.get("file"), str):
            yield value["file"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from named(one)


def leads_out(path):
    """Whether a path is of no file of the repository, by its text alone."""
    path = os.path.normpath(path)
    return os.path.isabs(path) or path == ".." or path.startswith("../")


def copy(tree, policy, folder):
    """Copies a policy and the files that it names, and nothing else, into a new folder. What `[[accepted]]` says."""
    file = inside(tree, policy)
    document = read_policy(file)
    # Secrets of a sign-in belong into no repository, and no access depends on them. Those elsewhere are not copied.
    secrets = set(named(document.pop("sign_in", None)))
    within = [name for name in secrets if not leads_out(os.path.join(os.path.dirname(policy), name))]
    for name in ["", *named(document), *within]:
        if os.path.isabs(name):
            raise NoBase(f"`{name}` is the same file before and after the change: name it relative to the policy")
        path = os.path.join(os.path.dirname(policy), name) if name else policy
        source = inside(tree, path)
        target = Path(folder, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # What is not there is said by the command that needs it.
        if source.is_file():
            target.write_bytes(source.read_bytes())
    return accepted(document)


def accepted(document):
    """What each `[[accepted]]` is about, in their order."""
    entries = document.get("accepted", [])
    about = ("finding", "rule", "issuer", "kid")
    return [tuple(str(one.get(name)) for name in about) for one in entries if isinstance(one, dict)]


class Git:
    """Git in a folder of the repository."""

    def __init__(self, folder, token):
        self.folder = folder
        self.token = token

    def __call__(self, *words, environment=None):
        # No hook and no monitor runs. A filter runs if the configuration of the machine has it: files alone, which are
        # all that a change has, name filters but do not set them up. That of LFS would ask a server.
        command = ["git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *words]
        ours = {"GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
        environment = {**os.environ, **ours, **(environment or {})}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="surrogateescape",
        )
        if done.returncode:
            raise NoBase(f"git {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def reach(self, *words):
        """A command that may need the server, without the token and then with it."""
        try:
            return self(*words)
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
                return self(*words, environment=header)
            except NoBase as error:
                raise NoBase(f"{without}; with the token: {error}") from error

    def commit(self, name):
        """The commit of this name. It is fetched if it is not here, without its history.

        A name alone is a branch: a tag of the same name, which more people may push, is not meant.
        """
        if re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", name):
            try:
                return self.resolve(name)
            except NoBase:
                pass
        else:
            name = name if name.startswith("refs/") else f"refs/heads/{name}"
            try:
                self("check-ref-format", name)
            except NoBase as error:
                raise NoBase(f"base: `{name}` is not the name of a commit, a branch, or refs/tags/NAME") from error
        shallow = self("rev-parse", "--is-shallow-repository").strip() == "true"
        self.reach("fetch", "--quiet", "--no-tags", *(["--depth=1"] if shallow else []), "--", "origin", name)
        return self.resolve("FETCH_HEAD")

    def resolve(self, name):
        return self("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()

    def check_out(self, commit, folder):
        """The files of a commit, in a new folder."""
        # A partial clone fetches them now.
        self.reach("worktree", "add", "--detach", "--force", str(folder), commit)

    def remove(self, folder):
        self("worktree", "remove", "--force", str(folder))
