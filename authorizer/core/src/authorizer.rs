//! The way of a request, steps 1 to 8, one after the other.

use crate::bundle::Bundle;
use crate::credential::Credential;
use crate::event::{CloudFrontRequest, EventError, ViewerRequestEvent};
use crate::key::ObjectKey;
use crate::operation::{OperationSet, S3Operation};
use crate::outcome::Outcome;
use crate::policy::Policy;
use crate::record::{DecisionRecord, Verdict};
use crate::refusal::Refusal;
use crate::rules::{Decision, decide};
use crate::time::UnixTime;
use crate::token::Principal;

/// Decides on viewer-request events by one bundle. Built once, and shared by every request.
#[derive(Clone, Debug)]
pub struct Authorizer {
    bundle: Bundle,
    possible: OperationSet,
}

/// What was decided on one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorized {
    /// What goes back to CloudFront.
    pub outcome: Outcome,
    /// What goes into the decision log.
    pub record: DecisionRecord,
}

impl Authorizer {
    /// For a bundle.
    pub fn new(bundle: Bundle) -> Self {
        let possible = bundle.policy().possible_operations();
        Self { bundle, possible }
    }

    /// The bundle that decides.
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// Decides on the bytes of one event, at the instant `now`. Whatever the bytes are, there is an
    /// outcome, and it forwards only what a rule allows.
    pub fn authorize(&self, event: &[u8], now: UnixTime) -> Authorized {
        let mut record =
            DecisionRecord { bundle_sha256: self.bundle.sha256().to_owned(), ..DecisionRecord::default() };
        let event = match ViewerRequestEvent::parse(event) {
            Ok(event) => event,
            Err(error) => {
                let refusal = match error {
                    EventError::Malformed => Refusal::EventMalformed,
                    EventError::WrongTrigger => Refusal::EventWrongTrigger,
                };
                return refuse(&refusal, None, None, record);
            }
        };
        let ViewerRequestEvent { config, request } = event;
        record.request_id = Some(config.request_id.clone());
        record.distribution_id = Some(config.distribution_id);
        record.method = Some(request.method.chars().take(16).collect());
        match self.decide(&request, now, &mut record) {
            Ok((operation, key)) => {
                record.decision = Verdict::Allow;
                record.reason = "allowed_by_rule".into();
                Authorized { outcome: Outcome::forward(request, operation, &key), record }
            }
            Err(refusal) => refuse(&refusal, Some(&config.request_id), Some(&request.method), record),
        }
    }

    /// Steps 2 to 6. What is learned on the way is noted, so that the log has it for refusals too.
    fn decide(
        &self,
        request: &CloudFrontRequest,
        now: UnixTime,
        record: &mut DecisionRecord,
    ) -> Result<(S3Operation, ObjectKey), Refusal> {
        let policy: &Policy = self.bundle.policy();
        let key = ObjectKey::from_uri(&request.uri).map_err(Refusal::Key)?;
        record.key = Some(key.as_str().to_owned());
        let operation = S3Operation::from_request(request, self.possible)?;
        record.operation = Some(operation.name().to_owned());
        let credential = Credential::find(&request.headers)?;
        let principal = Principal::verify(credential, policy.issuers(), now)?;
        if let Principal::Verified(claims) = &principal {
            record.note_principal(claims, policy.subject_logging);
        }
        match (decide(policy.rules(), operation, &key, &principal), &principal) {
            (Decision::Allow(rule), _) => {
                record.rule = Some(rule.id().to_owned());
                Ok((operation, key))
            }
            (Decision::Deny(rule), _) => {
                record.rule = Some(rule.id().to_owned());
                Err(Refusal::DeniedByRule)
            }
            // Whoever sent no token may still get in with one.
            (Decision::Default { .. }, Principal::Anonymous) => Err(Refusal::TokenMissing),
            (Decision::Default { lacking_scope: Some(scope), .. }, Principal::Verified(_)) => {
                Err(Refusal::InsufficientScope { scope })
            }
            (Decision::Default { furthest, lacking_scope: None }, Principal::Verified(_)) => {
                Err(Refusal::NoRule(furthest))
            }
        }
    }
}

fn refuse(
    refusal: &Refusal,
    request_id: Option<&str>,
    method: Option<&str>,
    mut record: DecisionRecord,
) -> Authorized {
    record.decision = Verdict::Refuse;
    record.status = Some(refusal.status());
    record.reason = refusal.reason().into();
    Authorized { outcome: Outcome::refuse(refusal, request_id, method), record }
}
