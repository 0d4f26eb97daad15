//! Tokens with random headers and claims and a valid signature. They must be accepted exactly if the second reading
//! of the policy, [`oracle`], accepts them.

mod document;
mod json;
mod oracle;

use std::cell::Cell;
use std::sync::LazyLock;

use authorizer_core::UnixTime;
use authorizer_core::policy::Policy;
use authorizer_core::token::{SignatureAlgorithm, verify};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{DecodingKey, Validation};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use self::document::{Document, claims, header};
use crate::signer::Signer;

const NOW: u64 = 1_800_000_000;

/// The owner of the key that signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Who {
    Staff,
    StaffByCurve,
    Partner,
}

impl Who {
    const ALL: [Self; 3] = [Self::Staff, Self::StaffByCurve, Self::Partner];

    fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::Staff | Self::Partner => SignatureAlgorithm::EdDsa,
            Self::StaffByCurve => SignatureAlgorithm::Es256,
        }
    }

    fn key_id(self) -> &'static str {
        match self {
            Self::Staff => "k1",
            Self::StaffByCurve => "k2",
            Self::Partner => "p1",
        }
    }

    fn issuer(self) -> &'static str {
        match self {
            Self::Staff | Self::StaffByCurve => "https://staff.example/",
            Self::Partner => "https://partner.example/",
        }
    }

    fn signer(self) -> &'static Signer {
        static SIGNERS: LazyLock<[Signer; 3]> =
            LazyLock::new(|| Who::ALL.map(|who| Signer::new(who.algorithm())));
        &SIGNERS[self as usize]
    }

    fn jwk(self) -> Value {
        self.signer().jwk(self.key_id())
    }
}

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let document = json!({
        "version": 1,
        "issuers": [
            {"name": "staff", "issuer": Who::Staff.issuer(), "audience": ["files", "more files"],
                "algorithms": ["EdDSA", "ES256"], "jwks": {"keys": [Who::Staff.jwk(), Who::StaffByCurve.jwk()]},
                "token_type": "at+jwt", "required": {"token_use": "access", "tenant": 7, "active": true},
                "leeway_seconds": oracle::LEEWAY as u64, "max_lifetime_seconds": 120},
            {"name": "partner", "issuer": Who::Partner.issuer(), "client_id": ["p"], "algorithms": ["EdDSA"],
                "jwks": {"keys": [Who::Partner.jwk()]}, "accept_bound_tokens": true, "leeway_seconds": oracle::LEEWAY as u64}
        ],
        "revoked": [
            {"issuer": "staff", "jti": "stolen"},
            {"issuer": "partner", "sub": "bob", "issued_before": "2027-01-15T07:59:55Z"}
        ]
    });
    Policy::compile(&serde_json::from_value(document).unwrap()).unwrap()
});

/// A signed token, and its parts.
#[derive(Clone, Debug)]
struct Made {
    who: Who,
    header: Document,
    claims: Document,
    token: String,
}

/// Mostly the key of the issuer that the token names, and sometimes another key.
fn made() -> impl Strategy<Value = Made> {
    let whose = select(Who::ALL.to_vec());
    (whose.clone(), whose, 0..8u8)
        .prop_flat_map(|(words, other, mixed)| {
            let who = if mixed == 0 { other } else { words };
            (Just(who), header(who), claims(words))
        })
        .prop_map(|(who, header, claims)| {
            let token = who.signer().sign_bytes(&header.to_bytes(), &claims.to_bytes());
            Made { who, header, claims, token }
        })
}

/// How another reader reads a token that was accepted here: the claims, if it can read the header.
fn decoded(made: &Made) -> Option<Value> {
    let mut validation = Validation::new(made.who.algorithm().jsonwebtoken());
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let key = DecodingKey::from_jwk(&serde_json::from_value(made.who.jwk()).unwrap()).unwrap();
    match jsonwebtoken::decode::<Value>(&made.token, &key, &validation) {
        Ok(decoded) => Some(decoded.claims),
        // It requires types of parameters that are never read here.
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Json(_)), "{error}: {}", made.token);
            None
        }
    }
}

#[test]
fn a_token_at_random_is_accepted_where_the_policy_says_so() {
    let counts = [const { Cell::new(0u32) }; 3];
    let [accepted, refused, agreed] = &counts;
    let count = |counter: &Cell<u32>| counter.set(counter.get() + 1);
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&made(), |made| {
        let verified = verify(&made.token, POLICY.issuers(), UnixTime::from_seconds(NOW));
        prop_assert_eq!(verified.is_ok(), oracle::is_good(&made), "{:?}", verified.err());
        let Ok(claims) = verified else {
            count(refused);
            return Ok(());
        };
        count(accepted);
        prop_assert_eq!(claims.issuer().issuer(), made.who.issuer());
        let subject = made.claims.members.iter().find(|(name, _)| name.value == "sub");
        prop_assert_eq!(claims.subject(), subject.and_then(|(_, value)| value.as_text()));
        if let Some(decoded) = decoded(&made) {
            count(agreed);
            prop_assert_eq!(decoded, Value::Object(claims.claims().clone()));
        }
        Ok(())
    });
    run.unwrap();
    for counter in &counts {
        assert!(counter.get() > 800, "both outcomes are asked for often: {counts:?}");
    }
}
