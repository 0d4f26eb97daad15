"""The one comment on a pull request, which is renewed.

https://docs.github.com/en/rest/issues/comments
"""

import hashlib
import http.client
import json
import urllib.error
import urllib.request


class NoComment(Exception):
    """Why the comment could not be written."""


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection, because the token is for one host."""

    def redirect_request(self, *_):
        return None


def digest(policy):
    """A short name of a policy."""
    return hashlib.sha256(policy.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def marker(policy):
    """The first line of the comment on a policy. It is not shown."""
    return f"<!-- edge-authorizer: review {digest(policy)} -->"


class Comments:
    """The comments on a pull request."""

    def __init__(self, api, repository, number, token):
        self.repository = f"{api}/repos/{repository}"
        self.number = int(number)
        self.token = token
        self.opener = urllib.request.build_opener(Stay)

    def ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.repository}{path}",
            method=method,
            data=None if body is None else json.dumps({"body": body}).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": "edge-authorizer",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with self.opener.open(request, timeout=30) as answer:
                return json.load(answer), answer.headers.get("Link", "")
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoComment(f"{method} {path}: {error}") from error

    def find(self, marker, author):
        """The id of the comment that begins with the marker. Anybody can copy a marker, so the author counts too."""
        page = 1
        while True:
            listed, links = self.ask("GET", f"/issues/{self.number}/comments?per_page=100&page={page}")
            if not isinstance(listed, list):
                raise NoComment("the answer is not a list of comments")
            for comment in listed:
                written_by = (comment.get("user") or {}).get("login")
                if written_by == author and (comment.get("body") or "").startswith(marker):
                    return comment["id"]
            if 'rel="next"' not in links:
                return None
            page += 1

    def write(self, marker, author, body, new):
        """Renews the comment. If there is none, writes it if `new`. Returns what it did."""
        there = self.find(marker, author)
        if there is not None:
            self.ask("PATCH", f"/issues/comments/{int(there)}", f"{marker}\n{body}")
            return "renewed"
        if not new:
            return "not needed"
        self.ask("POST", f"/issues/{self.number}/comments", f"{marker}\n{body}")
        return "written"
