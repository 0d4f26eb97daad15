// A viewer-request handler with aws-jwt-verify, as in its README for Lambda@Edge: the verifier is created once,
// outside the handler. The keys come from a file ("Loading the JWKS from file"), so nothing is fetched. For this the
// README suggests `verifySync`, which is also faster. `alg` of the JWK fixes the algorithm.
//
// On the events of the measurement, it makes the same decisions as the function. Unlike the function, it does not
// - decode the path, and forward the same key that was decided on: here `%2e%2e` and `//` pass unchanged;
// - remove or refuse headers and query parameters that would change the S3 operation;
// - refuse a second credential, and answer a malformed event with a refusal instead of an exception;
// - refuse a token without `exp`, with another `typ`, or with a duplicate member;
// - support other rules: conditions, uploads, deny rules, other issuers, CORS, revoked tokens;
// - answer with problem+json, `WWW-Authenticate` and `Allow`;
// - write a line to a decision log.
import { readFileSync } from "node:fs";
import { JwtVerifier } from "aws-jwt-verify";

const verifier = JwtVerifier.create({ issuer: "https://login.example.com/", audience: "files-api" });
verifier.cacheJwks(JSON.parse(readFileSync(new URL("jwks.json", import.meta.url), "utf8")));

const methods = new Set(["GET", "HEAD", "PUT", "DELETE"]);

export const handler = async (event) => {
  const { request } = event.Records[0].cf;
  const authorization = request.headers.authorization?.[0].value ?? "";
  let claims;
  try {
    if (!authorization.startsWith("Bearer ")) throw new Error("no bearer token");
    claims = verifier.verifySync(authorization.slice("Bearer ".length));
  } catch {
    return { status: "401", statusDescription: "Unauthorized", body: "Unauthorized" };
  }
  if (!claims.sub || !methods.has(request.method) || !request.uri.startsWith(`/users/${claims.sub}/`)) {
    return { status: "403", statusDescription: "Forbidden", body: "Forbidden" };
  }
  // CloudFront signs for the bucket, which must not get the token.
  delete request.headers.authorization;
  return request;
};
