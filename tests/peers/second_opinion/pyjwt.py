"""What PyJWT says of tokens: `ok`, or why not, one line for each. The argument is the folder with `asked.json` and
`tokens.txt`."""

import datetime
import json
import sys
from pathlib import Path

import jwt
import jwt.api_jwt

folder = Path(sys.argv[1])
asked = json.loads((folder / "asked.json").read_text())


class Clock(datetime.datetime):
    """PyJWT asks the system for the time."""

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(asked["now"], tz)


jwt.api_jwt.datetime = Clock
key = jwt.PyJWK(asked["key"], "EdDSA").key


def verdict(token):
    try:
        jwt.decode(
            token,
            key,
            algorithms=["EdDSA", "Ed25519"],
            audience=asked["audience"],
            issuer=asked["issuer"],
            leeway=asked["leeway"],
            options={"require": ["exp"]},
        )
        return "ok"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no yes
        return f"{type(error).__name__} {error}".replace("\n", " ")


tokens = (folder / "tokens.txt").read_text().split("\n")
(folder / "pyjwt.txt").write_text("\n".join(map(verdict, tokens)))
