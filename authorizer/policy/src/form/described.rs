//! What each field is for, in a sentence or two: what an editor shows beside it. docs/policy.md says more.

const POLICY: &str = "the policy";
const ACCEPTED: &str = "an `[[accepted]]` block";
const ISSUER: &str = "an `[[issuers]]` block";
const JWKS: &str = "`jwks`";
const SECRET: &str = "`secret`";
const REVOKED: &str = "a `[[revoked]]` block";
const CREDENTIALS: &str = "`[credentials]`";
const QUERY: &str = "`[query]`";
const LOG: &str = "`[log]`";
const CORS: &str = "`[cors]`";
const SIGN_IN: &str = "`[sign_in]` with `url`";
const FLOW: &str = "`[sign_in]` with `issuer`";
const FLOW_SECRET: &str = "a secret of `[sign_in]`";
const RULE: &str = "a rule";
const UPLOAD: &str = "`upload`";
const CONDITION: &str = "a condition";
const TESTS: &str = "a file of tests";
const DEFAULTS: &str = "`[defaults]`";
const TEST: &str = "a test";

/// Block, field, description.
pub(super) const DESCRIBED: [(&str, &str, &str); 137] = [
    (POLICY, "version", "The version of the format: 1."),
    (POLICY, "issuers", "The issuers whose tokens are trusted."),
    (POLICY, "revoked", "Tokens that are refused before they expire."),
    (POLICY, "credentials", "Where a request may have its token."),
    (POLICY, "query", "What is done with query parameters that do not belong to S3."),
    (POLICY, "cors", "What pages of other origins may do."),
    (POLICY, "sign_in", "Where people with a browser and without a token sign in."),
    (
        POLICY,
        "max_origin_headers",
        "The account's quota of headers in an origin request policy, where AWS raised it. Default: 10.",
    ),
    (POLICY, "log", "What the decision log contains."),
    (
        POLICY,
        "rules",
        "The access rules. What no allow rule allows is refused; a deny rule wins over every allow rule.",
    ),
    (POLICY, "accepted", "Findings of `authorizer audit findings` that are accepted, each with its reason."),
    (ACCEPTED, "finding", "The finding's id, such as EA010."),
    (ACCEPTED, "rule", "The id of the rule that it is about."),
    (ACCEPTED, "issuer", "The name of the issuer that it is about."),
    (ACCEPTED, "kid", "The `kid` of the key that it is about."),
    (ACCEPTED, "reason", "Why it is accepted."),
    (ISSUER, "name", "Its name in rules and in the decision log: 1 to 64 letters, digits, `-`, `_`, `.`."),
    (ISSUER, "issuer", "The `iss` of its tokens, compared byte for byte."),
    (ISSUER, "audience", "The `aud` values of this service. A token must name one of them."),
    (ISSUER, "client_id", "The `client_id` values that are allowed, for tokens without an `aud`."),
    (
        ISSUER,
        "bound_by",
        "The claim of `required` that says for which application a token is, if it has neither `aud` nor `client_id`.",
    ),
    (ISSUER, "algorithms", "The algorithms that it signs with."),
    (ISSUER, "jwks", "Its public keys: from a file, from a URL, or both."),
    (ISSUER, "secret", "In the place of `jwks`, for HS256: the secret that it shares with this service."),
    (ISSUER, "token_type", "The `typ` that the header of its tokens must have, such as `at+jwt` (RFC 9068)."),
    (ISSUER, "required", "Claims that its tokens must have, with exactly these values."),
    (ISSUER, "leeway_seconds", "How far its clock may be off: 0 to 300 seconds. Default: 30."),
    (ISSUER, "max_lifetime_seconds", "The longest lifetime of its tokens, from `iat` to `exp`."),
    (
        ISSUER,
        "accept_bound_tokens",
        "`true` accepts a token that is bound to a key of its client (`cnf`) as if it were not. Nothing checks that key.",
    ),
    (
        JWKS,
        "file",
        "A JWK set as the issuer publishes it. The path is relative to the policy. The keys go into the zip.",
    ),
    (JWKS, "keys", "The keys themselves, in the place of a file."),
    (JWKS, "url", "The issuer's `jwks_uri`. The function fetches newer keys from it."),
    (
        JWKS,
        "max_age_seconds",
        "With `url`: the age at which keys are fetched again: 60 to 86,400. Default: 3,600.",
    ),
    (
        JWKS,
        "max_stale_seconds",
        "With `url`: the age up to which the last good keys are used if no newer ones can be fetched. Default: 86,400.",
    ),
    (
        SECRET,
        "file",
        "A file with the secret. The path is relative to the policy. The zip then is a secret, too.",
    ),
    (SECRET, "encoding", "How the file is written. Default: `text`."),
    (SECRET, "value", "Only in a bundle. In a policy, name a file."),
    (REVOKED, "issuer", "The name of their issuer."),
    (REVOKED, "jti", "The `jti` of one token."),
    (REVOKED, "sub", "The `sub` of the tokens of one subject."),
    (REVOKED, "issued_before", "Only tokens that were issued before this time, in UTC."),
    (
        CREDENTIALS,
        "header",
        "A header that may have the token. `Authorization: Bearer TOKEN` is always read.",
    ),
    (
        CREDENTIALS,
        "header_set_by",
        "Who adds that header: a proxy in front, for whoever's page asks, or the clients.",
    ),
    (
        CREDENTIALS,
        "cookie",
        "The name of a cookie that may have the token, or a pattern for it with one `*`.",
    ),
    (
        CREDENTIALS,
        "query",
        "The name of a query parameter that may have the token. It then is in histories and access logs.",
    ),
    (QUERY, "ignored", "Query parameters that a read of an object drops, such as `utm_source`."),
    (LOG, "subject", "How the `sub` of a token is logged."),
    (
        LOG,
        "claims_salt",
        "A secret with which the claims that rules read are hashed in the log. Without it they are not logged.",
    ),
    (
        CORS,
        "origins",
        "The origins whose pages may use the distribution: exact, `https://*.example.org`, or `*` alone.",
    ),
    (CORS, "credentials", "Whether such pages may send cookies. Default: `false`."),
    (
        CORS,
        "exposed_headers",
        "Response headers that such pages may read, besides those that every page may read.",
    ),
    (
        CORS,
        "max_age_seconds",
        "How long a browser may remember the answer to a preflight: 0 to 86,400. Default: 600.",
    ),
    (SIGN_IN, "url", "The address to sign in at."),
    (SIGN_IN, "origin", "The distribution's own origin."),
    (
        SIGN_IN,
        "return_parameter",
        "The query parameter of `url` with the address to return to. Default: `return_to`.",
    ),
    (FLOW, "issuer", "The name of the issuer that people sign in at."),
    (FLOW, "client_id", "The id of this application at the provider."),
    (FLOW, "origin", "The distribution's own origin."),
    (FLOW, "scopes", "The scopes to ask for. `openid` must be one. Default: `openid` alone."),
    (FLOW, "authorization_endpoint", "Where people sign in, from the provider's metadata."),
    (
        FLOW,
        "authorization_parameters",
        "What the query of that address has beside what the sign-in sets itself, such as `audience`.",
    ),
    (FLOW, "token_endpoint", "Where a code becomes tokens, from the provider's metadata."),
    (
        FLOW,
        "end_session_endpoint",
        "Where people sign out at the provider too. Without it they sign out here alone.",
    ),
    (
        FLOW,
        "end_session",
        "Which parameters that address takes. Default: `rp_initiated`, as OpenID Connect says.",
    ),
    (
        FLOW,
        "id_token_hint",
        "`true`: the sign-out sends the ID token, for providers that ask for it. A cookie keeps it, encrypted.",
    ),
    (
        FLOW,
        "response_iss",
        "`true`: the provider's answer must say who it is (`authorization_response_iss_parameter_supported`).",
    ),
    (
        FLOW,
        "session_token",
        "The token that the rules read, and the cookie contains. Default: `access_token`.",
    ),
    (FLOW, "redirect_path", "The path that the provider sends people back to. Default: `/.auth/callback`."),
    (FLOW, "sign_out_path", "The path that signs people out. Default: `/.auth/sign-out`."),
    (FLOW, "refresh", "`true`: tokens are renewed with a refresh token, until `session_seconds` are over."),
    (
        FLOW,
        "session_seconds",
        "How long after a sign-in the next is needed at the latest: 300 to 2,592,000. Default: 43,200.",
    ),
    (
        FLOW,
        "cookie_key",
        "The key that cookies are encrypted with: a file of `authorizer keys cookie-key`. The zip then is a secret.",
    ),
    (FLOW, "previous_cookie_key", "The key before it, whose cookies are still read."),
    (FLOW, "client_secret", "The client's secret, if the provider gave one. The zip then is a secret."),
    (
        FLOW,
        "client_key",
        "In the place of a secret: the client's private key, a JWK. The zip then is a secret.",
    ),
    (FLOW, "client_authentication", "How the secret is sent. Default: `client_secret_basic`."),
    (FLOW_SECRET, "file", "A file with the secret. The path is relative to the policy."),
    (
        FLOW_SECRET,
        "encoding",
        "How the file is written. Default: `text`. A file of `cookie_key` is always base64url.",
    ),
    (FLOW_SECRET, "value", "Only in a bundle. In a policy, name a file."),
    (RULE, "id", "Its name in the decision log and the audit, unique in the policy."),
    (RULE, "effect", "`allow` or `deny`. A deny rule that matches wins over every allow rule."),
    (
        RULE,
        "methods",
        "The short form of `operations`. HEAD goes with GET. PUT also overwrites, unless the rule has `create_only`.",
    ),
    (RULE, "operations", "S3 operations by their names."),
    (
        RULE,
        "keys",
        "Key patterns; one must match. `*` within a segment, `**` for whole segments, `{claim}` for a claim's value.",
    ),
    (RULE, "issuers", "The names of the issuers whose tokens the rule is for. Default: all."),
    (RULE, "when", "Conditions on claims. All must hold."),
    (RULE, "anonymous", "`true` opens an allow rule to everyone, with or without a token."),
    (RULE, "source_ips", "Addresses and networks; the viewer's address must be in one of them."),
    (
        RULE,
        "hosts",
        "For allow rules: host names, or `*.` and a domain for all names below it; the request's `Host` must match one.",
    ),
    (RULE, "not_before", "The rule holds from this time on, in UTC."),
    (RULE, "not_after", "The rule holds until just before this time, in UTC."),
    (RULE, "upload", "For allow rules: what may be uploaded."),
    (
        RULE,
        "response_overrides",
        "For allow rules: the response headers that a download may ask to have replaced.",
    ),
    (
        RULE,
        "parameters",
        "For allow rules: query parameters that a request may have besides those of its operation.",
    ),
    (UPLOAD, "max_bytes", "The greatest length: a number of bytes, or a text such as `25MB`."),
    (UPLOAD, "content_types", "The media types that an upload may have: `image/png`, `image/*`, `*/*`."),
    (UPLOAD, "create_only", "`true`: an object that exists is not overwritten."),
    (
        UPLOAD,
        "metadata",
        "The `x-amz-meta-NAME` that may be set, by NAME: `*` for any value, `{claim}` for a claim's, or the text itself.",
    ),
    (UPLOAD, "checksums", "The checksums of S3 that uploads may have."),
    (UPLOAD, "bytes", "In a test: the length of the upload."),
    (UPLOAD, "content_type", "In a test: the media type of the upload."),
    (CONDITION, "equals", "The claim is this value."),
    (CONDITION, "any", "The claim is one of these values."),
    (
        CONDITION,
        "has",
        "The claim is a list with this member, or words separated by spaces, one of which is this.",
    ),
    (CONDITION, "starts_with", "The claim is a text that begins with this one. End it where a name ends."),
    (CONDITION, "present", "Whether the claim is there."),
    (TESTS, "version", "The version of the format: 1."),
    (TESTS, "defaults", "What a test has where it does not say otherwise."),
    (TESTS, "tests", "The tests."),
    (DEFAULTS, "issuer", "The name of the issuer of the tokens."),
    (DEFAULTS, "token_type", "The `typ` of the tokens."),
    (DEFAULTS, "claims", "The claims of the tokens."),
    (DEFAULTS, "anonymous", "`true`: the requests have no token."),
    (DEFAULTS, "headers", "The headers of the requests."),
    (DEFAULTS, "host", "The host of the request."),
    (DEFAULTS, "source_ip", "The viewer's address."),
    (DEFAULTS, "now", "The time of the requests, in UTC."),
    (TEST, "name", "What the test is about, unique in the file."),
    (TEST, "issuer", "The name of the issuer of its token."),
    (TEST, "token_type", "The `typ` of its token."),
    (TEST, "claims", "The claims of its token, besides those that every token of the issuer has."),
    (TEST, "anonymous", "`true`: the request has no token."),
    (TEST, "method", "The HTTP method, or a list of them: one request for each."),
    (TEST, "operation", "An S3 operation in the place of a method, or a list of them."),
    (TEST, "key", "The object key, or a list of them. It is encoded as a client does it."),
    (TEST, "path", "The path of the request as it is sent, in the place of a key, or a list of them."),
    (TEST, "prefix", "For a listing: the prefix, or a list of them."),
    (TEST, "query", "The query of the request as it is sent, without `?`."),
    (TEST, "headers", "Headers of the request, besides the defaults."),
    (TEST, "upload", "What is uploaded."),
    (TEST, "host", "The host of the request, without a port."),
    (TEST, "source_ip", "The viewer's address."),
    (TEST, "now", "The time of the request, in UTC."),
    (
        TEST,
        "expect",
        "What the policy must do: `allow`, `refuse`, or `preflight` for the answer to a page's question beforehand.",
    ),
    (TEST, "rule", "The id of the rule that must decide."),
    (TEST, "reason", "The reason word that a refusal must have."),
    (TEST, "status", "The HTTP status that a refusal must have."),
];

/// The description of a field.
pub(super) fn description(what: &str, name: &str) -> Option<&'static str> {
    DESCRIBED.iter().find(|(block, field, _)| *block == what && *field == name).map(|(_, _, text)| *text)
}
