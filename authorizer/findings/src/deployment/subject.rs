//! The input of the checks: the distribution, its origins, and what was reviewed.

use std::cell::RefCell;
use std::collections::BTreeSet;

use authorizer_cloudfront::DistributionNeeds;
use authorizer_cloudfront::Target;
use authorizer_cloudfront::view::{Behavior, BehaviorName, Origin, View};
use authorizer_cloudfront::{Exported, FunctionVersion};
use authorizer_core::policy::Policy;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::documents::{FunctionConfiguration, Identity};
use super::export::{BucketSetting, DISTRIBUTION, Export, ExportError, Reviewed, Unjudged};
use super::finding::Spot;
use super::needs::DeploymentNeeds;

/// A deployment.
pub(crate) struct DeploymentSubject<'a> {
    exported: Exported,
    export: &'a Export,
    pub(super) reviewed: &'a Reviewed<'a>,
    pub(super) distribution_needs: DistributionNeeds,
    pub(super) deployment_needs: DeploymentNeeds,
    /// What could not be judged, and why.
    unjudged: RefCell<Vec<(Spot, String)>>,
}

/// A behavior, with its place.
pub(super) struct BehaviorAt<'s> {
    pub(super) name: BehaviorName,
    pub(super) behavior: &'s Behavior,
    pub(super) spot: Spot,
}

/// An origin, with its place.
pub(super) struct OriginAt<'s> {
    pub(super) origin: &'s Origin,
    pub(super) spot: Spot,
}

impl<'a> DeploymentSubject<'a> {
    pub(super) fn new(export: &'a Export, reviewed: &'a Reviewed<'a>) -> Result<Self, ExportError> {
        let policy = reviewed.bundle.policy();
        Ok(Self {
            exported: export.distribution()?,
            export,
            reviewed,
            distribution_needs: DistributionNeeds::of(policy),
            deployment_needs: DeploymentNeeds::of(policy),
            unjudged: RefCell::default(),
        })
    }

