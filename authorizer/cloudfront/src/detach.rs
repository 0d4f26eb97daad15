//! Detaching the authorizer from behaviors.

use std::collections::BTreeSet;

use super::arn::FunctionName;
use super::attach::{Behaviors, buckets, origins_of};
use super::change::{Changed, Note};
use super::edit::Edit;
use super::exported::Exported;
use super::obstacle::{Obstacle, Stopped};
use super::view::{Behavior, BehaviorName, Origin, View};

/// The settings of a detach.
#[derive(Clone, Debug)]
pub struct Detachment {
    /// The function, with any version.
    pub function: FunctionName,
    /// The behaviors to detach from.
    pub behaviors: Behaviors,
    /// How the bucket stays closed without the function.
    pub bucket: BucketAfterwards,
}

/// What keeps the bucket shut when the function is gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BucketAfterwards {
    /// Nobody has said.
    Unsaid,
    /// The bucket's policy lets the distribution in no more.
    Closed,
    /// The origin loses its Origin Access Control, so that requests come to S3 unsigned.
    Unsigned,
}

/// Takes the authorizer off behaviors. Nothing else is given back its former value.
///
/// # Errors
/// Why nothing was changed: above all where the bucket would be open to everybody.
pub fn detach(exported: &Exported, detachment: &Detachment) -> Result<Changed, Stopped> {
    let view = &exported.view;
    let chosen = match &detachment.behaviors {
        // What is taken off is what was put on, wherever that is.
        Behaviors::All => view.behaviors().filter(|(_, behavior)| detachment.is_on(behavior)).collect(),
        Behaviors::Named(_) | Behaviors::OfOrigins(_) => {
            detachment.behaviors.choose(view, &BTreeSet::new())?
        }
    };
    if chosen.is_empty() {
        let absent = |(behavior, one): (BehaviorName, &Behavior)| Obstacle::NotAttached {
            behavior,
            arn: one.viewer_request().map(|one| one.arn.clone()),
        };
        return Err(Stopped::Obstacles(view.behaviors().map(absent).collect()));
    }
    let mut obstacles: Vec<Obstacle> = Vec::new();
    for (name, behavior) in &chosen {
        obstacles.extend(detachment.obstacle(view, name, behavior));
    }
    let origins = origins_of(view, &chosen);
    if detachment.bucket == BucketAfterwards::Unsigned {
        obstacles.extend(shared(view, &origins, &chosen));
    }
    if !obstacles.is_empty() {
        return Err(Stopped::Obstacles(obstacles));
    }
    let mut changes = Vec::new();
    let changed = exported.changed(|config| {
        let mut edit = Edit { config, changes: Vec::new() };
        for (name, behavior) in &chosen {
            edit.take_function(name, behavior, &detachment.function);
        }
        if detachment.bucket == BucketAfterwards::Unsigned {
            origins.iter().for_each(|origin| edit.set_access_control(origin, ""));
        }
        changes = edit.changes;
    })?;
    let buckets: Vec<String> = buckets(&origins).into_iter().collect();
    let notes = match detachment.bucket {
        BucketAfterwards::Closed => vec![Note::SaidClosed { buckets }],
        BucketAfterwards::Unsigned => vec![Note::Unsigned { buckets }],
        BucketAfterwards::Unsaid => Vec::new(),
    };
    Ok(Changed { exported: changed, changes, notes })
}

impl Detachment {
    fn is_on(&self, behavior: &Behavior) -> bool {
        behavior.viewer_request().is_some_and(|one| self.function.is_of(&one.arn))
    }

    fn obstacle(&self, view: &View, name: &BehaviorName, behavior: &Behavior) -> Option<Obstacle> {
        if !self.is_on(behavior) {
            let arn = behavior.viewer_request().map(|one| one.arn.clone());
            return Some(Obstacle::NotAttached { behavior: name.clone(), arn });
        }
        let buckets: Vec<String> = buckets(&view.origins_of(behavior)).into_iter().collect();
        let open = self.bucket == BucketAfterwards::Unsaid && !buckets.is_empty();
        open.then(|| Obstacle::LeftOpen { behavior: name.clone(), buckets })
    }
}

/// The other behaviors of the origins that would lose their Origin Access Control.
fn shared(view: &View, origins: &[&Origin], chosen: &[(BehaviorName, &Behavior)]) -> Vec<Obstacle> {
    let mut found = Vec::new();
    for (name, behavior) in view.behaviors().filter(|(name, _)| !chosen.iter().any(|(one, _)| one == name)) {
        for origin in view.origins_of(behavior) {
            if origins.iter().any(|one| one.id == origin.id) {
                found.push(Obstacle::OriginShared { origin: origin.id.clone(), behavior: name.clone() });
            }
        }
    }
    found
}
