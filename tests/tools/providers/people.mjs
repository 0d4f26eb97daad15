// An OpenID Connect provider with people: npm oidc-provider, with its own pages to sign in, to consent and to sign out.
// Whoever signs in has the name that they type as `sub`; any password does. One public client, for a distribution:
// the code flow with PKCE, refresh tokens that are replaced at each use, `iss` in the answer, sign-out by the client,
// and access tokens as in RFC 9068.
//
//     people.mjs NODE_MODULES ORIGIN
//
// ORIGIN is the distribution's own. The first line of standard output has the provider's address. Then each line of
// standard input changes something, and each line of standard output says what there is now. All are JSON:
//
//     {"issuer": "http://127.0.0.1:...", "address": "...", "jwks_uri": "...", "client_id": "files-web"}
//     {"access_token_seconds": 2}
//     {"is_away": true}
//     {"audience": "another API"}
//     {"access_token_seconds": 2, "is_away": true, "audience": "another API", "exchanges": ["authorization_code 200"]}
//
// While it is away, the token endpoint and the keys close the connection. Access tokens are for `audience`, in the place
// of the resource that was asked for. `exchanges` are the requests for tokens so far,
// with what was answered.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, origin] = process.argv.slice(2);
const { Provider } = createRequire(`${modules}/`)("oidc-provider");

// Its notices must not mix with the answers.
console.info = console.warn = console.error;
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const now = { access_token_seconds: 600, is_away: false, audience: undefined };
const exchanges = [];

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" };

let answer;
const server = createServer((request, response) => {
  const isOfTheFunction = ["/token", "/jwks"].includes(new URL(request.url, origin).pathname);
  if (isOfTheFunction && now.is_away) return request.socket.destroy();
  return answer(request, response);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: "files-web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: [`${origin}/.auth/callback`],
    post_logout_redirect_uris: [`${origin}/.auth/signed-out`],
  }],
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  cookies: { keys: [randomUUID()] },
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  jwks: { keys: [key] },
  scopes: ["openid", "offline_access"],
  pkce: { required: () => true },
  ttl: { AccessToken: () => now.access_token_seconds },
  features: {
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: "files",
        audience: now.audience ?? resource,
        accessTokenFormat: "jwt",
        accessTokenTTL: now.access_token_seconds,
        jwt: { sign: { alg: "ES256" } },
      }),
      // The request for tokens need not name the resource again.
      useGrantedResource: () => true,
    },
  },
});
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === "/token") exchanges.push(`${ctx.oidc?.params?.grant_type} ${ctx.status}`);
});
answer = provider.callback();

say({ issuer, address: issuer, jwks_uri: `${issuer}/jwks`, client_id: "files-web" });
for await (const line of createInterface({ input: process.stdin })) {
  Object.assign(now, JSON.parse(line));
  say({ ...now, exchanges });
}
server.close();
server.closeAllConnections();
