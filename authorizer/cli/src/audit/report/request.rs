//! A request that was let in, line by line.

use authorizer_analysis::Witness;
use serde_json::Value;

use crate::audit::request::at;

/// The request line, its headers, and the token or that there is none.
pub(super) fn lines(witness: &Witness) -> Vec<String> {
    let query = match witness.querystring.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let mut lines = vec![
        format!("{} {}{query}", witness.method, witness.uri),
        format!("from {} {}", witness.source, at(witness.at)),
    ];
    lines.extend(witness.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.push(match (&witness.claims, &witness.token_type) {
        (None, _) => "without a token".to_owned(),
        (Some(claims), None) => format!("token {}", Value::from(claims.clone())),
        (Some(claims), Some(kind)) => format!("token of type {kind} {}", Value::from(claims.clone())),
    });
    lines
}
