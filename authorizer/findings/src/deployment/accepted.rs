//! Findings of a deployment that are as they are meant to be. They are in a file of their own: a policy may be deployed
//! more than once, and what holds for one deployment need not hold for the next.

use std::ops::Range;

use authorizer_policy::nearest;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::finding::DeploymentFinding;

/// The accepted findings: the file that the person wrote.
#[derive(Clone, Debug)]
pub struct AcceptedFindings {
    entries: Vec<AcceptedFinding>,
}

/// One of them. It names all of a finding, because an entry that named less would accept what comes later, too.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AcceptedFinding {
    /// The finding's id, such as `EA297`.
    pub finding: String,
    /// The file of the export.
    pub file: String,
    /// How grave it was.
    pub severity: String,
    /// The finding's message.
    pub message: String,
    /// The digest of what it was found in: many messages do not change when what they are about gets graver.
    pub seen: String,
    /// Why it is accepted.
    pub reason: String,
    /// The line of the entry.
    pub line: usize,
}

/// Why a file of accepted findings cannot be used.
#[derive(Debug, Error)]
pub enum AcceptedError {
    /// Not TOML, or of another form.
    #[error("line {line}: {message}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// An entry without one of its fields, or with an empty reason.
    #[error("the entry in line {line} has no `{field}`")]
    Lacks {
        /// The line of the entry, from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
}

/// The fields of an entry.
const FIELDS: [&str; 6] = ["finding", "severity", "file", "message", "seen", "reason"];

/// A file as it is written.
struct Written<'t> {
    text: &'t str,
}

impl Written<'_> {
    /// The line of these bytes, from 1.
    fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or_default();
        before.matches('\n').count().saturating_add(1)
    }

    fn wrong(&self, span: &Range<usize>, message: String) -> AcceptedError {
        AcceptedError::Form { line: self.line(span), message }
    }

    fn entry(&self, span: &Range<usize>, fields: &DeTable<'_>) -> Result<AcceptedFinding, AcceptedError> {
        for (name, value) in fields {
            let written: &str = name.get_ref();
            if !FIELDS.contains(&written) {
                return Err(self.wrong(&name.span(), unknown(written)));
            }
            if !matches!(value.get_ref(), DeValue::String(_)) {
                let message =
                    format!("`{written}` is not a text: write it in quotes, such as `{written} = \"...\"`");
                return Err(self.wrong(&value.span(), message));
            }
        }
        let line = fields.get("finding").map_or_else(|| self.line(span), |one| self.line(&one.span()));
        let text = |field: &'static str| {
            let text = fields.get(field).and_then(|one| one.get_ref().as_str());
            text.map(str::to_owned).ok_or(AcceptedError::Lacks { line, field })
        };
        let reason = text("reason")?;
        if reason.trim().is_empty() {
            return Err(AcceptedError::Lacks { line, field: "reason" });
        }
        Ok(AcceptedFinding {
            finding: text("finding")?,
            file: text("file")?,
            severity: text("severity")?,
            message: text("message")?,
            seen: text("seen")?,
            reason,
            line,
        })
    }
}

/// What is said of a field that an entry cannot have.
fn unknown(written: &str) -> String {
    let all = FIELDS.map(|field| format!("`{field}`")).join(", ");
    let name = written.escape_debug();
    match nearest(written, FIELDS) {
        Some(near) => format!("an `[[accepted]]` block has no field `{name}`: did you mean `{near}`?"),
        None => format!("an `[[accepted]]` block has no field `{name}`: its fields are {all}"),
    }
}

impl AcceptedFindings {
    /// Reads the file: `[[accepted]]` with `finding`, `severity`, `file`, `message`, `seen` and `reason`.
    ///
    /// # Errors
    /// [`AcceptedError`] if it is anything else.
    pub fn read(text: &str) -> Result<Self, AcceptedError> {
        let written = Written { text };
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            written.wrong(&span, format!("this is not TOML: {}", error.message()))
        })?;
        let mut entries = Vec::new();
        for (name, value) in table.get_ref() {
            let field: &str = name.get_ref();
            if field != "accepted" {
                let name_written = field.escape_debug();
                let message =
                    format!("`{name_written}` is not `accepted`: this file has only `[[accepted]]` blocks");
                return Err(written.wrong(&name.span(), message));
            }
            let blocks = || {
                let message =
                    "`accepted` is not a list of blocks: write `[[accepted]]`, and its fields below it";
                written.wrong(&value.span(), message.to_owned())
            };
            let DeValue::Array(all) = value.get_ref() else { return Err(blocks()) };
            for one in all.iter() {
                let DeValue::Table(fields) = one.get_ref() else { return Err(blocks()) };
                entries.push(written.entry(&one.span(), fields)?);
            }
        }
        Ok(Self { entries })
    }

    /// The entry that accepts a finding.
    pub fn of(&self, finding: &DeploymentFinding) -> Option<&AcceptedFinding> {
        self.entries.iter().find(|entry| entry.is_of(finding))
    }

    /// The entries that accept none of these.
    pub fn unused<'a>(
        &'a self,
        findings: &'a [DeploymentFinding],
    ) -> impl Iterator<Item = &'a AcceptedFinding> {
        self.entries.iter().filter(|entry| !findings.iter().any(|finding| entry.is_of(finding)))
    }
}

impl AcceptedFinding {
    fn is_of(&self, finding: &DeploymentFinding) -> bool {
        self.finding == finding.check.id
            && self.severity == finding.severity.name()
            && self.file == finding.file
            && self.message == finding.message
            && self.seen == finding.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_all_of_a_finding_and_why_it_is_accepted() {
        let entry = "[[accepted]]\nfinding = \"EA297\"\nseverity = \"medium\"\nfile = \"distributions.json\"\nmessage = \"m\"\nseen = \"d\"\n";
        let read = AcceptedFindings::read(&format!("# why\n{entry}reason = \"audited too\"\n")).unwrap();
        assert_eq!((read.entries[0].line, read.entries[0].reason.as_str()), (3, "audited too"));
        for (text, said) in [
            (entry.to_owned(), "the entry in line 2 has no `reason`"),
            (
                format!("{}reason = \"r\"\n", entry.replace("seen", "# seen")),
                "the entry in line 2 has no `seen`",
            ),
            (
                format!("{}reason = \"r\"\n", entry.replace("severity", "# ")),
                "the entry in line 2 has no `severity`",
            ),
            (format!("{entry}reason = \" \"\n"), "the entry in line 2 has no `reason`"),
            (
                format!("{entry}reason = \"r\"\nuntil = \"2027\"\n"),
                "line 8: an `[[accepted]]` block has no field `until`: its fields are `finding`, ",
            ),
            (
                format!("{entry}Reasons = \"r\"\n"),
                "line 7: an `[[accepted]]` block has no field `Reasons`: did you mean `reason`?",
            ),
            (format!("{entry}reason = 1\n"), "line 7: `reason` is not a text: write it in quotes"),
            ("[[acepted]]".to_owned(), "line 1: `acepted` is not `accepted`"),
            ("accepted = [1]".to_owned(), "line 1: `accepted` is not a list of blocks"),
            ("a b".to_owned(), "line 1: this is not TOML"),
            ("accepted = 1".to_owned(), "line 1: `accepted` is not a list of blocks: write `[[accepted]]`"),
        ] {
            let error = AcceptedFindings::read(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
