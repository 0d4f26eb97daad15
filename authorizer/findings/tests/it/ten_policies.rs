//! Ten policies as people write them, one good and nine with mistakes: everything that stops a deployment is named
//! here, and nothing else does.

use std::collections::BTreeSet;

use authorizer_findings::Severity::{self, High, Medium};
use authorizer_findings::policy::PolicyFinding;

use crate::policy::found_in;
use crate::root;

/// What must be found: the id, the severity, the rule or the issuer, and a part of the message.
type Expected = (&'static str, Severity, &'static str, &'static str);

const POLICIES: [(&str, &[Expected]); 10] = [
    ("good", &[]),
    (
        "own-folder-and-all",
        &[
            ("EA012", High, "owners-read", "opens with `users/**` what `users/{sub}/**` keeps to each `sub`"),
            ("EA025", Medium, "owners-write", "PutObject on `inbox/*`"),
        ],
    ),
    (
        "sealed-and-misspelt",
        &[
            (
                "EA004",
                High,
                "no-secrets",
                "with `report/secret/**`: no rule allows what it denies; rule `staff-reads",
            ),
            (
                "EA004",
                High,
                "no-salaries",
                "no rule allows what it denies; rule `staff-reads-reports` allows `reports/**`",
            ),
            ("EA049", High, "no-drafts", "denies `reports/drafts/*`, but"),
        ],
    ),
    (
        "two-companies",
        &[
            ("EA014", High, "own-folder", "shares `users/{sub}/**` between issuers `staff` and `partner`"),
            ("EA015", Medium, "operators", "tests `groups`"),
            ("EA028", Medium, "handbook", "all 2 issuers"),
        ],
    ),
    (
        "office-and-anywhere",
        &[
            (
                "EA013",
                High,
                "reports-on-the-road",
                "from any address what rule `reports-in-the-office` limits",
            ),
            ("EA013", Medium, "plans-of-the-bridge", "at any time what rule `contractors-until"),
        ],
    ),
    (
        "tenants",
        &[
            (
                "EA012",
                Medium,
                "tenants-read",
                "opens with `t/*/shared/**` what `t/{tenant}/**` keeps to each `tenant`",
            ),
            (
                "EA016",
                Medium,
                "invoices-are-handed-in",
                "`invoice/{tenant}/*`, which no rule reads; rule `invoices-are-read`",
            ),
        ],
    ),
    (
        "entra",
        &[
            ("EA034", High, "guests-do-not-read-drafts", "Entra ID puts roles in `roles`"),
            ("EA034", Medium, "admins-read", "Entra ID puts roles in `roles`"),
            ("EA057", Medium, "entra", "`api://6e74172b-be56-4843-9ff4-e66a39bb12e3`"),
            ("EA040", Medium, "guests-do-not-read-drafts", "without the claim `role`"),
        ],
    ),
    (
        "cognito",
        &[
            ("EA034", Medium, "editors-read", "Cognito puts groups in `cognito:groups`"),
            ("EA035", Medium, "editors-read", "did you mean `cognito:groups`?"),
            ("EA052", Medium, "devices", "the text `acess` of `token_use`, which is `access` or `id`"),
            ("EA057", Medium, "people", "the audience `1example23456789`"),
        ],
    ),
    (
        "google",
        &[
            (
                "EA052",
                Medium,
                "the-boss-reads",
                "compares `email_verified` with the text `true`, which is a boolean",
            ),
            (
                "EA081",
                High,
                "people-read",
                "any Google account that can sign in to the application on `handbook/**`",
            ),
        ],
    ),
    (
        "uploads",
        &[
            ("EA053", Medium, "operators-write-anything", "the one word `ops,admin`"),
            ("EA054", Medium, "jobs-publish", "values of `repository` have a slash at GitHub Actions"),
            (
                "EA061",
                Medium,
                "",
                "rules `operators-write-anything` and `jobs-publish` allow uploads of any type",
            ),
            ("EA063", Medium, "owners-manage-pictures", "`text/xsl`"),
            ("EA063", Medium, "owners-manage-pictures", "`application/rss+xml`"),
            (
                "EA069",
                Medium,
                "owners-manage-pictures",
                "`image/jpg`, which is in no registry; did you mean `image/jpeg`?",
            ),
        ],
    ),
];

fn about(finding: &PolicyFinding) -> &str {
    finding.about.rule().or(finding.about.issuer()).unwrap_or_default()
}

fn is(finding: &PolicyFinding, (id, severity, about_it, part): &Expected) -> bool {
    finding.check.id == *id
        && finding.severity == *severity
        && about(finding) == *about_it
        && finding.message.contains(part)
}

#[test]
fn what_stops_a_deployment_of_ten_policies_is_exactly_the_mistakes_in_them() {
    let mut wrong = Vec::new();
    for (name, expected) in POLICIES {
        let found = found_in(&root().join(format!("fixtures/audit/policies/{name}.toml")));
        let stops: Vec<_> = found.iter().filter(|one| one.severity >= Severity::Medium).collect();
        for one in expected {
            if !stops.iter().any(|finding| is(finding, one)) {
                wrong.push(format!("{name}: not found: {one:?}"));
            }
        }
        for finding in stops {
            if !expected.iter().any(|one| is(finding, one)) {
                let (id, severity) = (finding.check.id, finding.severity);
                wrong.push(format!("{name}: {id} {severity:?} {}: {}", about(finding), finding.message));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_policy_of_the_folder_is_among_the_ten() {
    let entries = std::fs::read_dir(root().join("fixtures/audit/policies")).unwrap();
    let files: BTreeSet<_> = entries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let names: BTreeSet<_> = POLICIES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, names);
}

#[test]
fn a_finding_about_what_rules_open_shows_requests() {
    for (name, ids) in [
        ("own-folder-and-all", ["EA012"].as_slice()),
        ("sealed-and-misspelt", &["EA049"]),
        ("two-companies", &["EA014"]),
        ("office-and-anywhere", &["EA013"]),
        ("tenants", &["EA012"]),
    ] {
        // `found_in` has the core decide on each of them.
        let found = found_in(&root().join(format!("fixtures/audit/policies/{name}.toml")));
        for finding in found.iter().filter(|one| ids.contains(&one.check.id)) {
            assert!(!finding.shown.is_empty(), "{name}: {}", finding.message);
        }
    }
}
