// A viewer-request handler with aws-jwt-verify, as its README has it for Lambda@Edge: the verifier made once,
// outside the handler. The keys come from a file ("Loading the JWKS from file"), so that nothing is fetched, and
// then `verifySync` is what the README suggests, and the faster way. `alg` of the JWK pins the algorithm.
//
// It gives the same decisions as the function that it is measured beside, on the events of the measurement. What
// that one does and this does not:
// - decode the path, and forward the very key that was decided on: here `%2e%2e` or `//` pass as they came;
// - take off, or refuse, headers and query parameters that would make another S3 operation of the request;
// - refuse a second credential, and answer a malformed event with a refusal instead of an exception;
// - refuse a token without `exp`, of another `typ`, or with a member that stands twice;
// - rules beyond this one: conditions, uploads, deny rules, other issuers, CORS, revoked tokens;
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
  // CloudFront signs for the bucket; the token is none of its business.
  delete request.headers.authorization;
  return request;
};
