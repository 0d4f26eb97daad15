//! Attaching the authorizer to behaviors.

use std::collections::BTreeSet;

use authorizer_core::cors::AllowedOrigins;

use super::arn::FunctionVersion;
use super::bucket::Target;
use super::change::{Changed, Note, Setting};
use super::edit::Edit;
use super::exported::Exported;
use super::fit::Fit;
use super::managed::{
    CachePolicyId, Caching, CorsHeaders, Forwarding, OriginRequestPolicyId, ResponseHeadersPolicyId,
};
use super::members::{UnknownMember, unknown_in_distribution};
use super::needs::DistributionNeeds;
use super::obstacle::{Obstacle, Stopped};
use super::order::Order;
use super::path_pattern::{Escapes, PathPattern};
use super::view::{Behavior, BehaviorName, Origin, View};

/// The settings of an attach.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The function.
    pub function: FunctionVersion,
    /// The behaviors to attach to.
    pub behaviors: Behaviors,
    /// What the access policy needs, where it is at hand.
    pub needs: Option<DistributionNeeds>,
    /// Sets the origin's Origin Access Control.
    pub origin_access_control_id: Option<String>,
    /// The cache policy to set, or to confirm if it is already set.
    pub cache_policy_id: Option<CachePolicyId>,
    /// The origin request policy to set, or to confirm if it is already set.
    pub origin_request_policy_id: Option<OriginRequestPolicyId>,
    /// The response headers policy to set.
    pub response_headers_policy_id: Option<ResponseHeadersPolicyId>,
    /// Whether to remove any other function on viewer events.
    pub replace: bool,
    /// What to turn off, where it is on.
    pub turn_off: Vec<Feature>,
}

/// A feature of a behavior for which CloudFront runs no Lambda function.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feature {
    /// gRPC
    /// ([AWS: Lambda@Edge](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-the-edge.html)).
    Grpc,
    /// Microsoft Smooth Streaming
    /// ([AWS: restrictions](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html)).
    SmoothStreaming,
}

impl Feature {
    /// Whether it is on.
    fn is_on(self, behavior: &Behavior) -> bool {
        match self {
            Self::Grpc => behavior.grpc_config.enabled,
            Self::SmoothStreaming => behavior.smooth_streaming,
        }
    }
}

/// The behaviors to change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Behaviors {
    /// For attach: every behavior that reaches the bucket. For detach: every behavior that has the function.
    All,
    /// Every behavior that reaches the bucket of one of these origins, by their ids.
    OfOrigins(Vec<String>),
    /// Only these.
    Named(Vec<BehaviorName>),
}

/// Attaches the authorizer to a distribution's behaviors, and changes their settings to what it needs.
///
/// # Errors
/// [`Stopped`] says why nothing was changed: for example, a behavior still reaches the bucket without the authorizer.
pub fn attach(exported: &Exported, attachment: &Attachment) -> Result<Changed, Stopped> {
    let before = &exported.view;
    let ours = before.behaviors().filter(|(_, behavior)| has_ours(behavior, attachment));
    let guarded = ours.flat_map(|(_, behavior)| reached(before, behavior)).collect();
    let chosen = attachment.behaviors.choose(before, &guarded)?;
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
    let unknown = unknown_in_distribution(changed.config());
    let judge = Judge { view: &changed.view, attachment, names: &names, kept: &kept, unknown: &unknown };
    obstacles.extend(judge.obstacles());
    if !obstacles.is_empty() {
        return Err(Stopped::Obstacles(obstacles));
    }
    let notes = judge.notes();
    Ok(Changed { exported: changed, changes, notes })
}

