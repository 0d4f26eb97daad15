//! Putting the authorizer on behaviors.

use std::collections::BTreeSet;

use super::arn::FunctionVersion;
use super::bucket::Target;
use super::change::{Changed, Note, Setting};
use super::edit::Edit;
use super::exported::Exported;
use super::managed::{CachePolicyId, Caching, Forwarding, OriginRequestPolicyId};
use super::needs::DistributionNeeds;
use super::obstacle::{Obstacle, Stopped};
use super::view::{Behavior, BehaviorName, Origin, View};

/// What to put on a distribution.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The function.
    pub function: FunctionVersion,
    /// Where.
    pub behaviors: Behaviors,
    /// What the access policy needs, where it is at hand.
    pub needs: Option<DistributionNeeds>,
    /// Sets the origin's Origin Access Control.
    pub origin_access_control_id: Option<String>,
    /// Sets the cache policy, or confirms the one that is there.
    pub cache_policy_id: Option<CachePolicyId>,
    /// Sets the origin request policy, or confirms the one that is there.
    pub origin_request_policy_id: Option<OriginRequestPolicyId>,
    /// Sets the response headers policy.
    pub response_headers_policy_id: Option<String>,
    /// Takes off whatever other function sees viewers' requests.
    pub replace: bool,
}

/// Which behaviors.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Behaviors {
    /// To attach: every one that reaches a bucket. To detach: every one that has the function.
    All,
    /// These.
    Named(Vec<BehaviorName>),
}

/// Puts the authorizer on a distribution's behaviors, and brings them into the shape that it needs.
///
/// # Errors
/// Why nothing was changed: above all where the bucket would still be reached past the authorizer.
pub fn attach(exported: &Exported, attachment: &Attachment) -> Result<Changed, Stopped> {
    let before = &exported.view;
    let chosen = attachment.behaviors.choose(before)?;
    let mut obstacles: Vec<Obstacle> = Vec::new();
    if !attachment.replace {
        chosen.iter().for_each(|(name, behavior)| obstacles.extend(others(name, behavior, attachment)));
    }
    let mut changes = Vec::new();
    let changed = exported.changed(|config| {
        let mut edit = Edit { config, changes: Vec::new() };
        for (name, behavior) in &chosen {
            shape(&mut edit, name, behavior, attachment);
        }
        if let Some(id) = &attachment.origin_access_control_id {
            for origin in origins_of(before, &chosen) {
                edit.set_access_control(origin, id);
            }
        }
        changes = edit.changes;
    })?;
    let names: Vec<&BehaviorName> = chosen.iter().map(|(name, _)| name).collect();
    let kept: Vec<&BehaviorName> =
        chosen.iter().filter(|(_, behavior)| has_ours(behavior, attachment)).map(|(name, _)| name).collect();
    let judge = Judge { view: &changed.view, attachment, names: &names, kept: &kept };
    obstacles.extend(judge.obstacles());
    if !obstacles.is_empty() {
        return Err(Stopped::Obstacles(obstacles));
    }
    let notes = judge.notes();
    Ok(Changed { exported: changed, changes, notes })
}

impl Behaviors {
    pub(super) fn choose<'v>(&self, view: &'v View) -> Result<Vec<(BehaviorName, &'v Behavior)>, Stopped> {
        match self {
            Self::All => {
                let chosen: Vec<_> =
                    view.behaviors().filter(|(_, behavior)| reaches_bucket(view, behavior)).collect();
                if chosen.is_empty() { Err(Stopped::NoBucket) } else { Ok(chosen) }
            }
            Self::Named(wanted) => {
                for name in wanted {
                    if !view.behaviors().any(|(there, _)| is_same(&there, name)) {
                        let there = view.behaviors().map(|(there, _)| there).collect();
                        return Err(Stopped::NoSuchBehavior(name.clone(), there));
                    }
                }
                Ok(view
                    .behaviors()
                    .filter(|(there, _)| wanted.iter().any(|one| is_same(there, one)))
                    .collect())
            }
        }
    }
}

