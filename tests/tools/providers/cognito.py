"""Amazon Cognito, as moto has it, with one user pool.

The first line of standard output has its address. Then each line of standard input is the name of a user,
who signs in with a password, and each line of standard output the tokens that came of it. Both are JSON:

    {"issuer": "https://...", "address": "http://127.0.0.1:...", "jwks_uri": "...", "client_id": "..."}
    {"user": "alice"}
    {"access_token": "...", "id_token": "...", "sub": "..."}
"""

import json
import os
import sys

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
PASSWORD = "P4ssword!"

# moto accepts any credentials.
os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)


def say(what):
    print(json.dumps(what), flush=True)


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    cognito = boto3.client("cognito-idp", endpoint_url=endpoint)
    pool = cognito.create_user_pool(PoolName="files")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web")["UserPoolClient"]["ClientId"]
    say(
        {
            "issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{pool}",
            "address": f"{endpoint}/{pool}",
            "jwks_uri": f"{endpoint}/{pool}/.well-known/jwks.json",
            "client_id": client,
        }
    )
    for line in sys.stdin:
        user = json.loads(line)["user"]
        of_pool = {"UserPoolId": pool, "Username": user}
        cognito.admin_create_user(**of_pool, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**of_pool, Password=PASSWORD, Permanent=True)
        result = cognito.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": user, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        attributes = cognito.admin_get_user(**of_pool)["UserAttributes"]
        sub = next(one["Value"] for one in attributes if one["Name"] == "sub")
        say({"access_token": result["AccessToken"], "id_token": result["IdToken"], "sub": sub})
    server.stop()


main()
