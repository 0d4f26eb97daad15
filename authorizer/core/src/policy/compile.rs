//! Checks a whole policy document, and compiles it.

mod browser;
#[cfg(feature = "code-flow")]
mod code_flow;
mod headers;
mod issuers;
mod keys;
mod log;
mod rules;
mod size;
mod terms;

pub use size::parse_size;

use super::compiled::Policy;
use super::document::{POLICY_VERSION, PolicyDocument, SignInDocument};
use super::problem::{Place, PolicyProblem, Problems};
use crate::rules::Rules;
use crate::sign_in::SignIn;

impl Policy {
    /// Compiles a document whose JWK sets are inline.
    ///
    /// ```
    /// use authorizer_core::policy::Policy;
    ///
    /// let document = serde_json::from_value(serde_json::json!({
    ///     "version": 1,
    ///     "rules": [{"id": "a b", "effect": "deny", "methods": ["GET"], "keys": ["/private/**"]}]
    /// }))?;
    /// let problems = Policy::compile(&document).unwrap_err();
    /// let places: Vec<_> = problems.iter().map(|problem| problem.place.to_string()).collect();
    /// assert_eq!(places, ["rules[0].id", "rules[0].keys[0]"]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with the document, in its order.
    pub fn compile(document: &PolicyDocument) -> Result<Self, Vec<PolicyProblem>> {
        let mut problems = Problems::default();
        if document.version != POLICY_VERSION {
            problems.add(
                Place::member("version"),
                format!("version `{}` is not supported", document.version),
                format!("write `version = {POLICY_VERSION}`"),
            );
        }
        let credentials = browser::compile_credentials(&document.credentials, &mut problems);
        let issuers = issuers::compile_issuers(document, &mut problems);
        let ignored = browser::compile_ignored(document, &mut problems);
        let cors = document.cors.as_ref().and_then(|cors| browser::compile_cors(cors, &mut problems));
        let sign_in = document.sign_in.as_ref().and_then(|sign_in| match sign_in {
            SignInDocument::Redirect(redirect) => {
                browser::compile_redirect(redirect, &mut problems).map(SignIn::Redirect)
            }
            #[cfg(feature = "code-flow")]
            SignInDocument::CodeFlow(flow) => code_flow::compile_code_flow(flow, document, &mut problems)
                .map(|flow| SignIn::CodeFlow(Box::new(flow))),
        });
        browser::check_sign_in_is_of_use(document, &mut problems);
        let mut rules = rules::compile_rules(document, &mut problems);
        let claim_hasher = log::compile_log(&document.log, &rules, &mut problems);
        headers::check_quota(document, &mut problems);
        headers::fit_checksums(document, &mut rules);
        check_accepted(document, &mut problems);
        match problems.is_empty() {
            true => {
                let rules = Rules::new(rules);
                Ok(Self {
                    issuers,
                    rules,
                    credentials,
                    ignored,
                    cors,
                    sign_in,
                    subject_logging: document.log.subject,
                    claim_hasher,
                    max_origin_headers: headers::quota(document),
                })
            }
            false => Err(problems.into_vec()),
        }
    }
}

