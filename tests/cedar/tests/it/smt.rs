//! SMT-LIB as the symbolic compiler writes it, and as cvc5 answers.

use std::collections::BTreeMap;

/// What the symbolic compiler calls things in its script.
pub(crate) struct Names<'s> {
    script: &'s str,
    /// Records: their attributes in order, and the name of the record.
    records: Vec<(Vec<&'s str>, &'s str)>,
    /// The names of everything else, by what a comment says of it: `Viewer`, `attrs[Viewer]`, `"principal"`.
    others: BTreeMap<&'s str, &'s str>,
}

impl<'s> Names<'s> {
    pub(crate) fn of(script: &'s str) -> Self {
        let mut names = Self { script, records: Vec::new(), others: BTreeMap::new() };
        let mut comment = "";
        for line in script.lines() {
            if let Some(text) = line.strip_prefix("; ") {
                comment = text;
                continue;
            }
            let mut words = line.trim_matches(['(', ')']).split(' ');
            let (command, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if comment.is_empty() || !command.starts_with("declare-") {
                continue;
            }
            // A comment is of the declaration after it. Declarations without one have none before them.
            match comment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some("") => names.records.push((Vec::new(), name)),
                Some(attributes) => names.records.push((attributes.split(", ").collect(), name)),
                None => drop(names.others.insert(comment, name)),
            }
            comment = "";
        }
        names
    }

    /// The name of an entity type, a function or a variable, if the script has it.
    pub(crate) fn get(&self, of: &str) -> Option<&'s str> {
        self.others.get(of).copied()
    }

    /// The record that has these attributes.
    pub(crate) fn record(&self, with: &[&str]) -> &'s str {
        let has = |attributes: &[&str]| with.iter().all(|one| attributes.contains(one));
        self.records.iter().find(|(attributes, _)| has(attributes)).unwrap().1
    }

    /// An attribute of a record that has these attributes, of this term.
    ///
    /// Two records may have the same attributes: the type of one tells them apart.
    pub(crate) fn attribute(&self, with: &[&str], attribute: &str, kind: &str, of: &str) -> String {
        for (attributes, record) in &self.records {
            let place = attributes.iter().position(|one| *one == attribute);
            if let Some(place) = place.filter(|_| with.iter().all(|one| attributes.contains(one)))
                && self.script.contains(&format!("({record}_a{place} {kind}"))
            {
                return format!("({record}_a{place} {of})");
            }
        }
        panic!("no record with {with:?} and {attribute}: {kind}\n{}", self.script);
    }

    /// Whether some term reads what this term reads: each is written once, of a term with a number.
    pub(crate) fn reads(&self, attribute: &str) -> bool {
        let selector = attribute.split(' ').next().unwrap_or_default();
        self.script.contains(&format!("{selector} t"))
    }
}

/// A text as a literal.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\"\""),
            '\\' => literal.push_str("\\u{5c}"),
            ' '..='~' => literal.push(character),
            other => literal.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
        }
    }
    literal.push('"');
    literal
}

/// A literal as a text.
fn text(literal: &str) -> String {
    let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(literal);
    let inner = inner.replace("\"\"", "\"");
    let mut parts = inner.split("\\u{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('}').unwrap();
        text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        text.push_str(rest);
    }
    text
}

/// `and`, `or` of any number of terms.
pub(crate) fn all(terms: &[String]) -> String {
    joined("and", "true", terms)
}

pub(crate) fn any(terms: &[String]) -> String {
    joined("or", "false", terms)
}

fn joined(operator: &str, none: &str, terms: &[String]) -> String {
    match terms {
        [] => none.to_owned(),
        [one] => one.clone(),
        many => format!("({operator} {})", many.join(" ")),
    }
}

/// The values of the constants of our own, whose names begin with [`Model::OWN`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Model(BTreeMap<String, String>);

impl Model {
    /// Symbols of the compiler never begin like this.
    pub(crate) const OWN: &'static str = "own_";

    /// Takes our constants out of what the solver answered.
    pub(crate) fn split_off(answer: &str) -> (Self, String) {
        let mut own = BTreeMap::new();
        let mut rest = String::new();
        for line in answer.lines() {
            let value = line.strip_prefix("(define-fun ").filter(|line| line.starts_with(Self::OWN));
            match value.and_then(|line| line.strip_suffix(')')?.split_once(" () ")) {
                Some((name, sort_and_value)) => {
                    let sort = if sort_and_value.starts_with("(_ BitVec ") { 3 } else { 1 };
                    let value = sort_and_value.splitn(sort + 1, ' ').last().unwrap_or_default();
                    own.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    rest.push_str(line);
                    rest.push('\n');
                }
            }
        }
        (Self(own), rest)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.get(&format!("{}{name}", Self::OWN)).map(String::as_str)
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(text)
    }

    /// A bit vector.
    pub(crate) fn bits(&self, name: &str) -> Option<u128> {
        let value = self.value(name)?;
        let digits = value.strip_prefix("#b").unwrap_or_else(|| panic!("{name}: {value}"));
        Some(u128::from_str_radix(digits, 2).unwrap())
    }
}
