//! What is told of two policies, in the order in which it is told: for people, in any form.

use std::collections::BTreeSet;

use authorizer_analysis::{
    AccessChange, ChangeKind, Direction, Effect, PartChange, PolicyDiff, RuleChange, SettingChange,
    StorageChange, TrustChange, bytes_in_words,
};

/// The whole account.
pub(super) struct Account<'d> {
    /// Whether the policies decide the same.
    pub(super) is_same: bool,
    /// Whether the analysis finished for everything.
    pub(super) is_decided: bool,
    /// What the new policy allows more, or something else.
    pub(super) wider: Vec<Group<'d>>,
    /// What it allows less.
    pub(super) narrower: Vec<Group<'d>>,
    /// What is written differently, and changes no decision.
    pub(super) without_effect: Vec<Group<'d>>,
    /// Settings on which no decision depends.
    pub(super) other_settings: &'d [SettingChange],
    /// What was not compared.
    pub(super) not_compared: &'d [&'static str],
}

/// A rule, an issuer or a section of the policy, with what changed in it.
pub(super) struct Group<'d> {
    /// What it is: `rule`, `issuer` or `section`.
    pub(super) kind: &'static str,
    /// Its id, its `iss` or its name.
    pub(super) name: String,
    /// What is to be said of it: `allow, new`.
    pub(super) about: String,
    /// What a rule that is new or gone asks for beside its keys.
    pub(super) conditions: &'d [String],
    pub(super) entries: Vec<Entry<'d>>,
    /// All operations that are granted or taken away, with whose they are.
    pub(super) in_all: Vec<String>,
}

/// One change.
pub(super) struct Entry<'d> {
    pub(super) what: What<'d>,
    /// What else is to be said of it.
    pub(super) note: Option<&'static str>,
    /// Requests that show it.
    pub(super) requests: Vec<&'d AccessChange>,
    /// Whether a request that shows it is told before, in the same group.
    pub(super) is_above: bool,
}

/// What changed.
pub(super) enum What<'d> {
    /// A field of the policy, with its values.
    Field(&'d str, Option<&'d str>, Option<&'d str>),
    /// A field, and a sentence with values in backticks. No value has a backtick itself.
    Words(&'d str, &'d str),
    /// A sentence of ours.
    Own(String),
}

/// Which part of the account something belongs to.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Part {
    Wider,
    Narrower,
    WithoutEffect,
}

impl Part {
    fn of(direction: Direction, effect: Effect) -> Self {
        match (effect, direction) {
            (Effect::None, _) => Self::WithoutEffect,
            (Effect::Decides | Effect::NotDecided, Direction::Narrower) => Self::Narrower,
            (Effect::Decides | Effect::NotDecided, Direction::Wider | Direction::Other) => Self::Wider,
        }
    }
}

impl<'d> Account<'d> {
    pub(super) fn of(found: &'d PolicyDiff) -> Self {
        let groups = |part| groups(found, part);
        Self {
            is_same: found.is_empty(),
            is_decided: !found.is_undecided(),
            wider: groups(Part::Wider),
            narrower: groups(Part::Narrower),
            without_effect: groups(Part::WithoutEffect),
            other_settings: &found.other_settings,
            not_compared: &found.not_compared,
        }
    }
}

/// Whoever can sign tokens can do what any rule allows: so these come before the rules.
fn signs(change: &TrustChange) -> bool {
    ["issuers.issuer", "issuers.jwks", "issuers.secret", "issuers.algorithms"]
        .iter()
        .any(|setting| change.setting.starts_with(setting))
}

