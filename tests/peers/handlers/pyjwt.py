# A viewer-request handler with PyJWT, as in its documentation: the key set is read once, outside the handler, and a key
# is chosen by the token's `kid`. The head of aws-jwt-verify.mjs lists what it does not do.
import json
import os

import jwt

with open(os.path.join(os.path.dirname(__file__), "jwks.json")) as file:
    keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(json.load(file)).keys}

METHODS = {"GET", "HEAD", "PUT", "DELETE"}


def handler(event, context):
    request = event["Records"][0]["cf"]["request"]
    authorization = request["headers"].get("authorization", [{"value": ""}])[0]["value"]
    try:
        if not authorization.startswith("Bearer "):
            raise jwt.InvalidTokenError("no bearer token")
        token = authorization[len("Bearer ") :]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, key, algorithms=["RS256", "ES256"], issuer="https://login.example.com/", audience="files-api"
        )
    except (jwt.InvalidTokenError, KeyError):
        return {"status": "401", "statusDescription": "Unauthorized", "body": "Unauthorized"}
    subject = claims.get("sub")
    if not subject or request["method"] not in METHODS or not request["uri"].startswith(f"/users/{subject}/"):
        return {"status": "403", "statusDescription": "Forbidden", "body": "Forbidden"}
    # CloudFront signs for the bucket, which must not get the token.
    del request["headers"]["authorization"]
    return request
