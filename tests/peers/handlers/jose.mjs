// A viewer-request handler with jose, as in its documentation: `jwtVerify` with a local key set that is created once,
// outside the handler, so that its keys are imported once. The head of aws-jwt-verify.mjs lists what it does not do.
import { readFileSync } from "node:fs";
import { createLocalJWKSet, jwtVerify } from "jose";

const keys = createLocalJWKSet(JSON.parse(readFileSync(new URL("jwks.json", import.meta.url), "utf8")));
const options = { issuer: "https://login.example.com/", audience: "files-api", algorithms: ["RS256", "ES256"] };

const methods = new Set(["GET", "HEAD", "PUT", "DELETE"]);

export const handler = async (event) => {
  const { request } = event.Records[0].cf;
  const authorization = request.headers.authorization?.[0].value ?? "";
  let claims;
  try {
    if (!authorization.startsWith("Bearer ")) throw new Error("no bearer token");
    claims = (await jwtVerify(authorization.slice("Bearer ".length), keys, options)).payload;
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
