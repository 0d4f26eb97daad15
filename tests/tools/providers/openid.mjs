// An OpenID Connect provider, npm oidc-provider, with one client. The client gets tokens for any resource with its
// own credentials (RFC 6749 section 4.4, RFC 8707), in the form of RFC 9068.
//
//     openid.mjs NODE_MODULES
//
// The first line of standard output has its address. Then each line of standard input requests a token or new signing
// keys, and each line of standard output is the result. All are JSON:
//
//     {"issuer": "http://127.0.0.1:...", "address": "...", "jwks_uri": "...", "client_id": "..."}
//     {"token": {"resource": "https://files.example.com/", "scope": "files"}}
//     {"access_token": "..."}
//     {"rotate": {"keep": true}}
//     {"keys": ["..."], "signs_with": "..."}
//
// With `keep`, the old keys stay published beside the new one.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { Provider } = createRequire(`${process.argv[2]}/`)("oidc-provider");
const CLIENT = { client_id: "files-job", client_secret: "secret" };

// Its notices must not mix with the answers.
console.info = console.error;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

function newKey() {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" };
}

/** The provider with these keys, of which the first signs. */
function provider(issuer, keys) {
  return new Provider(issuer, {
    clients: [{
      ...CLIENT,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    }],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    cookies: { keys: [randomUUID()] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    jwks: { keys },
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "files photos",
          audience: resource,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  }).callback();
}

let answer;
const server = createServer((request, response) => answer(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;
let keys = [newKey()];
answer = provider(issuer, keys);

async function token({ resource, scope }) {
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${CLIENT.client_id}:${CLIENT.client_secret}`)}` },
    body: new URLSearchParams({ grant_type: "client_credentials", resource, scope }),
  });
  const answered = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(answered));
  return { access_token: answered.access_token };
}

function rotate({ keep }) {
  keys = [newKey(), ...(keep ? keys : [])];
  answer = provider(issuer, keys);
  return { keys: keys.map(({ kid }) => kid), signs_with: keys[0].kid };
}

say({ issuer, address: issuer, jwks_uri: `${issuer}/jwks`, client_id: CLIENT.client_id });
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  say(asked.rotate ? rotate(asked.rotate) : await token(asked.token));
}
server.close();
server.closeAllConnections();
