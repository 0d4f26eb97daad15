//! Policies with any number of rules, and changes that a review may see in one.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use authorizer_core::Authorizer;
use authorizer_policy::PolicyFile;

/// A change of a policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// The last rule comes first.
    Order,
    /// One rule allows larger uploads.
    Wider,
    /// Each rule allows larger uploads.
    AllWider,
    /// A rule allows everybody to read everything.
    Everything,
    /// A deny rule is gone.
    DenyGone,
    /// All deny rules are gone.
    DeniesGone,
    /// A new rule denies everything.
    DenyEverything,
    /// The tokens are for another audience as well.
    Audience,
    /// Each upload needs the name of its owner.
    Metadata,
}

impl Change {
    pub(crate) const ALL: [Self; 9] = [
        Self::Order,
        Self::Wider,
        Self::AllWider,
        Self::Everything,
        Self::DenyGone,
        Self::DeniesGone,
        Self::DenyEverything,
        Self::Audience,
        Self::Metadata,
    ];
}

/// The text of a policy with this many rules. A tenth of them deny, and a tenth are for everybody.
pub(crate) fn text(rules: usize, change: Option<Change>) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/logs/keys/staff.jwks.json");
    let audience =
        if change == Some(Change::Audience) { r#"["files-api", "other"]"# } else { r#"["files-api"]"# };
    let mut text = format!(
        "version = 1\n\n[[issuers]]\nname = \"staff\"\nissuer = \"https://login.example.com/\"\n\
         audience = {audience}\nalgorithms = [\"EdDSA\"]\njwks = {{ file = \"{}\" }}\n",
        keys.display()
    );
    let head = "\n[[rules]]\n";
    if change == Some(Change::Everything) {
        let _ =
            write!(text, "{head}id = \"all\"\neffect = \"allow\"\nmethods = [\"GET\"]\nkeys = [\"**\"]\n");
    }
    if change == Some(Change::DenyEverything) {
        let _ =
            write!(text, "{head}id = \"none\"\neffect = \"deny\"\nmethods = [\"GET\"]\nkeys = [\"**\"]\n");
    }
    let last = rules.saturating_sub(1);
    for place in 0..rules {
        let number = match change {
            Some(Change::Order) => place.checked_sub(1).unwrap_or(last),
            _ => place,
        };
        let rule = rule(number, change);
        let is_gone = rule.contains("\"deny\"")
            && match change {
                Some(Change::DenyGone) => number == 9,
                Some(Change::DeniesGone) => true,
                _ => false,
            };
        if !is_gone {
            let _ = write!(text, "{head}{rule}");
        }
    }
    text
}

fn rule(number: usize, change: Option<Change>) -> String {
    let bytes = match change {
        Some(Change::AllWider) => "50MB",
        Some(Change::Wider) if number == 7 => "50MB",
        _ => "25MB",
    };
    let metadata = if change == Some(Change::Metadata) { ", metadata = { owner = \"{sub}\" }" } else { "" };
    match number % 10 {
        9 => format!(
            "id = \"deny-{number}\"\neffect = \"deny\"\nmethods = [\"PUT\", \"DELETE\"]\n\
             keys = [\"team-{}/frozen/**\"]\n",
            number - 1
        ),
        4 => format!(
            "id = \"public-{number}\"\neffect = \"allow\"\nmethods = [\"GET\"]\n\
             keys = [\"team-{number}/public/**\"]\nanonymous = true\n"
        ),
        _ => format!(
            "id = \"rule-{number}\"\neffect = \"allow\"\nmethods = [\"GET\", \"PUT\", \"DELETE\"]\n\
             keys = [\"team-{number}/{{sub}}/**\", \"team-{number}/shared/*.txt\"]\n\
             when = {{ scope = {{ has = \"files-{number}\" }} }}\n\
             upload = {{ max_bytes = \"{bytes}\", content_types = [\"image/*\"]{metadata} }}\n"
        ),
    }
}

/// The text of a policy with so many allow rules, and so many deny rules behind them: half of these deny something of
/// every allow rule, the others something of one.
fn table(allows: usize, denies: usize) -> String {
    let mut text = text(0, None);
    for number in 0..allows {
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"rule-{number}\"\neffect = \"allow\"\nmethods = [\"GET\", \"PUT\"]\n\
             keys = [\"team-{number}/{{sub}}/**\", \"team-{number}/shared/*.txt\"]\n\
             when = {{ scope = {{ has = \"files-{number}\" }} }}\n"
        );
    }
    for number in 0..denies {
        let keys = if number % 2 == 0 {
            format!("**/frozen-{number}/**")
        } else {
            format!("team-{number}/*/sealed/**")
        };
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"deny-{number}\"\neffect = \"deny\"\nmethods = [\"GET\", \"PUT\"]\n\
             keys = [\"{keys}\"]\n"
        );
    }
    text
}

/// Writes a policy for a table into a folder.
pub(crate) fn write_table(folder: &Path, allows: usize, denies: usize) -> PathBuf {
    let path = folder.join(format!("{allows}-{denies}.toml"));
    fs::write(&path, table(allows, denies)).unwrap();
    path
}

/// Writes a policy into a folder.
pub(crate) fn write(folder: &Path, rules: usize, change: Option<Change>) -> PathBuf {
    let path = folder.join(format!("{rules}-{change:?}.toml"));
    fs::write(&path, text(rules, change)).unwrap();
    path
}

/// Reads a policy.
pub(crate) fn authorizer(path: &Path) -> Authorizer {
    Authorizer::new(PolicyFile::load(path).unwrap().into_bundle())
}