/// CloudFront takes a pattern with and without a slash before it for the same
/// ([AWS: PathPattern](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CacheBehavior.html)).
fn is_same(one: &BehaviorName, other: &BehaviorName) -> bool {
    fn bare(name: &BehaviorName) -> Option<&str> {
        match name {
            BehaviorName::Default => None,
            BehaviorName::Pattern(pattern) => Some(pattern.strip_prefix('/').unwrap_or(pattern)),
        }
    }
    bare(one) == bare(other)
}

fn reaches_bucket(view: &View, behavior: &Behavior) -> bool {
    view.origins_of(behavior).into_iter().any(|origin| Target::of(origin).bucket().is_some())
}

/// The origins of some behaviors, each once.
pub(super) fn origins_of<'v>(view: &'v View, chosen: &[(BehaviorName, &Behavior)]) -> Vec<&'v Origin> {
    let ids: BTreeSet<&str> = chosen
        .iter()
        .flat_map(|(_, behavior)| view.origins_of(behavior))
        .map(|origin| origin.id.as_str())
        .collect();
    view.origins.0.iter().filter(|origin| ids.contains(origin.id.as_str())).collect()
}

/// The buckets that some origins are.
pub(super) fn buckets(origins: &[&Origin]) -> BTreeSet<String> {
    origins.iter().filter_map(|origin| Target::of(origin).bucket().map(str::to_owned)).collect()
}

fn has_ours(behavior: &Behavior, attachment: &Attachment) -> bool {
    let function = attachment.function.function();
    behavior.viewer_request().is_some_and(|one| function.is_of(&one.arn))
}

/// The functions that cannot stay beside ours
/// ([AWS: restrictions on all edge functions](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-function-restrictions-all.html)).
fn others(name: &BehaviorName, behavior: &Behavior, attachment: &Attachment) -> Vec<Obstacle> {
    let lambda = behavior.viewer_request().filter(|_| !has_ours(behavior, attachment));
    let lambda = lambda.map(|one| (&one.arn, &one.event_type));
    let cloudfront = behavior.function_associations.0.iter().map(|one| (&one.arn, &one.event_type));
    let other = |(arn, event): (&String, &String)| Obstacle::OtherFunction {
        behavior: name.clone(),
        arn: arn.clone(),
        event: event.clone(),
    };
    lambda.into_iter().chain(cloudfront).map(other).collect()
}

/// Brings one behavior into shape.
fn shape(edit: &mut Edit<'_>, name: &BehaviorName, behavior: &Behavior, attachment: &Attachment) {
    edit.take_cloudfront_functions(name, behavior);
    edit.put_function(name, behavior, &attachment.function);
    // A redirect comes too late: by then the token has gone over plain HTTP.
    let protocol = Some(behavior.viewer_protocol_policy.as_str());
    edit.set(name, Setting::ViewerProtocolPolicy, protocol, "https-only");
    if let Some(needs) = &attachment.needs {
        edit.set_methods(name, behavior, needs.methods);
    }
    let some = |id: &'_ Option<String>| id.clone().filter(|id| !id.is_empty());
    for (setting, before, after) in [
        (
            Setting::CachePolicyId,
            some(&behavior.cache_policy_id),
            attachment.cache_policy_id.as_ref().map(CachePolicyId::as_str),
        ),
        (
            Setting::OriginRequestPolicyId,
            some(&behavior.origin_request_policy_id),
            attachment.origin_request_policy_id.as_ref().map(OriginRequestPolicyId::as_str),
        ),
        (
            Setting::ResponseHeadersPolicyId,
            some(&behavior.response_headers_policy_id),
            attachment.response_headers_policy_id.as_deref(),
        ),
    ] {
        if let Some(after) = after {
            edit.set(name, setting, before.as_deref(), after);
        }
    }
    if attachment.cache_policy_id.is_some() {
        edit.take_older_cache_settings(name);
    }
}