impl Behaviors {
    /// The behaviors that are meant, where these buckets already have the function.
    pub(super) fn choose<'v>(
        &self,
        view: &'v View,
        guarded: &BTreeSet<String>,
    ) -> Result<Vec<(BehaviorName, &'v Behavior)>, Stopped> {
        match self {
            Self::All => {
                let all: BTreeSet<String> =
                    view.behaviors().flat_map(|(_, behavior)| reached(view, behavior)).collect();
                // What is S3, but not known to be one bucket, counts only if there is nothing else.
                let buckets: BTreeSet<String> = all.iter().filter(|one| is_bucket(one)).cloned().collect();
                let all = if buckets.is_empty() { all } else { buckets };
                let known: BTreeSet<String> = all.intersection(guarded).cloned().collect();
                if !known.is_empty() {
                    return Ok(reaching(view, &known));
                }
                if all.len() > 1 {
                    return Err(Stopped::SeveralBuckets(named_by_origin(view, &all)));
                }
                let chosen = reaching(view, &all);
                if chosen.is_empty() { Err(Stopped::NoBucket) } else { Ok(chosen) }
            }
            Self::OfOrigins(ids) => {
                let there = || view.origins.0.iter();
                if let Some(id) = ids.iter().find(|id| !there().any(|origin| origin.id == **id)) {
                    let there = there().map(|origin| origin.id.clone()).collect();
                    return Err(Stopped::NoSuchOrigin(id.clone(), there));
                }
                let meant = there().filter(|origin| ids.contains(&origin.id));
                let chosen = reaching(view, &meant.filter_map(reached_by).collect());
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

/// Whether two names are of one behavior: the pattern may be written in two ways.
fn is_same(one: &BehaviorName, other: &BehaviorName) -> bool {
    let is_default = |name: &BehaviorName| matches!(name, BehaviorName::Default);
    is_default(one) == is_default(other) && PathPattern::of(one) == PathPattern::of(other)
}

/// What an origin reaches in S3: a bucket by its name, or `/` and the host where the bucket is not known.
fn reached_by(origin: &Origin) -> Option<String> {
    let target = Target::of(origin);
    match target.bucket() {
        Some(bucket) => Some(bucket.to_owned()),
        None => target.is_s3().then(|| format!("/{}", origin.domain_name.to_ascii_lowercase())),
    }
}

fn is_bucket(reached: &str) -> bool {
    !reached.starts_with('/')
}

fn reached(view: &View, behavior: &Behavior) -> BTreeSet<String> {
    view.origins_of(behavior).into_iter().filter_map(reached_by).collect()
}

/// The behaviors that reach one of these.
fn reaching<'v>(view: &'v View, targets: &BTreeSet<String>) -> Vec<(BehaviorName, &'v Behavior)> {
    view.behaviors().filter(|(_, behavior)| !reached(view, behavior).is_disjoint(targets)).collect()
}

/// Each of these, with the first origin that reaches it.
fn named_by_origin(view: &View, targets: &BTreeSet<String>) -> Vec<(String, String)> {
    let origin = |target: &String| {
        let mut origins = view.origins.0.iter();
        origins.find(|origin| reached_by(origin).as_ref() == Some(target)).map(|origin| origin.id.clone())
    };
    let name = |target: &String| target.strip_prefix('/').unwrap_or(target).to_owned();
    targets.iter().filter_map(|target| Some((origin(target)?, name(target)))).collect()
}

/// The origins of some behaviors, without duplicates.
pub(super) fn origins_of<'v>(view: &'v View, chosen: &[(BehaviorName, &Behavior)]) -> Vec<&'v Origin> {
    let ids: BTreeSet<&str> = chosen
        .iter()
        .flat_map(|(_, behavior)| view.origins_of(behavior))
        .map(|origin| origin.id.as_str())
        .collect();
    view.origins.0.iter().filter(|origin| ids.contains(origin.id.as_str())).collect()
}

/// The buckets of some origins.
pub(super) fn buckets(origins: &[&Origin]) -> BTreeSet<String> {
    origins.iter().filter_map(|origin| Target::of(origin).bucket().map(str::to_owned)).collect()
}

fn has_ours(behavior: &Behavior, attachment: &Attachment) -> bool {
    let function = attachment.function.function();
    behavior.viewer_request().is_some_and(|one| function.is_of(&one.arn))
}

