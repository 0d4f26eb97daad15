//! For each part of a rule that is not as it was: a request that it lets in or shuts out.

use std::collections::HashMap;

use authorizer_core::Refusal;
use authorizer_core::rules::{Effect as RuleEffect, Rule};

use super::comparison::{Cell, Comparison, NEW, OLD, in_shares};
use super::model::{AccessChange, Direction, Effect, PartChange, RuleChange, StorageChange};
use super::parts::{Draft, PartDraft, Span};
use crate::engine::{EngineError, RuleRef, Token, Who, could_overlap};

/// What is found already: many an entry is shown by one of these requests, and needs no question.
pub(super) struct Found<'f> {
    stored: &'f [StorageChange],
    /// For each policy what it refuses and the other allows: by the rule that allows it.
    by_allow: [HashMap<&'f str, Vec<&'f AccessChange>>; 2],
    /// The same by the rule that denies it, if one does.
    by_deny: [HashMap<&'f str, Vec<&'f AccessChange>>; 2],
}

impl<'f> Found<'f> {
    pub(super) fn of(
        granted: &'f [AccessChange],
        revoked: &'f [AccessChange],
        stored: &'f [StorageChange],
    ) -> Self {
        let by = |changes: &'f [AccessChange], id: fn(&AccessChange) -> Option<&str>| {
            let mut by: HashMap<&str, Vec<&AccessChange>> = HashMap::new();
            for change in changes {
                if let Some(id) = id(change) {
                    by.entry(id).or_default().push(change);
                }
            }
            by
        };
        let allow: fn(&AccessChange) -> Option<&str> = |change| Some(&change.rule);
        Self {
            stored,
            by_allow: [by(granted, allow), by(revoked, allow)],
            by_deny: [
                by(granted, |change| change.old.rule.as_deref()),
                by(revoked, |change| change.new.rule.as_deref()),
            ],
        }
    }

    /// The requests that this policy refuses and the other allows, and that this rule allows or denies.
    fn of_rule(&self, effect: RuleEffect, refusing: usize, id: &str) -> &[&'f AccessChange] {
        let by = match effect {
            RuleEffect::Allow => &self.by_allow,
            RuleEffect::Deny => &self.by_deny,
        };
        by.get(refusing).and_then(|by| by.get(id)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Answers the entries.
pub(super) fn rules(
    comparison: &Comparison<'_>,
    drafts: &[Draft],
    found: &Found<'_>,
) -> Result<Vec<RuleChange>, EngineError> {
    in_shares(drafts, |draft| {
        let parts = draft.parts.iter().map(|part| comparison.part(draft, part, found));
        Ok(vec![RuleChange {
            rule: draft.id.clone(),
            effect: match draft.effect {
                RuleEffect::Allow => "allow",
                RuleEffect::Deny => "deny",
            },
            change: draft.change,
            conditions: draft.conditions.clone(),
            parts: parts.collect::<Result<_, _>>()?,
        }])
    })
}

/// Whether a request shows it.
enum Shown {
    Yes(Box<AccessChange>),
    No,
    NotDecided,
}

impl Shown {
    fn request(self) -> Option<Box<AccessChange>> {
        match self {
            Self::Yes(change) => Some(change),
            Self::No | Self::NotDecided => None,
        }
    }
}

impl<'p> Comparison<'p> {
    fn part(&self, draft: &Draft, part: &PartDraft, found: &Found<'_>) -> Result<PartChange, EngineError> {
        // What an allow rule matches is opened, what a deny rule matches is closed.
        let (opening, closing) = match draft.effect {
            RuleEffect::Allow => (&part.grown, &part.shrunk),
            RuleEffect::Deny => (&part.shrunk, &part.grown),
        };
        let opens = self.shown(draft, opening.as_ref(), OLD, found)?;
        let closes = self.shown(draft, closing.as_ref(), NEW, found)?;
        let mut effect = match (&opens, &closes) {
            (Shown::Yes(_), _) | (_, Shown::Yes(_)) => Effect::Decides,
            (Shown::NotDecided, _) | (_, Shown::NotDecided) => Effect::NotDecided,
            (Shown::No, Shown::No) => Effect::None,
        };
        let mut direction = match (opening, closing, &opens, &closes) {
            (Some(_), None, _, _) | (Some(_), Some(_), Shown::Yes(_), Shown::No) => Direction::Wider,
            (None, Some(_), _, _) | (Some(_), Some(_), Shown::No, Shown::Yes(_)) => Direction::Narrower,
            (None, None, _, _) | (Some(_), Some(_), _, _) => Direction::Other,
        };
        let (mut opens, mut closes) = (opens.request(), closes.request());
        // What is stored is decided by the first rule that matches, so it is not asked of one part.
        let of_part = part.stored.as_deref().and_then(|what| {
            found.stored.iter().find(|change| change.what == what && change.access.rule == draft.id)
        });
        if let Some(change) = of_part {
            effect = Effect::Decides;
            direction = if direction == change.direction { direction } else { Direction::Other };
            if opening.is_none() && closing.is_none() {
                direction = change.direction;
            }
            let request = Some(Box::new(change.access.clone()));
            match direction {
                Direction::Narrower => closes = closes.or(request),
                Direction::Wider | Direction::Other => opens = opens.or(request),
            }
        } else if opening.is_none() && closing.is_none() {
            // `create_only`: with it, an object cannot be overwritten.
            direction = match part.new.as_deref() {
                Some("true") => Direction::Narrower,
                _ => Direction::Wider,
            };
        }
        Ok(PartChange {
            part: part.part.clone(),
            old: part.old.clone(),
            new: part.new.clone(),
            direction,
            effect,
            opens,
            closes,
        })
    }

    /// A request in the span that only the policy other than `refusing` allows.
    fn shown(
        &self,
        draft: &Draft,
        span: Option<&Span>,
        refusing: usize,
        found: &Found<'_>,
    ) -> Result<Shown, EngineError> {
        let Some(span) = span else { return Ok(Shown::No) };
        let known = found.of_rule(draft.effect, refusing, &draft.id);
        if let Some(change) = known.iter().find(|change| self.is_in(span, change, refusing)) {
            return Ok(Shown::Yes(Box::new((*change).clone())));
        }
        let found = match draft.effect {
            RuleEffect::Allow => self.let_in(span, refusing),
            RuleEffect::Deny => self.denied(span, refusing),
        };
        match found {
            Ok(Some(change)) => Ok(Shown::Yes(Box::new(change))),
            Ok(None) => Ok(Shown::No),
            Err(error @ EngineError::Unconfirmed { .. }) => Err(error),
            Err(_) => Ok(Shown::NotDecided),
        }
    }

    /// Whether a request is in the span, and both policies take its token.
    fn is_in(&self, span: &Span, change: &AccessChange, refusing: usize) -> bool {
        let who = change.issuer.clone().map_or(Who::Anonymous, Who::Token);
        if !span.operations.contains(change.operation) || span.who.as_ref().is_some_and(|only| *only != who) {
            return false;
        }
        let access = |side| self.engine.authorizer(side).map(|side| change.request.access(side));
        let (Some(Ok(access)), Some(other)) = (access(span.rule.side), access(refusing)) else {
            return false;
        };
        let matches =
            |rule: RuleRef| self.engine.rule(rule).is_some_and(|rule| rule.examine(&access).is_ok());
        !matches!(other, Err(Refusal::Token(_))) && matches(span.rule) && !span.without.is_some_and(matches)
    }

    /// A request that the allow rule matches in the span, that no deny rule of its policy matches, and that the other
    /// policy refuses. That the other policy takes the same token is tried first: then it is the rule that decides.
    fn let_in(&self, span: &Span, refusing: usize) -> Result<Option<AccessChange>, EngineError> {
        let Some(one) = self.engine.rule(span.rule) else { return Ok(None) };
        let near = &self.near(one);
        let everyone = self.everyone_of(span, span.rule.side);
        let mut exclude = near.with_effect(span.rule.side, RuleEffect::Deny, None);
        exclude.extend(span.without);
        for token in [Token::Valid, Token::Invalid] {
            for who in &everyone {
                if token == Token::Invalid && self.same.takes_same_tokens(who) {
                    continue;
                }
                for operation in span.operations.iter() {
                    let cell = Cell { rule: span.rule, operation, who, near };
                    if !self.engine.could_match(span.rule, operation, who) {
                        continue;
                    }
                    let found = match token {
                        Token::Invalid => self.ask(&cell, &[], &exclude, token, None)?,
                        Token::Valid => self.refused_by_rules(&cell, one, &exclude, refusing)?,
                    };
                    if let Some(request) = found {
                        let change = self.access(&cell, one, request);
                        return self.confirmed(change, refusing).map(Some);
                    }
                }
            }
        }
        Ok(None)
    }

    /// A request of the cell that the other policy refuses, though it takes the token: no allow rule matches, or some
    /// deny rule does.
    fn refused_by_rules(
        &self,
        cell: &Cell<'_>,
        one: &Rule,
        exclude: &[RuleRef],
        refusing: usize,
    ) -> Result<Option<crate::engine::Witness>, EngineError> {
        let allows = cell.near.with_effect(refusing, RuleEffect::Allow, None);
        let by_none = [exclude, &allows].concat();
        if let Some(found) = self.ask(cell, &[], &by_none, Token::Valid, None)? {
            return Ok(Some(found));
        }
        for deny in cell.near.with_effect(refusing, RuleEffect::Deny, None) {
            let overlap = self.engine.rule(deny).is_some_and(|deny| could_overlap(one, deny, cell.operation));
            if overlap && let Some(found) = self.ask(cell, &[deny], exclude, Token::Valid, None)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// A request that the deny rule matches in the span, and that the other policy, which does not have the rule or
    /// has less of it, allows.
    fn denied(&self, span: &Span, refusing: usize) -> Result<Option<AccessChange>, EngineError> {
        let allowing = if refusing == OLD { NEW } else { OLD };
        let Some(one) = self.engine.rule(span.rule) else { return Ok(None) };
        let near = &self.near(one);
        let everyone = self.everyone_of(span, allowing);
        for token in [Token::Valid, Token::Invalid] {
            // Where the policy with the deny rule does not take the token, the rule is read as if it were in the other.
            let (deny, without) = match (token, span.mirror) {
                (Token::Valid, _) => (span.rule, span.without),
                (Token::Invalid, Some(mirror)) => mirror,
                (Token::Invalid, None) => continue,
            };
            for who in &everyone {
                if token == Token::Invalid && self.same.takes_same_tokens(who) {
                    continue;
                }
                for operation in span.operations.iter() {
                    if !self.engine.could_match(deny, operation, who) {
                        continue;
                    }
                    for allow in near.with_effect(allowing, RuleEffect::Allow, None) {
                        let Some(allowed) = self.engine.rule(allow) else { continue };
                        if !could_overlap(one, allowed, operation)
                            || !self.engine.could_match(allow, operation, who)
                        {
                            continue;
                        }
                        // A short prefix touches the keys of deny rules that have no key in common with this one.
                        let near = &self.near(allowed);
                        let cell = Cell { rule: allow, operation, who, near };
                        let mut exclude = near.with_effect(allowing, RuleEffect::Deny, None);
                        exclude.extend(without);
                        if let Some(request) = self.ask(&cell, &[deny], &exclude, token, None)? {
                            let change = self.access(&cell, one, request);
                            return self.confirmed(change, refusing).map(Some);
                        }
                    }
                }
            }
        }
        Ok(None)
    }

    fn everyone_of(&self, span: &Span, side: usize) -> Vec<Who> {
        let everyone = self.engine.everyone(side);
        everyone.into_iter().filter(|who| span.who.as_ref().is_none_or(|only| only == who)).collect()
    }

    /// The change, after both policies have decided as claimed.
    fn confirmed(&self, change: AccessChange, refusing: usize) -> Result<AccessChange, EngineError> {
        let decided = [&change.old, &change.new].map(|decision| decision.allowed);
        match decided == [refusing != OLD, refusing != NEW] {
            true => Ok(change),
            false => Err(EngineError::unconfirmed(
                &change.request,
                format!("the decisions are {} and {}", change.old.reason, change.new.reason),
            )),
        }
    }
}
