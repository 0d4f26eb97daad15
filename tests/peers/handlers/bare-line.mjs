// The bare handler, with the line of a decision as a handler would log it: `console.log`, which the client replaces with
// its own. The difference to bare.mjs is what the decision log costs a handler.
export const handler = async (event) => {
  const { config, request } = event.Records[0].cf;
  console.log(JSON.stringify({
    version: 1, decision: "allow", reason: "allowed_by_rule", rule: "owners-manage-their-files", status: 200,
    request_id: config.requestId, method: request.method, key: request.uri, operation: "GetObject", issuer: "login",
    subject: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", client_ip: request.clientIp,
    distribution: config.distributionId, token_expires: 1790000000, credential: "authorization", micros: 100,
  }));
  return request;
};
