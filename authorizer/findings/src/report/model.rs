//! The model of a report: findings, each in its place.

use std::path::{Path, PathBuf};

use authorizer_core::UnixTime;
use authorizer_core::policy::Place;
use authorizer_policy::{Places, PolicyFile};
use schemars::JsonSchema;
use serde::Serialize;

use super::region::Region;
use crate::catalogue::catalogue;
use crate::check::{Check, Severity};
use crate::deployment::accepted::AcceptedFindings;
use crate::deployment::export::Export;
use crate::deployment::finding::DeploymentFinding;
use crate::docs::Docs;
use crate::policy::finding::PolicyFinding;

/// Findings, and what they are of.
#[derive(Debug)]
pub struct Report {
    /// The command that looked.
    pub(super) command: &'static str,
    /// The checks that were made.
    pub(super) checks: &'static [&'static Check],
    /// What was looked at.
    pub(super) looked_at: Looked,
    /// Whether a finding can be accepted.
    pub(super) accepts: bool,
    /// Where the pages of the checks can be read.
    pub(super) docs: Option<Docs>,
    pub(super) findings: Vec<ReportedFinding>,
}

/// The checks that find what was not decided: of a rule the analysis, of a distribution the path patterns.
const UNDECIDED: [&str; 2] = ["EA019", "EA258"];

/// A finding, and where it stands.
#[derive(Debug)]
pub struct ReportedFinding {
    /// The check.
    pub check: &'static Check,
    /// How grave it is here.
    pub severity: Severity,
    /// What was found.
    pub message: String,
    /// The file, as the person named it.
    pub file: PathBuf,
    /// Where in the file.
    pub region: Region,
    /// The name of that place: `rules[0].id`, or a JSON pointer behind the name of an export's file.
    pub place: String,
    /// The entry of the policy that accepts it.
    pub accepted: Option<ReportedAcceptance>,
    pub(super) fingerprint: String,
    pub(super) excerpt: Excerpt,
    /// What only findings of its kind have.
    pub(super) particulars: Particulars,
}

/// What was looked at, as the person named it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub(super) enum Looked {
    /// A policy.
    Policy {
        /// The policy.
        policy: String,
        /// The instant of the checks, in seconds since 1970.
        now: u64,
    },
    /// A deployment.
    Deployment {
        /// The folder of the export.
        export: String,
        /// The policy.
        policy: String,
        /// The package, if one was named.
        package: Option<String>,
        /// Its SHA-256, in base64.
        code_sha256: Option<String>,
        /// What no export contains, so that no check looks at it.
        not_in_export: &'static [&'static str],
    },
}

/// What only findings of one kind have.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(untagged)]
pub(super) enum Particulars {
    /// Of a policy.
    Policy {
        /// The place in words, such as `rules[0].id`.
        place: String,
        /// The id of the rule that it is about.
        rule: Option<String>,
        /// The name of the issuer that it is about.
        issuer: Option<String>,
        /// The `kid` of the key that it is about.
        kid: Option<String>,
        /// Why the policy accepts it; `null` if it does not.
        accepted: Option<AcceptedBy>,
    },
    /// Of a deployment.
    Deployment {
        /// The file of the export.
        file: String,
        /// The place in it: a JSON pointer (RFC 6901).
        pointer: String,
        /// The value that is there.
        seen: String,
        /// With a file of accepted findings, why it accepts this one; `null` if it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        accepted: Option<Option<AcceptedBy>>,
    },
}

/// Why a finding is accepted.
#[derive(Debug, JsonSchema, Serialize)]
pub(super) struct AcceptedBy {
    /// The reason that the entry gives.
    reason: String,
    /// The line of the entry, from 1.
    line: usize,
}

impl AcceptedBy {
    fn of(accepted: &ReportedAcceptance) -> Self {
        Self { reason: accepted.reason.clone(), line: accepted.line }
    }
}

/// Why a finding is accepted, and where the policy says so.
#[derive(Debug)]
pub struct ReportedAcceptance {
    /// The reason that the entry gives.
    pub reason: String,
    /// The line of the entry.
    pub line: usize,
    /// Where it is in the file that has the finding too; nothing if it is in another file.
    pub(super) source: Option<(Region, String)>,
}

/// What a person is shown of the place.
#[derive(Debug)]
pub(super) enum Excerpt {
    /// The line, with the region under it.
    Line(String),
    /// A JSON pointer; nothing of a whole file.
    Pointer(String),
}

/// What of a deployment was looked at, as the person named it.
#[derive(Debug)]
pub struct LookedAt<'a> {
    /// The folder of the export.
    pub export: &'a Path,
    /// The policy.
    pub policy: &'a Path,
    /// The package.
    pub package: Option<&'a Path>,
    /// The SHA-256 of the package, in base64.
    pub code_sha256: Option<&'a str>,
}

/// What of a deployment no export contains, so that no check looks at it.
pub(super) const NOT_IN_EXPORT: &[&str] = &[
    "IAM policies of the account's users and roles, and service control policies",
    "access control lists of single objects",
    "lifecycle rules and object locks",
    "the bucket's own CORS rules",
    "who may change the distribution, the function, the bucket and the key",
    "the code of other functions, connection functions and web ACLs",
    "distributions of other accounts",
    "distribution tenants",
    "where access logs and real-time logs go, and who reads them",
    "DNS records and certificates",
];

