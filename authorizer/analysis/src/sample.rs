//! Policies of the unit tests.

use authorizer_core::{Authorizer, Bundle};
use serde_json::{Value, json};

/// RFC 8037 appendix A.2.
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// By a policy whose issuers have no keys yet: each is given the same one.
pub(crate) fn authorizer_of(mut policy: Value) -> Authorizer {
    for issuer in policy["issuers"].as_array_mut().into_iter().flatten() {
        issuer["jwks"] = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": X}]});
    }
    let document = serde_json::from_value(policy).unwrap();
    Authorizer::new(Bundle::read(&Bundle::write(&document).unwrap()).unwrap())
}