/// The functions that CloudFront does not allow beside ours
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

/// Changes the settings of one behavior to what the authorizer needs.
fn shape(edit: &mut Edit<'_>, name: &BehaviorName, behavior: &Behavior, attachment: &Attachment) {
    edit.take_cloudfront_functions(name, behavior);
    edit.put_function(name, behavior, &attachment.function);
    // A redirect is too late: the viewer has already sent the token over plain HTTP.
    let protocol = Some(behavior.viewer_protocol_policy.as_str());
    edit.set(name, Setting::ViewerProtocolPolicy, protocol, "https-only");
    if let Some(needs) = &attachment.needs {
        edit.set_methods(name, behavior, needs.methods);
    }
    attachment.turn_off.iter().filter(|one| one.is_on(behavior)).for_each(|one| edit.turn_off(name, *one));
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
            attachment.response_headers_policy_id.as_ref().map(ResponseHeadersPolicyId::as_str),
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

/// Checks the changed configuration.
struct Judge<'a> {
    view: &'a View,
    attachment: &'a Attachment,
    /// The chosen behaviors.
    names: &'a [&'a BehaviorName],
    /// Those that already had the function: their policies do not need to be confirmed again.
    kept: &'a [&'a BehaviorName],
    /// What is set and not known, anywhere in the configuration.
    unknown: &'a [UnknownMember],
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
        let mut found: Vec<_> =
            self.view.tenants().map(|setting| Obstacle::Tenants { setting }).into_iter().collect();
        for (name, behavior) in self.chosen() {
            found.extend(self.cache_policy(&name, behavior));
            found.extend(self.origin_request_policy(&name, behavior));
            found.extend(self.response_headers_policy(&name, behavior));
        }
        self.origins().into_iter().for_each(|origin| found.extend(origin_obstacles(origin)));
        let root = &self.view.default_root_object;
        if !root.is_empty() && self.attachment.needs.as_ref().is_some_and(|needs| needs.lists) {
            found.push(Obstacle::DefaultRootObject { object: root.clone() });
        }
        found.extend(self.ways_past());
        found.extend(self.unknown.iter().map(|one| Obstacle::UnknownMember {
            place: [&["DistributionConfig".to_owned()], one.place.as_slice()].concat().join("."),
            member: one.name.clone(),
        }));
        found
    }

    /// Checks every behavior of the distribution, chosen or not: CloudFront may read a path in another way than we
    /// do, and select another behavior.
    fn ways_past(&self) -> Vec<Obstacle> {
        let ours: Vec<_> =
            self.view.behaviors().filter(|(_, behavior)| has_ours(behavior, self.attachment)).collect();
        let mut guarded = buckets(&origins_of(self.view, &ours));
        guarded.extend(self.buckets());
        let mut found = Vec::new();
        for (name, behavior) in self.view.behaviors() {
            if has_ours(behavior, self.attachment) {
                let behavior_name = || name.clone();
                if Feature::Grpc.is_on(behavior) {
                    found.push(Obstacle::Grpc { behavior: behavior_name() });
                }
                if Feature::SmoothStreaming.is_on(behavior) {
                    found.push(Obstacle::SmoothStreaming { behavior: behavior_name() });
                }
                continue;
            }
            for origin in self.view.origins_of(behavior) {
                if let Some(other) = Target::of(origin).any_bucket() {
                    let (origin, is) = (origin.id.clone(), other.to_string());
                    found.push(Obstacle::MayReach { behavior: name.clone(), origin, is });
                }
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
                Caching::Host => Some(Obstacle::CacheWithHost { behavior, id }),
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

    fn response_headers_policy(&self, name: &BehaviorName, behavior: &Behavior) -> Option<Obstacle> {
        // Without the access policy, nobody knows what is wanted.
        let cors = self.attachment.needs.as_ref()?.cors.as_ref();
        let id = behavior.response_headers_policy_id.clone().unwrap_or_default();
        let behavior = name.clone();
        let Some(cors) = cors else {
            return match CorsHeaders::of(&id) {
                CorsHeaders::None | CorsHeaders::Unknown => None,
                CorsHeaders::Every | CorsHeaders::EveryAndExposed => {
                    Some(Obstacle::CorsNotWanted { behavior, id })
                }
            };
        };
        if id.is_empty() {
            return Some(Obstacle::NoResponseHeadersPolicy { behavior });
        }
        match CorsHeaders::of(&id) {
            CorsHeaders::Unknown => None,
            CorsHeaders::None => Some(Obstacle::NoCorsHeaders { behavior, id }),
            CorsHeaders::Every | CorsHeaders::EveryAndExposed if *cors.origins() != AllowedOrigins::Any => {
                Some(Obstacle::CorsForEveryone { behavior, id })
            }
            CorsHeaders::Every if !cors.exposed_headers().is_empty() => {
                Some(Obstacle::HeadersNotExposed { behavior, id, headers: cors.exposed_headers().to_vec() })
            }
            CorsHeaders::Every | CorsHeaders::EveryAndExposed => None,
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
            } else if !matches!(self.attachment.behaviors, Behaviors::Named(_)) {
                notes.push(Note::PassedOver { behavior: name });
            }
        }
        for (name, behavior) in self.chosen() {
            for one in &behavior.lambda_function_associations.0 {
                if !["viewer-request", "origin-request"].contains(&one.event_type.as_str()) {
                    let (behavior, arn, event) = (name.clone(), one.arn.clone(), one.event_type.clone());
                    notes.push(Note::OnResponse { behavior, arn, event });
                }
            }
        }
        for origin in self.origins() {
            if let Target::Bucket(endpoint) = Target::of(origin)
                && endpoint.region.is_none()
            {
                notes.push(Note::GlobalEndpoint {
                    origin: origin.id.clone(),
                    domain_name: origin.domain_name.clone(),
                    regional: endpoint.regional("REGION"),
                });
            }
            let names: Vec<String> =
                origin.custom_headers.0.iter().map(|one| one.header_name.clone()).collect();
            if !names.is_empty() {
                notes.push(Note::OriginHeaders { origin: origin.id.clone(), names });
            }
            notes.push(Note::OriginAccessControl {
                origin: origin.id.clone(),
                id: origin.origin_access_control_id.clone(),
            });
        }
        let mode = &self.view.viewer_mtls_config.mode;
        if !mode.is_empty() {
            notes.push(Note::ViewerCertificates { mode: mode.clone() });
        }
        let function = &self.view.connection_function_association.id;
        if !function.is_empty() {
            notes.push(Note::ConnectionFunction { id: function.clone() });
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
        notes.extend(self.fit());
        notes.push(Note::BucketPolicy { buckets: self.buckets().into_iter().collect() });
        notes
    }

    /// Whether the path patterns of the behaviors with the function fit each other and the key patterns of the rules.
    fn fit(&self) -> Vec<Note> {
        let is_ours = |behavior: &Behavior| has_ours(behavior, self.attachment);
        let behaviors: Vec<_> = self.view.behaviors().collect();
        let mut notes = Vec::new();
        let concerns = |index: usize| behaviors.get(index).is_none_or(|(_, behavior)| is_ours(behavior));
        let order = Order::of(self.view, Escapes::NotKnown, concerns);
        for one in order.unreached {
            if let (Some((behavior, there)), Some((by, first))) =
                (behaviors.get(one.index), behaviors.get(one.by))
                && (is_ours(there) || is_ours(first))
            {
                notes.push(Note::Unreached { behavior: behavior.clone(), by: by.clone() });
            }
        }
        let undecided: Vec<BehaviorName> =
            order.undecided.iter().filter_map(|one| Some(behaviors.get(one.index)?.0.clone())).collect();
        if !undecided.is_empty() {
            notes.push(Note::OrderUndecided { behaviors: undecided });
        }
        let rules = self.attachment.needs.as_ref().map(|needs| needs.rules.as_slice());
        let fit = Fit::of(self.view, is_ours, rules.unwrap_or_default(), Escapes::NotKnown);
        if rules.is_some() {
            notes.extend(fit.without_rule.into_iter().map(|behavior| Note::NoRule { behavior }));
            if !fit.undecided_rules.is_empty() || !fit.undecided_behaviors.is_empty() {
                let (rules, behaviors) = (fit.undecided_rules, fit.undecided_behaviors);
                notes.push(Note::KeysUndecided { rules, behaviors });
            }
        }
        if fit.buckets.len() > 1 {
            notes.push(Note::SeveralBuckets { buckets: fit.buckets.iter().cloned().collect() });
        }
        let ids = |rules: Vec<(String, BTreeSet<String>)>| rules.into_iter().map(|(id, _)| id).collect();
        if !fit.of_several.is_empty() {
            let buckets = fit.buckets.iter().cloned().collect();
            notes.push(Note::KeysOfSeveralBuckets { rules: ids(fit.of_several), buckets });
        }
        if !fit.anonymous_of_several.is_empty() {
            notes.push(Note::AnonymousBySlash { rules: ids(fit.anonymous_of_several) });
        }
        notes.extend(Note::of_listings(&fit.not_listed));
        notes
    }

    fn behavior_notes(&self, name: &BehaviorName, behavior: &Behavior) -> Vec<Note> {
        let mut notes = Vec::new();
        let origin_requests =
            behavior.lambda_function_associations.0.iter().filter(|one| one.event_type == "origin-request");
        for one in origin_requests {
            notes.push(Note::OriginRequest { behavior: name.clone(), arn: one.arn.clone() });
        }
        let settings = behavior.signatures_required();
        if !settings.is_empty() {
            notes.push(Note::SignedUrls { behavior: name.clone(), settings });
        }
        if !behavior.realtime_log_config_arn.is_empty() {
            let arn = behavior.realtime_log_config_arn.clone();
            notes.push(Note::RealtimeLogs { behavior: name.clone(), arn });
        }
        if let Some(id) = &behavior.cache_policy_id
            && Caching::of(id) != Caching::Disabled
        {
            notes.push(Note::CachePolicy { behavior: name.clone(), id: id.clone() });
        }
        let forwarding = behavior.origin_request_policy_id.as_deref().map(Forwarding::of);
        if let (Some(id), Some(Forwarding::Unknown)) = (&behavior.origin_request_policy_id, forwarding) {
            let needs = self.attachment.needs.as_ref();
            let headers = needs.map(|needs| needs.headers.clone()).unwrap_or_default();
            notes.push(Note::OriginRequestPolicy { behavior: name.clone(), id: id.clone(), headers });
        }
        let Some(needs) = &self.attachment.needs else { return notes };
        // `[cors]` never exposes all: it names each.
        if let (Some(cors), Some(id)) = (&needs.cors, &behavior.response_headers_policy_id)
            && CorsHeaders::of(id) == CorsHeaders::EveryAndExposed
        {
            let headers = cors.exposed_headers().to_vec();
            notes.push(Note::EveryHeaderExposed { behavior: name.clone(), id: id.clone(), headers });
        }
        if forwarding == Some(Forwarding::AllButHost) && !needs.dropped_overrides.is_empty() {
            let parameters = needs.dropped_overrides.clone();
            notes.push(Note::DroppedOverrides { behavior: name.clone(), parameters });
        }
        notes
    }
}

fn origin_obstacles(origin: &Origin) -> Vec<Obstacle> {
    let id = origin.id.clone();
    let target = Target::of(origin);
    let (Target::Bucket(_), Some(config)) = (&target, &origin.s3_origin_config) else {
        let is = match &target {
            Target::OtherS3(other) => Some(other.to_string()),
            Target::Bucket(_) | Target::Website(_) | Target::Other => None,
        };
        return vec![Obstacle::NotABucket { origin: id, domain_name: origin.domain_name.clone(), is }];
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