/// An accepted finding must have a reason. The audit checks the rest of it.
fn check_accepted(document: &PolicyDocument, problems: &mut Problems) {
    for (index, accepted) in document.accepted.iter().enumerate() {
        if accepted.reason.trim().is_empty() {
            problems.add(
                Place::member("accepted").at(index).then("reason"),
                "a finding is accepted without a reason",
                "write why the finding is accepted",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Bundle;
    use crate::operation::S3Operation;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    fn document() -> Value {
        json!({
            "version": 1,
            "issuers": [{
                "name": "staff",
                "issuer": "https://login.example.com/",
                "audience": ["files-api"],
                "algorithms": ["EdDSA"],
                "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a",
                    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}
            }],
            "rules": [
                {"id": "own", "effect": "allow", "methods": ["GET"], "keys": ["users/{sub}/**"],
                    "when": {"scope": {"has": "files"}}},
                {"id": "public", "effect": "allow", "methods": ["PUT"], "keys": ["public/**"], "anonymous": true}
            ]
        })
    }

    /// The places of the problems after one change of the document.
    fn problems(pointer: &str, value: Value) -> Vec<String> {
        let mut document = document();
        *document.pointer_mut(pointer).unwrap() = value;
        let document: PolicyDocument = serde_json::from_value(document).unwrap();
        match Policy::compile(&document) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.place.to_string()).collect(),
        }
    }

    #[test]
    fn a_whole_policy_compiles() {
        let policy = Policy::compile(&serde_json::from_value(document()).unwrap()).unwrap();
        assert_eq!(policy.issuers().len(), 1);
        assert_eq!(policy.possible().allow_header(), "GET, HEAD, PUT");
    }

    #[test]
    fn every_problem_is_found_at_its_place() {
        let none: Vec<String> = vec![];
        for (pointer, value, places) in [
            ("/version", json!(2), vec!["version"]),
            ("/issuers/0/name", json!("a b"), vec!["issuers[0].name"]),
            ("/issuers/0/name", json!(""), vec!["issuers[0].name"]),
            ("/issuers/0/issuer", json!(""), vec!["issuers[0].issuer"]),
            ("/issuers/0/audience", json!([]), vec!["issuers[0]"]),
            ("/issuers/0/audience", json!(["a", ""]), vec!["issuers[0].audience[1]"]),
            ("/issuers/0/audience", json!(["a", "a"]), vec!["issuers[0].audience[1]"]),
            ("/issuers/0/algorithms", json!([]), vec!["issuers[0].algorithms"]),
            ("/issuers/0/algorithms", json!(["RS256"]), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks", json!({}), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks", json!({"file": "a"}), vec!["issuers[0].jwks"]),
            ("/issuers/0/jwks/keys", json!([]), vec!["issuers[0].jwks"]),
            ("/issuers", json!([]), vec!["rules[0]"]),
            ("/rules/0/id", json!("public"), vec!["rules[1].id"]),
            ("/rules/0/id", json!("a\nb"), vec!["rules[0].id"]),
            ("/rules/0/methods", json!([]), vec!["rules[0].methods"]),
            ("/rules/0/keys", json!([]), vec!["rules[0].keys"]),
            ("/rules/0/keys", json!(["a", "/b", "c**"]), vec!["rules[0].keys[1]", "rules[0].keys[2]"]),
            ("/rules/0/when/scope", json!({}), vec!["rules[0].when.scope"]),
            ("/rules/0/when/scope", json!({"has": "a", "present": true}), vec!["rules[0].when.scope"]),
            ("/rules/0/when/scope", json!({"has": "a b"}), vec!["rules[0].when.scope.has"]),
            ("/rules/0/when/scope", json!({"has": "a\"b"}), vec!["rules[0].when.scope.has"]),
            ("/rules/0/when/scope", json!({"has": ""}), vec!["rules[0].when.scope.has"]),
            ("/rules/0/when", json!({"scp": {"has": "a b"}}), vec!["rules[0].when.scp.has"]),
            ("/rules/0/when", json!({"groups": {"has": ""}}), vec!["rules[0].when.groups.has"]),
            ("/rules/0/when", json!({"groups": {"has": "Domain Users"}}), vec![]),
            ("/rules/0/when", json!({"groups": {"has": " \"a\"  b\t"}}), vec![]),
            ("/rules/0/when/scope", json!({"any": []}), vec!["rules[0].when.scope.any"]),
            ("/rules/1/effect", json!("deny"), vec!["rules[1].anonymous"]),
            ("/rules/1/keys", json!(["{sub}/a"]), vec!["rules[1].anonymous"]),
            ("/rules", json!([]), vec![]),
        ] {
            assert_eq!(problems(pointer, value.clone()), places, "{pointer} = {value}");
        }
        for (member, value, place) in [
            ("issuers", json!(["staff"]), Some("rules[1].anonymous")),
            ("when", json!({"a": {"present": true}}), Some("rules[1].anonymous")),
        ] {
            let mut rule = document()["rules"][1].clone();
            rule[member] = value;
            assert_eq!(problems("/rules/1", rule), place.into_iter().collect::<Vec<_>>());
        }
        for issuers in [json!([]), json!(["nobody"])] {
            let mut rule = document()["rules"][0].clone();
            rule["issuers"] = issuers;
            assert_eq!(problems("/rules/0", rule).len(), 1);
        }
        let mut issuer = document()["issuers"][0].clone();
        issuer["leeway_seconds"] = json!(301);
        assert_eq!(problems("/issuers/0", issuer), ["issuers[0].leeway_seconds"]);
        for (member, value, places) in [
            ("secret", json!({"value": "eHh4"}), vec!["issuers[0]"]),
            ("algorithms", json!(["EdDSA", "HS256"]), vec!["issuers[0].algorithms[1]"]),
        ] {
            let mut issuer = document()["issuers"][0].clone();
            issuer[member] = value;
            assert_eq!(problems("/issuers/0", issuer), places, "{member}");
        }
        for (required, bound_by, place) in [
            (json!({"azp": "app"}), None, None),
            (json!({"cid": "app"}), None, None),
            (json!({"appid": "app", "n": 1}), None, None),
            (json!({"azp": ""}), None, Some("issuers[0]")),
            (json!({"cid": true}), None, Some("issuers[0]")),
            (json!({"AZP": "app"}), None, Some("issuers[0]")),
            (json!({"tenant": "app"}), None, Some("issuers[0]")),
            (json!({"sub": "alice"}), None, Some("issuers[0]")),
            (json!({"tenant": "app"}), Some("tenant"), None),
            (json!({"tenant": 7}), Some("tenant"), None),
            (json!({"azp": "app"}), Some("azp"), None),
            (json!({"tenant": true}), Some("tenant"), Some("issuers[0].bound_by")),
            (json!({"tenant": ""}), Some("tenant"), Some("issuers[0].bound_by")),
            (json!({"azp": "app"}), Some("tenant"), Some("issuers[0].bound_by")),
            (json!({}), Some("tenant"), Some("issuers[0].bound_by")),
            (json!({"iss": "https://login.example.com/"}), Some("iss"), Some("issuers[0].bound_by")),
            (json!({"sub": "alice"}), Some("sub"), Some("issuers[0].bound_by")),
            (json!({"client_id": "app"}), Some("client_id"), Some("issuers[0].bound_by")),
            (json!({"/cnf/jkt": "app"}), Some("/cnf/jkt"), Some("issuers[0].bound_by")),
            (json!({"/app/id": "app"}), Some("/app/id"), None),
        ] {
            let mut issuer = document()["issuers"][0].clone();
            issuer["audience"] = json!([]);
            issuer["required"] = required.clone();
            if let Some(claim) = bound_by {
                issuer["bound_by"] = json!(claim);
            }
            let expected: Vec<_> = place.into_iter().collect();
            assert_eq!(problems("/issuers/0", issuer), expected, "{required} {bound_by:?}");
        }
        let mut issuer = document()["issuers"][0].clone();
        issuer["name"] = json!("anonymous");
        assert!(problems("/issuers/0", issuer).contains(&"issuers[0].name".to_owned()));
        for claim in ["sub", "jti", "client_id", "azp", "scope", "scp"] {
            let mut issuer = document()["issuers"][0].clone();
            issuer["required"] = json!({claim: 7});
            assert_eq!(problems("/issuers/0", issuer), [format!("issuers[0].required.{claim}")]);
        }
        let mut second = document()["issuers"][0].clone();
        second["name"] = json!("partner");
        second["issuer"] = json!("https://partner.example.com/");
        let two = json!([document()["issuers"][0], second]);
        assert_eq!(problems("/issuers", two), ["rules[0]"], "claims of two issuers, and none named");
        let twice = json!([document()["issuers"][0], document()["issuers"][0]]);
        assert_eq!(problems("/issuers", twice), ["issuers[1].name", "issuers[1].issuer", "rules[0]"]);
        assert_eq!(problems("/version", json!(1)), none);
    }

    #[test]
    fn every_problem_of_an_upload_a_time_and_an_address_is_found_at_its_place() {
        for (member, value, place) in [
            ("source_ips", json!([]), Some("source_ips")),
            ("source_ips", json!(["203.0.113.0/24", "2001:db8::/32", "::1", "203.0.113.9"]), None),
            ("source_ips", json!(["203.0.113.1/24"]), Some("source_ips[0]")),
            ("source_ips", json!(["203.0.113.0/33"]), Some("source_ips[0]")),
            ("source_ips", json!(["::ffff:203.0.113.0/120"]), Some("source_ips[0]")),
            ("source_ips", json!(["office"]), Some("source_ips[0]")),
            ("hosts", json!([]), Some("hosts")),
            ("hosts", json!(["downloads.example.com", "*.example.org", "localhost"]), None),
            ("hosts", json!(["a.example", "A.example"]), Some("hosts[1]")),
            ("hosts", json!(["https://a.example"]), Some("hosts[0]")),
            ("hosts", json!(["a.example:443"]), Some("hosts[0]")),
            ("hosts", json!(["a.example."]), Some("hosts[0]")),
            ("hosts", json!(["*"]), Some("hosts[0]")),
            ("not_before", json!("2026-12-31T00:00:00Z"), None),
            ("not_before", json!("2026-12-31"), Some("not_before")),
            ("not_after", json!("2026-12-31T00:00:00+01:00"), Some("not_after")),
            ("upload", json!({}), Some("upload")),
            ("upload", json!({"max_bytes": 0}), Some("upload.max_bytes")),
            ("upload", json!({"max_bytes": "25 mb"}), Some("upload.max_bytes")),
            ("upload", json!({"max_bytes": "25MB"}), None),
            ("upload", json!({"content_types": []}), Some("upload.content_types")),
            ("upload", json!({"content_types": ["image/*", "a"]}), Some("upload.content_types[1]")),
            ("upload", json!({"metadata": {"owner": "{sub}", "a": "*", "b": "c d"}}), None),
            ("upload", json!({"metadata": {"Owner": "*"}}), Some("upload.metadata.Owner")),
            ("upload", json!({"metadata": {"x-amz-meta-a": "*"}}), Some("upload.metadata.x-amz-meta-a")),
            ("upload", json!({"metadata": {"a": ""}}), Some("upload.metadata.a")),
            ("upload", json!({"metadata": {"a": "u-{sub}"}}), Some("upload.metadata.a")),
            ("upload", json!({"metadata": {"a": "{}"}}), Some("upload.metadata.a")),
            ("upload", json!({"metadata": {"a": "é"}}), Some("upload.metadata.a")),
            ("response_overrides", json!(["response-content-type"]), None),
            ("operations", json!(["ListObjectsV2", "UploadPart"]), None),
        ] {
            let mut rule = document()["rules"][0].clone();
            rule["methods"] = json!(["GET", "PUT"]);
            rule[member] = value.clone();
            let expected: Vec<_> = place.map(|place| format!("rules[0].{place}")).into_iter().collect();
            assert_eq!(problems("/rules/0", rule), expected, "{member} = {value}");
        }
        let with = |changes: Value| {
            let mut rule = document()["rules"][0].clone();
            rule.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            problems("/rules/0", rule)
        };
        let upload = json!({"checksums": true});
        let from_to = |from, to| json!({"not_before": from, "not_after": to});
        for (changes, place) in [
            (json!({"upload": upload}), "rules[0].upload"),
            (
                json!({"operations": ["UploadPart"], "upload": {"content_types": ["a/b"]}}),
                "rules[0].upload.content_types",
            ),
            (
                json!({"operations": ["UploadPart"], "upload": {"metadata": {"a": "*"}}}),
                "rules[0].upload.metadata",
            ),
            (
                json!({"operations": ["UploadPart"], "upload": {"create_only": true}}),
                "rules[0].upload.create_only",
            ),
            (
                json!({"operations": ["CreateMultipartUpload"], "upload": {"max_bytes": 1}}),
                "rules[0].upload.max_bytes",
            ),
            (json!({"operations": ["ListObjectsV2"], "keys": ["a/*", "a/**/b"]}), "rules[0].keys"),
            (json!({"methods": ["PUT"], "effect": "deny", "upload": upload}), "rules[0].upload"),
            (json!({"effect": "deny", "hosts": ["a.example"]}), "rules[0].hosts"),
            (
                json!({"methods": ["PUT"], "response_overrides": ["response-expires"]}),
                "rules[0].response_overrides",
            ),
            (from_to("2026-12-31T00:00:00Z", "2026-12-31T00:00:00Z"), "rules[0].not_after"),
            (
                json!({"methods": ["PUT"], "anonymous": true, "keys": ["a"], "when": {},
                    "upload": {"metadata": {"owner": "{sub}"}}}),
                "rules[0].anonymous",
            ),
        ] {
            assert_eq!(with(changes.clone()), [place], "{changes}");
        }
    }

    #[test]
    fn metadata_of_a_claim_reads_a_claim() {
        let mut document = document();
        let mut second = document["issuers"][0].clone();
        second["name"] = json!("partner");
        second["issuer"] = json!("https://partner.example.com/");
        document["issuers"].as_array_mut().unwrap().push(second);
        document["rules"] = json!([{"id": "a", "effect": "allow", "methods": ["PUT"], "keys": ["a"],
            "upload": {"metadata": {"owner": "{sub}"}}}]);
        let problems = Policy::compile(&serde_json::from_value(document).unwrap()).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message.contains("accepts the claims of every issuer"), "{}", problems[0]);
    }

    #[test]
    fn every_problem_of_a_revocation_is_found_at_its_place() {
        for (revoked, place) in [
            (json!({"issuer": "staff", "jti": "t1"}), None),
            (json!({"issuer": "staff", "sub": "a", "issued_before": "2026-12-31T00:00:00Z"}), None),
            (json!({"issuer": "nobody", "jti": "t1"}), Some("revoked[0].issuer")),
            (json!({"issuer": "staff"}), Some("revoked[0]")),
            (json!({"issuer": "staff", "jti": ""}), Some("revoked[0].jti")),
            (json!({"issuer": "staff", "sub": ""}), Some("revoked[0].sub")),
            (json!({"issuer": "staff", "issued_before": "yesterday"}), Some("revoked[0].issued_before")),
        ] {
            let mut document = document();
            document["revoked"] = json!([revoked]);
            let compiled = Policy::compile(&serde_json::from_value(document).unwrap());
            let found = compiled.err().map(|problems| problems[0].place.to_string());
            assert_eq!(found.as_deref(), place, "{revoked}");
        }
        let mut issuer = document()["issuers"][0].clone();
        issuer["max_lifetime_seconds"] = json!(0);
        assert_eq!(problems("/issuers/0", issuer), ["issuers[0].max_lifetime_seconds"]);
    }

    #[test]
    fn a_finding_that_is_accepted_has_a_reason_and_is_left_out_of_the_bundle() {
        let mut with = document();
        with["accepted"] = json!([{"finding": "EA010", "rule": "public", "reason": "a letter box"}]);
        let bundle = |document: Value| Bundle::write(&serde_json::from_value(document).unwrap()).unwrap();
        assert_eq!(bundle(with), bundle(document()), "the zip's bytes do not change");
        for reason in ["", " \n"] {
            let mut with = document();
            with["accepted"] = json!([{"finding": "EA010", "reason": reason}]);
            let problems = Policy::compile(&serde_json::from_value(with).unwrap()).unwrap_err();
            assert_eq!(problems[0].place.to_string(), "accepted[0].reason", "{reason:?}");
        }
        let mut without = document();
        without["accepted"] = json!([{"finding": "EA010"}]);
        assert!(serde_json::from_value::<PolicyDocument>(without).is_err());
    }

    #[test]
    fn a_query_parameter_that_s3_knows_is_not_ignored() {
        let places = |names: Value, token: &str| {
            let mut document = document();
            document["query"] = json!({"ignored": names});
            document["credentials"] = json!({"query": token});
            let compiled = Policy::compile(&serde_json::from_value(document).unwrap());
            let problems = compiled.err().unwrap_or_default();
            problems.iter().map(|problem| problem.place.to_string()).collect::<Vec<_>>()
        };
        assert!(places(json!(["utm_source", "v", "_", "cache-buster", "t.1~"]), "access_token").is_empty());
        for name in [
            "acl",
            "ACL",
            "versionId",
            "versionid",
            "uploads",
            "uploadId",
            "partNumber",
            "list-type",
            "fetch-owner",
            "tagging",
            "select-type",
            "torrent",
            "annotation",
            "renameObject",
            "x-id",
            "X-ID",
            "X-Amz-Signature",
            "x-amz-acl",
            "response-expires",
            "Response-Content-Type",
            "AWSAccessKeyId",
            "signature",
            "Expires",
            "access_token",
            "Access_Token",
            "",
            "a b",
            "a+b",
            "a%20b",
            "utm_*",
            "é",
            "a=b",
            "a&b",
            "a\n",
        ] {
            assert_eq!(places(json!(["v", name]), "access_token"), ["query.ignored[1]"], "{name}");
        }
        assert_eq!(places(json!(["v", "v"]), "t"), ["query.ignored[1]"]);
        assert_eq!(places(json!(["a".repeat(65)]), "t"), ["query.ignored[0]"]);
        let many: Vec<_> = (0..17).map(|index| format!("v{index}")).collect();
        assert_eq!(places(json!(many), "t"), ["query.ignored"]);
    }

    #[test]
    fn a_parameter_is_allowed_where_an_operation_of_the_rule_has_it() {
        for (operations, effect, parameters, place) in [
            (json!(["GetObject"]), "allow", json!(["partNumber"]), None),
            (json!(["HeadObjectVersion"]), "allow", json!(["partNumber"]), None),
            (json!(["ListObjectsV2", "GetObject"]), "allow", json!(["fetch-owner", "partNumber"]), None),
            (json!(["ListObjectsV2"]), "allow", json!(["partNumber"]), Some("rules[0].parameters")),
            (json!(["GetObject"]), "allow", json!(["fetch-owner"]), Some("rules[0].parameters")),
            (json!(["UploadPart"]), "allow", json!(["partNumber"]), Some("rules[0].parameters")),
            (json!(["GetObject"]), "deny", json!(["partNumber"]), Some("rules[0].parameters")),
        ] {
            let rule = json!({"id": "a", "effect": effect, "operations": operations, "keys": ["a/**"],
                "parameters": parameters});
            assert_eq!(problems("/rules/0", rule.clone()), place.into_iter().collect::<Vec<_>>(), "{rule}");
        }
        let mut unknown = document();
        unknown["rules"][0]["parameters"] = json!(["versionId"]);
        assert!(serde_json::from_value::<PolicyDocument>(unknown).is_err());
    }

    #[test]
    fn every_problem_of_a_credentials_place_is_found_at_its_place() {
        for (name, value, is_good) in [
            ("header", "Authorization", true),
            ("header", "x-api-key", true),
            ("header", "Cf-Access-Jwt-Assertion", true),
            ("header", "x-amzn-oidc-data", false),
            ("header", "x-amz-security-token", false),
            ("header", "cookie", false),
            ("header", "a b", false),
            ("cookie", "CognitoIdentityServiceProvider.c1.*.accessToken", true),
            ("cookie", "*", false),
            ("cookie", "a*b*", false),
            ("cookie", "__Host-session", true),
            ("cookie", "", false),
            ("cookie", "a b", false),
            ("cookie", "a=b", false),
            ("query", "access_token", true),
            ("query", "a&b", false),
            ("query", "prefix", false),
            ("query", "X-Amz-Signature", false),
            ("query", "response-expires", false),
        ] {
            let mut document = document();
            document["credentials"] = json!({name: value});
            let compiled = Policy::compile(&serde_json::from_value(document).unwrap());
            let place = compiled.err().map(|problems| problems[0].place.to_string());
            let expected = (!is_good).then(|| format!("credentials.{name}"));
            assert_eq!(place, expected, "{name} = {value}");
        }
    }

    #[test]
    fn who_sets_the_header_is_said_only_of_a_header() {
        for (credentials, place) in [
            (json!({"header": "x-token", "header_set_by": "clients"}), None),
            (json!({"header_set_by": "proxy"}), Some("credentials.header_set_by")),
        ] {
            let mut document = document();
            document["credentials"] = credentials;
            let compiled = Policy::compile(&serde_json::from_value(document).unwrap());
            assert_eq!(compiled.err().map(|problems| problems[0].place.to_string()).as_deref(), place);
        }
    }

    #[test]
    fn checksums_are_named_or_as_many_as_fit() {
        let compile = |upload: Value, top: Value| {
            let mut document = document();
            document["rules"][0]["methods"] = json!(["GET", "PUT"]);
            document["rules"][0]["upload"] = upload;
            document.as_object_mut().unwrap().extend(top.as_object().unwrap().clone());
            let document: PolicyDocument = serde_json::from_value(document).unwrap();
            let places = |problems: Vec<PolicyProblem>| problems[0].place.to_string();
            let policy = Policy::compile(&document).map_err(places)?;
            let sums = policy.rules()[0].terms().checksums.to_string();
            policy.check_origin_headers(&document).map_err(|problem| problem.message)?;
            Ok(sums)
        };
        let at = |place: &str| Err(format!("rules[0].upload{place}"));
        let too_many = |count: usize| Err(format!("needs {count} headers"));
        let ten = json!({});
        for (upload, top, expected) in [
            (json!({"checksums": ["sha256"]}), &ten, Ok("sha256")),
            // Nine others are needed.
            (json!({"checksums": true}), &ten, Ok("crc32")),
            (json!({"checksums": true}), &json!({"max_origin_headers": 12}), Ok("crc32, crc64nvme, crc32c")),
            (json!({"checksums": true, "metadata": {"a": "*"}}), &ten, too_many(11)),
            (json!({"checksums": ["sha1", "crc32"]}), &ten, too_many(11)),
            (json!({"checksums": ["sha1", "crc32"]}), &json!({"max_origin_headers": 11}), Ok("crc32, sha1")),
            (json!({"metadata": {"a": "*", "b": "*"}}), &ten, too_many(11)),
            (json!({"metadata": {"a": "*"}}), &ten, Ok("")),
            (json!({"checksums": []}), &ten, at(".checksums")),
            (json!({"checksums": ["crc65"]}), &ten, at(".checksums[0]")),
            (json!({"checksums": ["crc32", "crc32"]}), &ten, at(".checksums[1]")),
            (json!({"checksums": false}), &ten, at("")),
            (
                json!({"checksums": true}),
                &json!({"max_origin_headers": 9}),
                Err("max_origin_headers".to_owned()),
            ),
        ] {
            let found: Result<String, String> = compile(upload.clone(), top.clone());
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{upload} {top}"),
                (Err(found), Err(expected)) => assert!(found.contains(&expected), "{upload} {top}: {found}"),
                (found, expected) => panic!("{upload} {top}: {found:?}, not {expected:?}"),
            }
        }
        let long = json!({"metadata": {"n".repeat(1000): "*"}});
        assert!(compile(long, json!({})).unwrap_err().contains("characters"));
    }

    #[test]
    fn every_problem_of_a_browser_is_found_at_its_place() {
        let good_cors = json!({"origins": ["https://a.example"]});
        let good_sign_in = json!({"url": "https://login.example.com", "origin": "https://files.example.com"});
        for (member, good, name, value, place) in [
            ("cors", &good_cors, "origins", json!(["*"]), None),
            ("cors", &good_cors, "origins", json!([]), Some("cors.origins")),
            ("cors", &good_cors, "origins", json!(["*", "https://a.example"]), Some("cors.origins[0]")),
            ("cors", &good_cors, "origins", json!(["https://a.example/"]), Some("cors.origins[0]")),
            ("cors", &good_cors, "origins", json!(["null"]), Some("cors.origins[0]")),
            ("cors", &good_cors, "exposed_headers", json!(["*"]), Some("cors.exposed_headers[0]")),
            ("cors", &good_cors, "max_age_seconds", json!(86_401), Some("cors.max_age_seconds")),
            ("cors", &json!({"origins": ["*"]}), "credentials", json!(true), Some("cors.origins[0]")),
            ("sign_in", &good_sign_in, "return_parameter", json!("back"), None),
            ("sign_in", &good_sign_in, "url", json!("http://login.example.com"), Some("sign_in.url")),
            ("sign_in", &good_sign_in, "origin", json!("https://a.example/b"), Some("sign_in.origin")),
            ("sign_in", &good_sign_in, "return_parameter", json!(""), Some("sign_in.return_parameter")),
        ] {
            let mut document = document();
            document["credentials"] = json!({"cookie": "session"});
            document[member] = good.clone();
            document[member][name] = value.clone();
            let document: PolicyDocument = serde_json::from_value(document).unwrap();
            let places: Vec<_> = match Policy::compile(&document) {
                Ok(_) => Vec::new(),
                Err(problems) => problems.iter().map(|problem| problem.place.to_string()).collect(),
            };
            assert_eq!(places, place.into_iter().collect::<Vec<_>>(), "{member}.{name} = {value}");
        }
    }

    #[test]
    fn a_sign_in_that_could_not_help_is_a_problem() {
        let sign_in = json!({"url": "https://login.example.com", "origin": "https://files.example.com"});
        let mut document = document();
        document["sign_in"] = sign_in;
        let places =
            |document: &Value| match Policy::compile(&serde_json::from_value(document.clone()).unwrap()) {
                Ok(_) => Vec::new(),
                Err(problems) => problems.iter().map(|problem| problem.place.to_string()).collect(),
            };
        assert_eq!(places(&document), ["sign_in"], "no cookie brings the token back");
        document["credentials"] = json!({"cookie": "session"});
        assert_eq!(places(&document), Vec::<String>::new());
        document["issuers"] = json!([]);
        document["rules"] = json!([document["rules"][1]]);
        assert_eq!(places(&document), ["sign_in"], "nobody's token is trusted");
    }

    #[test]
    fn the_methods_of_a_deny_rule_cover_every_operation_of_their_kind() {
        for (effect, method, names) in [
            ("allow", "GET", "GetObject HeadObject"),
            ("allow", "PUT", "PutObject"),
            ("deny", "GET", "GetObject HeadObject GetObjectVersion HeadObjectVersion"),
            ("deny", "HEAD", "HeadObject HeadObjectVersion"),
            ("deny", "PUT", "PutObject CreateMultipartUpload UploadPart CompleteMultipartUpload"),
            ("deny", "DELETE", "DeleteObject"),
        ] {
            let mut document = document();
            document["rules"] = json!([{"id": "a", "effect": effect, "methods": [method], "keys": ["a"]}]);
            let policy = Policy::compile(&serde_json::from_value(document).unwrap()).unwrap();
            let operations: Vec<_> = policy.rules()[0].operations().iter().map(S3Operation::name).collect();
            assert_eq!(operations.join(" "), names, "{effect} {method}");
        }
    }

    #[test]
    fn keys_come_from_a_file_a_url_or_both() {
        let url = "https://login.example.com/jwks";
        let keys = document()["issuers"][0]["jwks"]["keys"].clone();
        for (jwks, places) in [
            (json!({"url": url}), vec![]),
            (json!({"url": url, "keys": keys, "max_age_seconds": 60, "max_stale_seconds": 604_800}), vec![]),
            (json!({"url": url, "file": "a"}), vec!["issuers[0].jwks"]),
            (json!({"url": "http://127.0.0.1:4000/jwks"}), vec![]),
            (json!({"url": "http://login.example.com/jwks"}), vec!["issuers[0].jwks.url"]),
            (json!({"url": "login.example.com"}), vec!["issuers[0].jwks.url"]),
            (json!({"url": url, "max_age_seconds": 59}), vec!["issuers[0].jwks.max_age_seconds"]),
            (
                json!({"url": url, "max_age_seconds": 86_401}),
                vec!["issuers[0].jwks.max_age_seconds", "issuers[0].jwks.max_stale_seconds"],
            ),
            (json!({"url": url, "max_stale_seconds": 3_599}), vec!["issuers[0].jwks.max_stale_seconds"]),
            (json!({"url": url, "max_stale_seconds": 604_801}), vec!["issuers[0].jwks.max_stale_seconds"]),
            (
                json!({"keys": keys, "max_age_seconds": 60, "max_stale_seconds": 60}),
                vec!["issuers[0].jwks.max_age_seconds", "issuers[0].jwks.max_stale_seconds"],
            ),
        ] {
            assert_eq!(problems("/issuers/0/jwks", jwks.clone()), places, "{jwks}");
        }
    }

    #[test]
    fn a_secret_stands_alone_and_is_long_enough() {
        let issuer = |secret: Value, algorithms: Value| {
            let mut issuer = document()["issuers"][0].clone();
            issuer.as_object_mut().unwrap().remove("jwks");
            issuer["secret"] = secret;
            issuer["algorithms"] = algorithms;
            issuer
        };
        let of = |length: usize| json!({"value": URL_SAFE_NO_PAD.encode(vec![7; length])});
        for (secret, algorithms, places) in [
            (of(32), json!(["HS256"]), vec![]),
            (of(31), json!(["HS256"]), vec!["issuers[0].secret"]),
            (of(4097), json!(["HS256"]), vec!["issuers[0].secret"]),
            (json!({"value": "no base64url!"}), json!(["HS256"]), vec!["issuers[0].secret"]),
            (json!({"file": "a"}), json!(["HS256"]), vec!["issuers[0].secret"]),
            (json!({}), json!(["HS256"]), vec!["issuers[0].secret"]),
            (of(32), json!(["HS256", "RS256"]), vec!["issuers[0].algorithms[1]"]),
            (of(32), json!([]), vec!["issuers[0].algorithms"]),
        ] {
            assert_eq!(problems("/issuers/0", issuer(secret.clone(), algorithms)), places, "{secret}");
        }
        let document: PolicyDocument = serde_json::from_value(json!({
            "version": 1, "issuers": [issuer(of(32), json!(["HS256"]))], "rules": []
        }))
        .unwrap();
        let shown = format!("{document:?} {:?}", Policy::compile(&document).unwrap());
        assert!(!shown.contains("BwcHBwc"), "{shown}");
    }

    #[test]
    fn unknown_words_are_refused() {
        for (pointer, value) in [
            ("/rules/0", json!({"id": "a", "effect": "allow", "methods": ["GET"], "keys": ["a"], "wen": {}})),
            ("/rules/0/effect", json!("permit")),
            ("/rules/0/methods", json!(["POST"])),
            ("/rules/0", json!({"id": "a", "effect": "allow", "keys": ["a"], "operations": ["CopyObject"]})),
            (
                "/rules/0",
                json!({"id": "a", "effect": "allow", "methods": ["PUT"], "keys": ["a"], "upload": {"max": 1}}),
            ),
            ("/rules/0/methods", json!(["get"])),
            ("/issuers/0/algorithms", json!(["HS512"])),
            ("/issuers/0/algorithms", json!(["none"])),
            ("/issuers/0/jwks", json!({"uri": "https://example.com"})),
        ] {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            assert!(serde_json::from_value::<PolicyDocument>(document).is_err(), "{pointer}");
        }
    }
}
