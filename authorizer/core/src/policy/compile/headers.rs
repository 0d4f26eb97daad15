//! The headers that reach S3: how many there may be, and which checksums are among them.

use super::super::compiled::Policy;
use super::super::document::{ChecksumsDocument, PolicyDocument};
use super::super::problem::{Place, PolicyProblem, Problems};
use crate::checksum::{ChecksumAlgorithm, Checksums};
use crate::origin_headers::{DEFAULT_MAX_HEADERS, MAX_NAME_CHARACTERS, OriginHeaders};
use crate::rules::Rule;

/// The most headers that a quota is believed to allow.
const MOST: u16 = 100;

/// The number of headers that an origin request policy of the account can have.
pub(super) fn quota(document: &PolicyDocument) -> u16 {
    document.max_origin_headers.unwrap_or(DEFAULT_MAX_HEADERS)
}

pub(super) fn check_quota(document: &PolicyDocument, problems: &mut Problems) {
    if !(DEFAULT_MAX_HEADERS..=MOST).contains(&quota(document)) {
        problems.add(
            Place::member("max_origin_headers"),
            format!("this is not a number from {DEFAULT_MAX_HEADERS} to {MOST}"),
            "write the account's quota `Headers per origin request policy`, or remove the line",
        );
    }
}

/// Says which checksums `checksums = true` lets through: of all, in their order, as many as an origin request policy
/// has room for, and at least the first.
pub(super) fn fit_checksums(document: &PolicyDocument, rules: &mut [Rule]) {
    let is_open = |index: usize| {
        let upload = document.rules.get(index).and_then(|rule| rule.upload.as_ref());
        upload.is_some_and(|upload| upload.checksums == ChecksumsDocument::Fitting(true))
    };
    let open: Vec<usize> = (0..rules.len()).filter(|index| is_open(*index)).collect();
    let fill = |rules: &mut [Rule], checksums| {
        for index in &open {
            if let Some(rule) = rules.get_mut(*index) {
                rule.terms.checksums = checksums;
            }
        }
    };
    if open.is_empty() {
        return;
    }
    let [first, rest @ ..] = ChecksumAlgorithm::ALL;
    let mut fitting: Checksums = [first].into_iter().collect();
    fill(rules, fitting);
    let mut headers = OriginHeaders::of(&*rules);
    for one in rest {
        if headers.add_if_it_fits(one.header(), quota(document)) {
            fitting = fitting.union([one].into_iter().collect());
        }
    }
    fill(rules, fitting);
}

impl Policy {
    /// What is wrong if more headers must reach S3 than an origin request policy can have: then some are lost, and
    /// what is stored or read is not what was decided. The function works without them, so this is not an error of
    /// the policy itself; whoever packages it checks it.
    ///
    /// # Errors
    /// The problem, at the rule with which they are too many.
    pub fn check_origin_headers(&self, document: &PolicyDocument) -> Result<(), PolicyProblem> {
        let quota = quota(document);
        let all = OriginHeaders::of(self.rules());
        if all.fit(quota) {
            return Ok(());
        }
        let names: Vec<&str> = all.names().collect();
        let mut so_far = OriginHeaders::default();
        let too_many = self.rules().iter().position(|rule| {
            so_far.add(rule);
            !so_far.fit(quota)
        });
        let place = Place::member("rules").at(too_many.unwrap_or_default());
        let count = all.count();
        Err(match count <= usize::from(quota) {
            true => PolicyProblem {
                place,
                message: format!(
                    "the names of the headers that must reach S3 have {} characters, but an origin request policy \
                     takes {MAX_NAME_CHARACTERS}",
                    all.characters()
                ),
                remedy: "use shorter or fewer names in `upload.metadata`".to_owned(),
            },
            false => PolicyProblem {
                place,
                message: format!(
                    "with this rule, the policy needs {count} headers at S3, but an origin request policy takes \
                     {quota}: {}",
                    names.join(", ")
                ),
                remedy: format!(
                    "name fewer checksums, such as `checksums = [\"sha256\"]`, or less metadata; or have AWS raise \
                     the quota `Headers per origin request policy`, and write `max_origin_headers = {count}` at the \
                     top of the policy"
                ),
            },
        })
    }
}