fn groups(found: &PolicyDiff, part: Part) -> Vec<Group<'_>> {
    let mut trust: Vec<Group<'_>> = Vec::new();
    let mut signing = Vec::new();
    for change in found.trust.iter().filter(|change| Part::of(change.direction, change.effect) == part) {
        let (kind, name) = match &change.issuer {
            Some(issuer) => ("issuer", issuer.clone()),
            None => ("section", change.setting.split('.').next().unwrap_or_default().to_owned()),
        };
        if signs(change) && !signing.contains(&name) {
            signing.push(name.clone());
        }
        let group = group_of(&mut trust, kind, &name, String::new());
        group.entries.push(of_trust(change));
    }
    let mut rules: Vec<Group<'_>> = Vec::new();
    for rule in &found.rules {
        let entries: Vec<Entry<'_>> = rule
            .parts
            .iter()
            .filter(|change| Part::of(change.direction, change.effect) == part)
            .map(|change| of_part(change))
            .collect();
        if !entries.is_empty() {
            let conditions: &[String] =
                if rule.change == ChangeKind::Changed { &[] } else { &rule.conditions };
            // A rule that is removed, and one of another effect that is added under its id, are two.
            rules.push(Group {
                kind: "rule",
                name: rule.rule.clone(),
                about: about(rule),
                conditions,
                entries,
                in_all: Vec::new(),
            });
        }
    }
    add_stored(&mut rules, found, part);
    add_accesses(&mut rules, &mut trust, found, part);
    rules.iter_mut().chain(&mut trust).for_each(tell_once);
    // Whose tokens are believed comes before what they open: a comment that has no room for all is cut at its end.
    let (first, then): (Vec<_>, Vec<_>) = trust.into_iter().partition(|group| signing.contains(&group.name));
    let (issuers, sections): (Vec<_>, Vec<_>) = then.into_iter().partition(|group| group.kind == "issuer");
    first.into_iter().chain(issuers).chain(rules).chain(sections).collect()
}

fn group_of<'g, 'd>(
    groups: &'g mut Vec<Group<'d>>,
    kind: &'static str,
    name: &str,
    about: String,
) -> &'g mut Group<'d> {
    let place = groups.iter().position(|group| group.kind == kind && group.name == name);
    let place = place.unwrap_or_else(|| {
        let (entries, in_all) = (Vec::new(), Vec::new());
        groups.push(Group { kind, name: name.to_owned(), about, conditions: &[], entries, in_all });
        groups.len().saturating_sub(1)
    });
    #[allow(clippy::indexing_slicing, reason = "the place of a group that is there, or that was just added")]
    &mut groups[place]
}

fn about(rule: &RuleChange) -> String {
    match rule.change {
        ChangeKind::Added => format!("{}, new", rule.effect),
        ChangeKind::Removed => format!("{}, removed", rule.effect),
        ChangeKind::Changed => rule.effect.to_owned(),
    }
}

fn of_part(change: &PartChange) -> Entry<'_> {
    let requests: Vec<&AccessChange> =
        change.opens.as_deref().into_iter().chain(change.closes.as_deref()).collect();
    let note = match (change.effect, change.direction) {
        (Effect::NotDecided, _) => Some("not decided: the analysis did not finish"),
        (Effect::None, Direction::Wider) => Some("opens nothing: the old policy decides the same"),
        (Effect::None, Direction::Narrower) => Some("closes nothing: the new policy decides the same"),
        (Effect::None, Direction::Other) => Some("the policies decide the same"),
        (Effect::Decides, Direction::Other) if requests.len() > 1 => {
            Some("wider for one, narrower for another")
        }
        (Effect::Decides, Direction::Other) => Some("different"),
        (Effect::Decides, Direction::Wider | Direction::Narrower) => None,
    };
    let what = What::Field(&change.part, change.old.as_deref(), change.new.as_deref());
    Entry { what, note, requests, is_above: false }
}

fn of_trust(change: &TrustChange) -> Entry<'_> {
    let note = match (change.effect, change.direction) {
        (Effect::None, _) => Some("changes nothing: another entry covers it"),
        (Effect::NotDecided, _) => Some("not decided: the analysis did not finish"),
        (Effect::Decides, Direction::Other) => Some("different"),
        (Effect::Decides, Direction::Wider | Direction::Narrower) => None,
    };
    // The group says which section of the policy it is.
    let field = change.setting.split_once('.').map_or("", |(_, field)| field);
    let is_said = field.is_empty() || change.what.starts_with(field.rsplit('.').next().unwrap_or(field));
    Entry {
        what: What::Words(if is_said { "" } else { field }, &change.what),
        note,
        requests: change.request.as_deref().into_iter().collect(),
        is_above: false,
    }
}

