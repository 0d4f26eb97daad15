"""Turns AWS's SDK into a viewer of the distribution: sends a bearer token instead of a signature.

The SDK builds its requests for the bucket `files` at `example.com`, so for the host `files.example.com`,
as it would for a distribution of that name: the bucket is in the host, and the path is the key. Here the
distribution has another URL, with plain HTTP or HTTPS, so what is built is sent there; nothing else of it
is changed. That it was built for `https` shows: the SDK puts checksums elsewhere than with `http`.

AWS's command line, version 1 or 2, loads this file as a plugin (`[plugins]` in its configuration), and is told the rest by
its environment.
"""

import os
from urllib.parse import urlsplit

HOST = "files.example.com"


def send_to(distribution, token, sent=None):
    """The hook for `before-send`. It records the SDK's request in `sent`."""

    def before_send(request, **_):
        url = urlsplit(request.url)
        assert url.netloc == HOST, f"a request for another host: {request.url}"
        query = f"?{url.query}" if url.query else ""
        if sent is not None:
            names = sorted(name.lower() for name in request.headers.keys())
            sent.append({"method": request.method, "target": url.path + query, "headers": names})
        request.url = f"{distribution}{url.path}{query}"
        request.headers["Host"] = HOST
        request.headers["Authorization"] = f"Bearer {token}"

    return before_send


def awscli_initialize(cli):
    """The entry point for the command line."""
    cli.register("before-send.s3", send_to(os.environ["DISTRIBUTION"], os.environ["BEARER_TOKEN"]))
