//! A line of the decision log, written.

use super::{DecisionLine, DecisionRecord};
use crate::json_text::{push_number, push_optional, push_text};

impl DecisionLine<'_> {
    /// Adds the line to a text, without the newline. It is what serde writes.
    ///
    /// # Errors
    /// Those of serde, for the digests of claims. None that a policy can make causes one.
    pub fn write(&self, lines: &mut String) -> Result<(), serde_json::Error> {
        // Every field by its name, so that a new one does not compile until it is written here.
        let Self { log_version, time, record, micros } = self;
        let DecisionRecord {
            time: _,
            request_id,
            distribution_id,
            method,
            operation,
            key,
            host,
            query,
            query_names,
            decision,
            status,
            reason,
            problem,
            rule,
            issuer,
            subject,
            claims,
            claims_salt_id,
            bundle_sha256,
        } = record;
        push_number(lines, r#"{"log_version":"#, u64::from(*log_version));
        if let Some(time) = time {
            push_number(lines, r#","time":"#, *time);
        }
        push_optional(lines, r#","request_id":"#, request_id.as_deref());
        push_optional(lines, r#","distribution_id":"#, distribution_id.as_deref());
        push_optional(lines, r#","method":"#, method.as_deref());
        push_optional(lines, r#","operation":"#, operation.as_deref());
        push_optional(lines, r#","key":"#, key.as_deref());
        push_optional(lines, r#","host":"#, host.as_deref());
        push_optional(lines, r#","query":"#, query.as_deref());
        push_optional(lines, r#","query_names":"#, query_names.as_deref());
        push_text(lines, r#","decision":"#, decision.word());
        if let Some(status) = status {
            push_number(lines, r#","status":"#, u64::from(*status));
        }
        push_text(lines, r#","reason":"#, reason);
        push_optional(lines, r#","problem":"#, problem.as_deref());
        push_optional(lines, r#","rule":"#, rule.as_deref());
        push_optional(lines, r#","issuer":"#, issuer.as_deref());
        push_optional(lines, r#","subject":"#, subject.as_deref());
        if let Some(claims) = claims {
            lines.push_str(r#","claims":"#);
            lines.push_str(&serde_json::to_string(claims)?);
        }
        push_optional(lines, r#","claims_salt_id":"#, claims_salt_id.as_deref());
        push_text(lines, r#","bundle_sha256":"#, bundle_sha256);
        push_number(lines, r#","micros":"#, *micros);
        lines.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::logged_claims::LoggedClaims;
    use crate::record::Verdict;
    use crate::time::UnixTime;
    use proptest::prelude::*;
    use serde_json::json;

    proptest! {
        // What a text can have in it is `json_text`'s to test.
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_line_is_written_as_serde_writes_it(
            texts in prop::array::uniform15(prop::option::of("[a-z\"\n\u{20ac}]{0,4}")),
            status in any::<Option<u16>>(),
            time in any::<Option<u32>>(),
            micros in any::<u64>(),
            digests in prop::option::of(prop::collection::btree_map("[a-z\"]{0,4}", prop::option::of("[a-f]{2}"), 0..3)),
        ) {
            let [request_id, distribution_id, method, operation, key, host, query, query_names, reason, problem, rule,
                issuer, subject, claims_salt_id, bundle_sha256] = texts.map(|text| text.map(Cow::Owned));
            let claims: Option<LoggedClaims> =
                digests.map(|digests| serde_json::from_value(json!(digests)).unwrap());
            for decision in [Verdict::Allow, Verdict::Refuse, Verdict::Preflight] {
                let record = DecisionRecord {
                    time: time.map(|time| UnixTime::from_seconds(time.into())),
                    request_id: request_id.clone(),
                    distribution_id: distribution_id.clone(),
                    method: method.clone(),
                    operation: operation.clone(),
                    key: key.clone(),
                    host: host.clone(),
                    query: query.clone(),
                    query_names: query_names.clone(),
                    decision,
                    status,
                    reason: reason.clone().unwrap_or_default(),
                    problem: problem.clone(),
                    rule: rule.clone(),
                    issuer: issuer.clone(),
                    subject: subject.clone(),
                    claims: claims.clone(),
                    claims_salt_id: claims_salt_id.clone(),
                    bundle_sha256: bundle_sha256.clone().unwrap_or_default(),
                };
                let line = DecisionLine::new(&record, micros);
                let mut written = "before".to_owned();
                line.write(&mut written).unwrap();
                prop_assert_eq!(written, format!("before{}", serde_json::to_string(&line).unwrap()));
            }
        }
    }
}
