//! What the rules of a policy mean, proved. Pure: no I/O, no clock.
//!
//! - [`query`] says who can do something, and what somebody can do; [`matrix`] writes all of it down.
//! - [`diff`] says what a new policy allows that the old one did not, and what it no longer allows.
//! - [`explain`] gives the result of every rule for one request: for an event, or for a [`PosedRequest`] with a token
//!   that nobody signed ([`explain_supposing`], [`fill_in`]).
//! - [`testing`] runs the unit tests of a policy, and says which parts of it they cover.
//! - [`cedar`] translates the rules.
//! - [`Analysis`] answers what findings are made of: whether a rule ever decides, makes a difference, or overlaps
//!   another. What it does not answer can be asked of the [`engine`] itself.
//! - [`conditions_in_words`] says what a rule asks for beside its keys, [`request_in_words`] what a [`Witness`] is.
//! - [`parts`] takes a rule apart, and [`folders`] sifts rules by the literal folders that their keys begin with.
//!
//! # Why the answers are proofs
//!
//! Every question comes down to one: is there a request that these rules match and those do not? The engine
//! ([`engine`]) answers it for one operation and one issuer at a time, of which there are few.
//!
//! A rule's match is a conjunction of *atoms*, each a statement about one thing: a pattern holds the key, a claim
//! passes a test, the address is in some networks. That a rule matches is so many atoms that hold; that it does not,
//! a clause: one of them does not hold. A SAT solver finds an assignment; the *theories* then look for a request that
//! is as the assignment says.
//!
//! - If they find one, it is a [`Witness`]: an event and a claims set. It is given to the core, whose own decision must
//!   be the one that is claimed, and whose own matching says which of the rules that must not match it do match. Those
//!   join the formula, and the search goes on. So a witness that is handed out is right, whatever the engine's faults;
//!   and a rule costs nothing until it matters.
//! - If they find none, they say which literals contradict each other, and "not all of these" becomes a clause.
//! - If no assignment is left, no request exists: the rules whose clauses the contradiction needs are the cover.
//!
//! A "no" is as good as the theories. Each is complete by the same argument: what is said of a thing divides its
//! values into finitely many classes, on each of which all statements are constant, and at least one value of every
//! class is tried. Addresses and instants fall into intervals, numbers at thresholds, claims by the values that tests
//! name. Keys and the claims that stand in them go together (`engine/theory/keyed.rs`): patterns are automata over
//! segments, segments fall into regular classes, of each class there are as many words as could ever have to differ,
//! and the product of the automata is searched to the end. Which segments the claims are is found on the way.
//!
//! A question has a budget in steps and bytes ([`engine::Budget`]). Over it the answer is "not decided", never "no".
//!
//! `docs/audit/exactness.md` says what this leaves out, and to which side. The tests in `tests/it/brute` compare
//! it with trying every request over small alphabets, for random policies.

mod analysis;
pub mod cedar;
mod diff;
pub mod engine;
mod explain;
pub mod folders;
mod host;
mod instant;
mod matrix;
pub mod parts;
pub mod posed;
mod query;
#[cfg(test)]
mod sample;
mod supposed;
pub mod testing;
mod words;

pub use analysis::{Analysis, Difference, Reach};
pub use diff::{
    AccessChange, ChangeKind, Direction, Effect, NOT_COMPARED, PartChange, PolicyDiff, RuleChange,
    SettingChange, StorageChange, TrustChange, diff,
};
pub use engine::{Bounds, EngineError, Replayed, Who, Witness};
pub use explain::{Change, Explanation, Gap, RuleExplanation, explain, explain_supposing};
pub use host::host_of;
pub use instant::{INSTANT_REMEDY, parse_instant};
pub use matrix::{Cell, Matrix, Row, matrix, who_in_words};
pub use posed::PosedRequest;
pub use query::{Permission, Query, Shown, query};
pub use supposed::{FilledToken, OtherIssuerError, fill_in, value_of};
pub use words::{
    RequestInWords, bytes_in_words, conditions_in_words, instant_in_words, on_one_line, request_in_words,
};