/// Looks at what came out.
struct Judge<'a> {
    view: &'a View,
    attachment: &'a Attachment,
    /// The behaviors that were chosen.
    names: &'a [&'a BehaviorName],
    /// Those of them that had the function before: what was confirmed then need not be again.
    kept: &'a [&'a BehaviorName],
}

impl Judge<'_> {
    fn chosen(&self) -> impl Iterator<Item = (BehaviorName, &Behavior)> {
        self.view.behaviors().filter(|(name, _)| self.names.contains(&name))
    }

    fn origins(&self) -> Vec<&Origin> {
        origins_of(self.view, &self.chosen().collect::<Vec<_>>())
    }

    fn buckets(&self) -> BTreeSet<String> {
        buckets(&self.origins())
    }

    fn obstacles(&self) -> Vec<Obstacle> {
        let mut found = Vec::new();
        for (name, behavior) in self.chosen() {
            found.extend(self.cache_policy(&name, behavior));
            found.extend(self.origin_request_policy(&name, behavior));
        }
        self.origins().into_iter().for_each(|origin| found.extend(origin_obstacles(origin)));
        let root = &self.view.default_root_object;
        if !root.is_empty() && self.attachment.needs.as_ref().is_some_and(|needs| needs.lists) {
            found.push(Obstacle::DefaultRootObject { object: root.clone() });
        }
        found.extend(self.ways_past());
        found
    }

    /// Every behavior of the distribution, whether it was chosen or not: CloudFront picks one by a path of its own
    /// reading.
    fn ways_past(&self) -> Vec<Obstacle> {
        let ours: Vec<_> =
            self.view.behaviors().filter(|(_, behavior)| has_ours(behavior, self.attachment)).collect();
        let mut guarded = buckets(&origins_of(self.view, &ours));
        guarded.extend(self.buckets());
        let mut found = Vec::new();
        for (name, behavior) in self.view.behaviors() {
            if has_ours(behavior, self.attachment) {
                continue;
            }
            let reached = self.view.origins_of(behavior).into_iter().filter_map(|origin| {
                let bucket = Target::of(origin).bucket()?.to_owned();
                guarded.contains(&bucket).then_some(bucket)
            });
            let reached: BTreeSet<String> = reached.collect();
            let way_past = |bucket| Obstacle::WayPast { behavior: name.clone(), bucket };
            found.extend(reached.into_iter().map(way_past));
        }
        found
    }

    fn cache_policy(&self, name: &BehaviorName, behavior: &Behavior) -> Option<Obstacle> {
        let id = behavior.cache_policy_id.clone().filter(|id| !id.is_empty());
        let by_query = self.attachment.needs.as_ref().is_none_or(|needs| needs.reads_by_query);
        let confirmed = self.attachment.cache_policy_id.is_some() || self.kept.contains(&name);
        let behavior = name.clone();
        match id {
            None => Some(Obstacle::CachePolicy { behavior, id: None }),
            Some(id) => match Caching::of(&id) {
                Caching::Disabled => None,
                Caching::WithoutQuery if by_query => Some(Obstacle::CacheWithoutQuery { behavior, id }),
                Caching::WithoutQuery | Caching::Unknown if confirmed => None,
                Caching::WithoutQuery | Caching::Unknown => {
                    Some(Obstacle::CachePolicy { behavior, id: Some(id) })
                }
            },
        }
    }

    fn origin_request_policy(&self, name: &BehaviorName, behavior: &Behavior) -> Option<Obstacle> {
        let id = behavior.origin_request_policy_id.clone().filter(|id| !id.is_empty());
        let create_only = self.attachment.needs.as_ref().is_some_and(|needs| needs.create_only);
        let confirmed = self.attachment.origin_request_policy_id.is_some() || self.kept.contains(&name);
        let behavior = name.clone();
        match id {
            None => Some(Obstacle::OriginRequestPolicy { behavior, id: None }),
            Some(id) => match Forwarding::of(&id) {
                Forwarding::AllButHost if create_only => Some(Obstacle::CookiesForwarded { behavior, id }),
                Forwarding::AllButHost => None,
                Forwarding::Host => Some(Obstacle::HostForwarded { behavior, id }),
                Forwarding::WithoutQuery => Some(Obstacle::QueryLost { behavior, id }),
                Forwarding::Unknown if confirmed => None,
                Forwarding::Unknown => Some(Obstacle::OriginRequestPolicy { behavior, id: Some(id) }),
            },
        }
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for (name, behavior) in self.chosen() {
            notes.extend(self.behavior_notes(&name, behavior));
        }
        for (name, behavior) in self.view.behaviors().filter(|(name, _)| !self.names.contains(&name)) {
            if let Some(one) = behavior.viewer_request().filter(|_| has_ours(behavior, self.attachment)) {
                notes.push(Note::OtherVersion { behavior: name, arn: one.arn.clone() });
            } else if self.attachment.behaviors == Behaviors::All {
                notes.push(Note::PassedOver { behavior: name });
            }
        }
        for origin in self.origins() {
            notes.push(Note::OriginAccessControl {
                origin: origin.id.clone(),
                id: origin.origin_access_control_id.clone(),
            });
        }
        let pages: BTreeSet<&str> =
            self.view.custom_error_responses.0.iter().map(|one| one.response_page_path.as_str()).collect();
        for path in pages.into_iter().filter(|path| !path.is_empty()) {
            notes.push(Note::ErrorPage { path: path.to_owned() });
        }
        let staging = &self.view.continuous_deployment_policy_id;
        if !staging.is_empty() {
            notes.push(Note::ContinuousDeployment { id: staging.clone() });
        }
        if self.attachment.needs.is_none() {
            let root = &self.view.default_root_object;
            notes.push(Note::NoPolicy { default_root_object: (!root.is_empty()).then(|| root.clone()) });
        }
        notes.push(Note::BucketPolicy { buckets: self.buckets().into_iter().collect() });
        notes
    }

    fn behavior_notes(&self, name: &BehaviorName, behavior: &Behavior) -> Vec<Note> {
        let mut notes = Vec::new();
        let origin_requests =
            behavior.lambda_function_associations.0.iter().filter(|one| one.event_type == "origin-request");
        for one in origin_requests {
            notes.push(Note::OriginRequest { behavior: name.clone(), arn: one.arn.clone() });
        }
        if let Some(id) = &behavior.cache_policy_id
            && Caching::of(id) != Caching::Disabled
        {
            notes.push(Note::CachePolicy { behavior: name.clone(), id: id.clone() });
        }
        let forwarding = behavior.origin_request_policy_id.as_deref().map(Forwarding::of);
        if let (Some(id), Some(Forwarding::Unknown)) = (&behavior.origin_request_policy_id, forwarding) {
            notes.push(Note::OriginRequestPolicy { behavior: name.clone(), id: id.clone() });
        }
        let Some(needs) = &self.attachment.needs else { return notes };
        if forwarding == Some(Forwarding::AllButHost) && !needs.dropped_overrides.is_empty() {
            let parameters = needs.dropped_overrides.clone();
            notes.push(Note::DroppedOverrides { behavior: name.clone(), parameters });
        }
        let answers = behavior.response_headers_policy_id.as_deref().unwrap_or_default();
        if needs.cors && answers.is_empty() {
            notes.push(Note::NoResponseHeadersPolicy { behavior: name.clone() });
        }
        notes
    }
}

fn origin_obstacles(origin: &Origin) -> Vec<Obstacle> {
    let id = origin.id.clone();
    let (Target::Bucket(_), Some(config)) = (Target::of(origin), &origin.s3_origin_config) else {
        return vec![Obstacle::NotABucket { origin: id, domain_name: origin.domain_name.clone() }];
    };
    let mut found = Vec::new();
    if origin.origin_access_control_id.is_empty() || !config.origin_access_identity.is_empty() {
        found.push(Obstacle::NoOriginAccessControl { origin: id.clone() });
    }
    if !origin.origin_path.is_empty() {
        found.push(Obstacle::OriginPath { origin: id, path: origin.origin_path.clone() });
    }
    found
}