impl Report {
    /// The same with links to the pages of findings in this documentation.
    #[must_use]
    pub fn with_docs(self, docs: Option<Docs>) -> Self {
        Self { docs, ..self }
    }

    /// Of a policy, which the person named `path`.
    pub fn of_policy(path: &Path, file: &PolicyFile, now: UnixTime, findings: Vec<PolicyFinding>) -> Self {
        let places = file.places();
        let findings = findings.into_iter().map(|finding| of_policy(path, file, &places, finding)).collect();
        Self {
            command: "authorizer audit findings",
            checks: &catalogue().policy,
            looked_at: Looked::Policy { policy: named(path), now: now.as_seconds() },
            accepts: true,
            docs: Docs::of_build(),
            findings,
        }
    }

    /// Of a deployment.
    pub fn of_deployment(
        at: &LookedAt<'_>,
        export: &Export,
        accepted: Option<&AcceptedFindings>,
        findings: Vec<DeploymentFinding>,
    ) -> Self {
        let one = |finding| of_deployment(at.export, export, accepted, finding);
        let findings = findings.into_iter().map(one).collect();
        Self {
            command: "authorizer audit deployment",
            checks: &catalogue().deployment,
            looked_at: Looked::Deployment {
                export: named(at.export),
                policy: named(at.policy),
                package: at.package.map(named),
                code_sha256: at.code_sha256.map(str::to_owned),
                not_in_export: NOT_IN_EXPORT,
            },
            accepts: accepted.is_some(),
            docs: Docs::of_build(),
            findings,
        }
    }

    /// All findings, in their order.
    pub fn findings(&self) -> &[ReportedFinding] {
        &self.findings
    }

    /// Those that the policy does not accept.
    pub fn open(&self) -> impl Iterator<Item = &ReportedFinding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }

    /// Whether every question was decided, or it is accepted that one was not.
    pub fn is_decided(&self) -> bool {
        self.open().all(|finding| !UNDECIDED.contains(&finding.check.id))
    }

    /// Those that it accepts.
    pub fn accepted(&self) -> impl Iterator<Item = &ReportedFinding> {
        self.findings.iter().filter(|finding| finding.accepted.is_some())
    }

    /// Open findings of the same check and severity together, in their order.
    pub fn alike(&self) -> Vec<Vec<&ReportedFinding>> {
        let open: Vec<_> = self.open().collect();
        let alike =
            |a: &&ReportedFinding, b: &&ReportedFinding| (a.severity, a.check.id) == (b.severity, b.check.id);
        open.chunk_by(alike).map(<[_]>::to_vec).collect()
    }

    /// How many open findings there are of each severity, the gravest first.
    pub fn counts(&self) -> [(Severity, usize); 4] {
        Severity::ALL
            .map(|severity| (severity, self.open().filter(|finding| finding.severity == severity).count()))
    }
}

/// A path as the person named it.
fn named(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn of_policy(path: &Path, file: &PolicyFile, places: &Places<'_>, finding: PolicyFinding) -> ReportedFinding {
    let fingerprint = finding.fingerprint();
    let PolicyFinding { check, severity, place, about, message, shown: _, accepted } = finding;
    let region = region_of(places, &place);
    let text = file.shown_text();
    let line = text.lines().nth(region.line.saturating_sub(1)).unwrap_or_default();
    let accepted = accepted.map(|accepted| ReportedAcceptance {
        line: places.position(places.span(&accepted.place).unwrap_or_default().start).line,
        source: Some((region_of(places, &accepted.place), accepted.place.to_string())),
        reason: accepted.reason,
    });
    ReportedFinding {
        check,
        severity,
        message,
        file: path.to_owned(),
        region,
        particulars: Particulars::Policy {
            place: place.to_string(),
            rule: about.rule().map(str::to_owned),
            issuer: about.issuer().map(str::to_owned),
            kid: about.kid().map(str::to_owned),
            accepted: accepted.as_ref().map(AcceptedBy::of),
        },
        place: place.to_string(),
        accepted,
        fingerprint,
        excerpt: Excerpt::Line(line.to_owned()),
    }
}

fn region_of(places: &Places<'_>, place: &Place) -> Region {
    let span = places.line_span(place).unwrap_or_default();
    let (start, end) = (places.position(span.start), places.position(span.end));
    Region { line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}

fn of_deployment(
    folder: &Path,
    export: &Export,
    accepted: Option<&AcceptedFindings>,
    finding: DeploymentFinding,
) -> ReportedFinding {
    let entry = accepted.and_then(|accepted| accepted.of(&finding));
    let entry = entry.map(|entry| ReportedAcceptance {
        reason: entry.document.reason.clone(),
        line: entry.line,
        source: None,
    });
    let fingerprint = finding.fingerprint();
    let DeploymentFinding { check, severity, file, pointer, message, seen, beside: _ } = finding;
    // The beginning, where there is no such file.
    let region = export.text(&file).map(|text| Region::of_pointer(text, &pointer)).unwrap_or_default();
    ReportedFinding {
        check,
        severity,
        message,
        file: folder.join(&file),
        region,
        place: format!("{file}#{pointer}"),
        particulars: Particulars::Deployment {
            file,
            pointer: pointer.clone(),
            seen,
            accepted: accepted.map(|_| entry.as_ref().map(AcceptedBy::of)),
        },
        accepted: entry,
        fingerprint,
        excerpt: Excerpt::Pointer(pointer),
    }
}