    pub(super) fn policy(&self) -> &'a Policy {
        self.reviewed.bundle.policy()
    }

    pub(super) fn view(&self) -> &View {
        self.exported.view()
    }

    /// The distribution's configuration, as it was exported.
    pub(super) fn exported_config(&self) -> &Map<String, Value> {
        self.exported.config()
    }

    /// The distribution's configuration.
    pub(super) fn config(&self) -> Spot {
        Spot::file(DISTRIBUTION).then("DistributionConfig")
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        self.read("identity.json")
    }

    /// What a file says; where it cannot be read, that is noted.
    pub(super) fn read<T: DeserializeOwned>(&self, file: &str) -> Option<T> {
        self.noted(self.export.read(file))
    }

    /// What a file says of something that a bucket need not have, in which case S3 says `absent`.
    pub(super) fn bucket_setting<T: DeserializeOwned>(
        &self,
        file: &str,
        absent: &str,
    ) -> Option<BucketSetting<T>> {
        self.noted(self.export.bucket_setting(file, absent))
    }

    /// Another distribution, as `get-distribution-config` writes it.
    pub(super) fn another_distribution(&self, file: &str) -> Option<Exported> {
        self.noted(self.export.another_distribution(file))
    }

    fn noted<T>(&self, result: Result<T, Unjudged>) -> Option<T> {
        result.map_err(|Unjudged { file, why }| self.note(Spot::file(file), why)).ok()
    }

    pub(super) fn note(&self, spot: Spot, why: String) {
        self.unjudged.borrow_mut().push((spot, why));
    }

    /// What could not be judged, and why.
    pub(super) fn unjudged(&self) -> Vec<(Spot, String)> {
        self.unjudged.borrow().clone()
    }

    /// Every behavior, with its place.
    pub(super) fn all_behaviors(&self) -> Vec<BehaviorAt<'_>> {
        let config = self.config();
        let behaviors = self.view().behaviors().enumerate();
        behaviors
            .map(|(index, (name, behavior))| {
                let spot = match &name {
                    BehaviorName::Default => config.then("DefaultCacheBehavior"),
                    BehaviorName::Pattern(_) => config.then("CacheBehaviors/Items").at(index),
                };
                BehaviorAt { name, behavior, spot }
            })
            .collect()
    }

    /// The buckets that a behavior reaches.
    pub(super) fn buckets_of(&self, behavior: &Behavior) -> BTreeSet<String> {
        let origins = self.view().origins_of(behavior);
        origins.iter().filter_map(|origin| Target::of(origin).bucket().map(str::to_owned)).collect()
    }

    /// The buckets that must only be reached through the function: those of the behaviors with a Lambda function;
    /// without such a behavior, all.
    pub(super) fn buckets(&self) -> BTreeSet<String> {
        let of = |guarded: bool| -> BTreeSet<String> {
            let behaviors = self.view().behaviors().map(|(_, behavior)| behavior);
            let chosen = behaviors.filter(|one| !guarded || !one.lambda_function_associations.0.is_empty());
            chosen.flat_map(|behavior| self.buckets_of(behavior)).collect()
        };
        let guarded = of(true);
        if guarded.is_empty() { of(false) } else { guarded }
    }

    /// The behaviors that reach one of these buckets, or that have a function and reach no bucket that is known.
    pub(super) fn behaviors(&self) -> Vec<BehaviorAt<'_>> {
        let buckets = self.buckets();
        let reaches = |one: &BehaviorAt<'_>| !self.buckets_of(one.behavior).is_disjoint(&buckets);
        let has_function = |one: &BehaviorAt<'_>| one.behavior.viewer_request().is_some();
        self.all_behaviors().into_iter().filter(|one| reaches(one) || has_function(one)).collect()
    }

    /// Every origin, with its place.
    pub(super) fn all_origins(&self) -> Vec<OriginAt<'_>> {
        let items = self.config().then("Origins/Items");
        let origins = self.view().origins.0.iter().enumerate();
        origins.map(|(index, origin)| OriginAt { origin, spot: items.at(index) }).collect()
    }

    /// The origins of the behaviors that are looked at, and every other that reaches one of their buckets.
    pub(super) fn origins(&self) -> Vec<OriginAt<'_>> {
        let buckets = self.buckets();
        let behaviors = self.behaviors();
        let used = behaviors.iter().flat_map(|one| self.view().origins_of(one.behavior));
        let used: BTreeSet<&str> = used.map(|origin| origin.id.as_str()).collect();
        let is_ours = |one: &OriginAt<'_>| {
            used.contains(one.origin.id.as_str())
                || Target::of(one.origin).bucket().is_some_and(|bucket| buckets.contains(bucket))
        };
        self.all_origins().into_iter().filter(is_ours).collect()
    }
}

/// A function that decides, with the file that describes it.
pub(super) struct FunctionAt {
    pub(super) version: FunctionVersion,
    pub(super) configuration: FunctionConfiguration,
    pub(super) spot: Spot,
}

impl DeploymentSubject<'_> {
    /// The numbered versions that see viewers' requests, each once. Any other function is a finding of its
    /// own, and has no configuration that would stay as it is.
    pub(super) fn functions(&self) -> Vec<FunctionAt> {
        let behaviors = self.behaviors();
        let arns = behaviors.iter().filter_map(|one| one.behavior.viewer_request());
        let arns: BTreeSet<&str> = arns.map(|association| association.arn.as_str()).collect();
        let mut functions = Vec::new();
        for version in arns.into_iter().filter_map(|arn| FunctionVersion::parse(arn).ok()) {
            let arn = version.to_string();
            let named: Vec<_> = arn.rsplitn(3, ':').take(2).collect();
            let [number, name] = named.as_slice() else { continue };
            let file = format!("function-{name}-{number}.json");
            let Some(configuration) = self.read::<FunctionConfiguration>(&file) else { continue };
            let spot = Spot::file(file);
            if configuration.function_arn != arn {
                let other = configuration.function_arn.escape_debug();
                let message = format!("the file is about `{other}`, but the behavior has `{arn}`");
                self.note(spot.then("FunctionArn"), message);
                continue;
            }
            functions.push(FunctionAt { version, configuration, spot });
        }
        functions
    }
}