/// Adds what is stored differently and is not told by a part of the rule.
fn add_stored<'d>(groups: &mut Vec<Group<'d>>, found: &'d PolicyDiff, part: Part) {
    let mut told: Vec<(&str, &str)> = Vec::new();
    for StorageChange { what, direction, access } in &found.stored_otherwise {
        let field = match what.strip_prefix("metadata ") {
            Some(name) => format!("upload.metadata.{name}"),
            None => "upload.create_only".to_owned(),
        };
        let is_of_part = |rule: &RuleChange| {
            rule.rule == access.rule
                && rule.parts.iter().any(|one| one.part == field && one.effect == Effect::Decides)
        };
        let key = (access.rule.as_str(), what.as_str());
        if Part::of(*direction, Effect::Decides) != part
            || told.contains(&key)
            || found.rules.iter().any(is_of_part)
        {
            continue;
        }
        told.push(key);
        let text = match (what.as_str(), direction) {
            ("overwrite", Direction::Narrower) => "an object can no longer be overwritten".to_owned(),
            ("overwrite", Direction::Wider | Direction::Other) => "an object can be overwritten".to_owned(),
            _ => format!("{what} is stored differently"),
        };
        let note = (*direction == Direction::Other).then_some("different");
        group_of(groups, "rule", &access.rule, "allow".to_owned()).entries.push(Entry {
            what: What::Own(text),
            note,
            requests: vec![access],
            is_above: false,
        });
    }
}

/// Leaves out a request that shows an earlier entry of the group too.
fn tell_once(group: &mut Group<'_>) {
    let mut told: Vec<&AccessChange> = Vec::new();
    for entry in &mut group.entries {
        let is_told = |one: &&AccessChange| {
            told.iter().any(|other| {
                other.request.event == one.request.event
                    && other.request.claims == one.request.claims
                    && other.request.token_type == one.request.token_type
                    && other.request.at == one.request.at
            })
        };
        let count = entry.requests.len();
        entry.requests.retain(|one| !is_told(one));
        entry.is_above = entry.requests.len() < count;
        told.extend(&entry.requests);
    }
}

/// Adds which operations are granted or taken away in all. For a rule of which no part is told, each has its request,
/// except where a setting of the issuer is told with one.
fn add_accesses<'d>(groups: &mut Vec<Group<'d>>, trust: &mut [Group<'d>], found: &'d PolicyDiff, part: Part) {
    let changes = match part {
        Part::Wider => &found.granted,
        Part::Narrower => &found.revoked,
        Part::WithoutEffect => return,
    };
    let told: BTreeSet<String> = groups.iter().map(|group| group.name.clone()).collect();
    let mut rest = changes.iter().peekable();
    while let Some(first) = rest.next() {
        let mut operations = vec![first.operation.name()];
        let same = |next: &&AccessChange| {
            next.rule == first.rule
                && next.issuer == first.issuer
                && next.old == first.old
                && next.new == first.new
        };
        while let Some(next) = rest.next_if(same) {
            operations.push(next.operation.name());
        }
        let whose = match &first.issuer {
            Some(issuer) => format!("with a token of {issuer}"),
            None => "without a token".to_owned(),
        };
        let text = format!("{} {whose}", operations.join(", "));
        if told.contains(&first.rule) {
            let group = group_of(groups, "rule", &first.rule, String::new());
            if !group.in_all.contains(&text) {
                group.in_all.push(text);
            }
            continue;
        }
        let of_issuer = trust.iter_mut().find(|group| {
            Some(&group.name) == first.issuer.as_ref()
                && group.entries.iter().any(|entry| !entry.requests.is_empty())
        });
        if let Some(group) = of_issuer {
            group.in_all.push(format!("{} by rule {}", operations.join(", "), first.rule));
            continue;
        }
        let about = found.rules.iter().find(|rule| rule.rule == first.rule).map(about);
        group_of(groups, "rule", &first.rule, about.unwrap_or("allow, as it was".to_owned()))
            .entries
            .push(Entry { what: What::Own(text), note: None, requests: vec![first], is_above: false });
    }
}

/// A value of a field as a person reads it: a number of bytes in its unit, too.
pub(super) fn value(field: &str, text: &str) -> String {
    match text.parse() {
        Ok(bytes) if field == "upload.max_bytes" => format!("{} ({text})", bytes_in_words(bytes)),
        _ => text.to_owned(),
    }
}
