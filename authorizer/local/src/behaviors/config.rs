//! A distribution's configuration, as it is served here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use authorizer_cloudfront::view::{self, CookiePreference, ForwardedValues};
use authorizer_cloudfront::{
    BehaviorName, CachePolicy, CorsDifference, DistributionNeeds, Escapes, Exported, ExportedError, Fit,
    Note, PolicyError, Selection, Target, Template, TemplateError, unknown_in_distribution,
};
use serde_json::Value;

use super::covered::never_selected;
use super::policies::{CACHE, ORIGIN_REQUEST, Policies, RESPONSE_HEADERS};
use super::{
    Answers, Behavior, BucketHere, ErrorResponse, Failover, Forwarded, FunctionHere, OriginHere, Selected,
    Signing, Site, ViewerProtocol,
};

/// The time of errors in the cache where the distribution says nothing, in seconds.
const ERROR_CACHING: u64 = 10;

/// What is said of a behavior with another function than the one that is served.
const ANOTHER: &str = "has another function on viewer-request, which is not here";

/// A distribution that can be served here.
#[derive(Debug)]
pub struct DistributionConfig {
    exported: Exported,
    behaviors: Vec<Behavior>,
    default: Behavior,
    origins: Vec<OriginHere>,
    /// The ids of the origins, in the same order.
    ids: Vec<String>,
    errors: Vec<ErrorResponse>,
    root: Option<String>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// The function on viewer-request of each behavior, without its version; the default one is the last.
    arns: Vec<Option<String>>,
}

/// Why a distribution cannot be served here.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The distribution.
    #[error(transparent)]
    Distribution(#[from] ExportedError),
    /// The distribution of a template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A policy that is neither in the template nor beside the file, nor one of AWS's own.
    #[error("the {kind} `{id}` of {behavior} is not known")]
    NoPolicy {
        /// The kind of policy.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The behavior that has it.
        behavior: BehaviorName,
        /// The file that would have it.
        file: String,
        /// The command that writes the file.
        command: String,
    },
    /// A policy that cannot be read.
    #[error("`{file}`: {error}")]
    Policy {
        /// The file.
        file: String,
        /// Why.
        error: PolicyError,
    },
    /// A setting with a value that is not known.
    #[error("`{setting}` of {behavior} is `{value}`, which is not known")]
    Unknown {
        /// The setting.
        setting: &'static str,
        /// The behavior.
        behavior: BehaviorName,
        /// Its value.
        value: String,
    },
    /// No behavior has this function.
    #[error("no behavior has the function `{arn}` on viewer-request, but {}", .known.join(", "))]
    NoFunction {
        /// The function.
        arn: String,
        /// Those that behaviors have.
        known: Vec<String>,
    },
    /// A name that no bucket has.
    #[error("the origin `{origin}` is the bucket `{bucket}`, whose name S3 would not take")]
    Bucket {
        /// The origin's id.
        origin: String,
        /// The name.
        bucket: String,
    },
}

/// What is said of a behavior when the distribution starts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BehaviorRow {
    /// The path pattern; `default` for the default behavior.
    pub pattern: String,
    /// The methods.
    pub methods: String,
    /// Whether the function runs.
    pub function: String,
    /// The origin.
    pub origin: String,
    /// The cache policy.
    pub cache: String,
}

impl DistributionConfig {
    /// Reads what `get-distribution-config` wrote, or a template. Policies that are not AWS's own are in the template, or
    /// in files beside the distribution, by the names that `infra/export` gives them.
    ///
    /// # Errors
    /// [`ConfigError`] if it cannot be read, or has a policy that is not known.
    pub fn read(bytes: &[u8], beside: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Self, ConfigError> {
        Self::from_export(Exported::read(bytes)?, Policies { template: None, beside })
    }

    /// Reads the distribution of a template, which is JSON. A parameter has its default; one that `values` names has that
    /// value.
    ///
    /// # Errors
    /// [`ConfigError`] if it cannot be read, or has a policy that is not known.
    pub fn of_template(
        document: &Value,
        values: &BTreeMap<String, String>,
        beside: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Self, ConfigError> {
        let template = Template::read(document, values)?;
        let distribution = template.distribution.clone();
        Self::from_export(distribution, Policies { template: Some(template), beside })
    }

    fn from_export(exported: Exported, policies: Policies<'_>) -> Result<Self, ConfigError> {
        let view = exported.view();
        let mut notes: Vec<String> = unknown_in_distribution(exported.config())
            .into_iter()
            .map(|unknown| {
                let mut place = unknown.place;
                place.push(unknown.name);
                format!(
                    "`{}` is set, but this version does not know it: its effect is not shown",
                    place.join("/")
                )
            })
            .collect();
        notes.extend(absent(view, exported.config()));
        let ids: Vec<String> = view.origins.0.iter().map(|origin| origin.id.clone()).collect();
        let mut behaviors = Vec::new();
        for (name, behavior) in view.behaviors() {
            behaviors.push(behavior_here(view, name, behavior, &ids, &policies, &mut notes)?);
        }
        let warnings = never_selected(view);
        let mut origins = Vec::new();
        for origin in &view.origins.0 {
            origins.push(origin_here(origin, &policies, &mut notes)?);
        }
        // A policy may be that of several behaviors.
        let mut seen = BTreeSet::new();
        notes.retain(|note| seen.insert(note.clone()));
        // `View::behaviors` has the default one last.
        let Some(default) = behaviors.pop() else { return Err(ExportedError::Empty.into()) };
        let root = Some(view.default_root_object.trim_start_matches('/').to_owned());
        // As `View::behaviors`.
        let arn = |behavior: &view::Behavior| behavior.viewer_request().map(|one| without_version(&one.arn));
        let arns = view.behaviors().map(|(_, behavior)| arn(behavior)).collect();
        let errors = view.custom_error_responses.0.iter().map(error_here).collect();
        let config = Self {
            exported,
            arns,
            behaviors,
            default,
            origins,
            ids,
            errors,
            root: root.filter(|root| !root.is_empty()),
            notes,
            warnings,
        };
        let first = config.arns.last().cloned().flatten();
        let first = first.or_else(|| config.arns.iter().flatten().next().cloned());
        match first {
            Some(arn) => config.of_function(&arn),
            None => Ok(config),
        }
    }

    /// The same distribution with this Lambda function as the one that is served, whatever its version. The others are
    /// not here. Without this, it is that of the default behavior, or the first one.
    ///
    /// # Errors
    /// [`ConfigError::NoFunction`] if no behavior has it.
    pub fn of_function(mut self, arn: &str) -> Result<Self, ConfigError> {
        let ours = without_version(arn);
        let known: BTreeSet<&String> = self.arns.iter().flatten().collect();
        if !known.contains(&ours) {
            let known: Vec<String> = known.into_iter().cloned().collect();
            let known = if known.is_empty() { vec!["none".to_owned()] } else { known };
            return Err(ConfigError::NoFunction { arn: arn.to_owned(), known });
        }
        let all = self.behaviors.iter_mut().chain([&mut self.default]);
        for (behavior, arn) in all.zip(&self.arns) {
            let Some(arn) = arn else { continue };
            behavior.function = if *arn == ours {
                FunctionHere::Ours
            } else {
                FunctionHere::Other(format!("{} {ANOTHER} (`{arn}`, and not `{ours}`)", behavior.name))
            };
        }
        Ok(self)
    }

    /// A row for each behavior, in the order in which they are tried.
    pub fn rows(&self) -> Vec<BehaviorRow> {
        let row = |behavior: &Behavior| BehaviorRow {
            pattern: behavior.pattern(),
            methods: if behavior.methods.len() == 7 { "all".to_owned() } else { behavior.methods.join(" ") },
            function: match &behavior.function {
                FunctionHere::Ours => "yes".to_owned(),
                FunctionHere::None => "no".to_owned(),
                FunctionHere::Absent(_) => "absent".to_owned(),
                FunctionHere::Other(_) => "other".to_owned(),
            },
            origin: match &behavior.failover {
                Some(Failover { origin, .. }) => {
                    format!("{}, then {}", self.origin_name(behavior.origin), self.origin_name(*origin))
                }
                None => self.origin_name(behavior.origin),
            },
            cache: if behavior.cache.is_disabled() {
                "no".to_owned()
            } else {
                behavior.cache.name.to_string()
            },
        };
        self.behaviors.iter().chain([&self.default]).map(row).collect()
    }

    /// An origin, as a row has it.
    fn origin_name(&self, origin: usize) -> String {
        match self.origins.get(origin) {
            Some(OriginHere::Bucket(bucket)) => format!("{}{}", bucket.bucket, bucket.path),
            Some(OriginHere::Absent(_)) | None => {
                format!("{} (absent)", self.ids.get(origin).map_or("", String::as_str))
            }
        }
    }

    /// What of the distribution is not as at CloudFront, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let another = |behavior: &Behavior| match &behavior.function {
            FunctionHere::Other(why) => {
                Some(format!("{why}: its requests get 502. `--function-arn` says which one is yours"))
            }
            FunctionHere::Ours | FunctionHere::None | FunctionHere::Absent(_) => None,
        };
        let others = self.behaviors.iter().chain([&self.default]).filter_map(another);
        self.notes.iter().cloned().chain(others).collect()
    }

    /// What is wrong with the distribution itself, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where the distribution and an access policy do not fit, one sentence each: the CORS headers of S3's answers that are
    /// not those of `[cors]`, and listings that go to another bucket than the objects that they are to show.
    pub fn misfits(&self, needs: &DistributionNeeds) -> Vec<String> {
        let mut misfits = Vec::new();
        for behavior in self.behaviors.iter().chain([&self.default]) {
            if behavior.function != FunctionHere::Ours {
                continue;
            }
            let given = match &behavior.answers {
                Answers::Policy(policy) => policy.as_ref().and_then(|policy| policy.cors.as_ref()),
                Answers::Templates => None,
            };
            let differences = CorsDifference::all(needs.cors.as_ref(), given);
            let name = &behavior.name;
            misfits.extend(differences.iter().map(|one| format!("{name}: CORS of S3's answers: {one}")));
        }
        let ours =
            |behavior: &view::Behavior| behavior.viewer_request().is_some_and(|one| self.is_ours(&one.arn));
        let fit = Fit::of(self.exported.view(), ours, &needs.rules, Escapes::AsWritten);
        misfits.extend(Note::of_listings(&fit.not_listed).map(|note| note.to_string()));
        if !fit.undecided_rules.is_empty() {
            let note = Note::KeysUndecided { rules: fit.undecided_rules, behaviors: Vec::new() };
            misfits.push(note.to_string());
        }
        misfits
    }

    /// Whether the behaviors have the function that is served under this ARN, whatever its version.
    fn is_ours(&self, arn: &str) -> bool {
        let arn = without_version(arn);
        let all = self.behaviors.iter().chain([&self.default]).zip(&self.arns);
        all.into_iter().any(|(one, has)| one.function == FunctionHere::Ours && has.as_ref() == Some(&arn))
    }

    /// Whether the function runs for any behavior.
    pub fn has_function(&self) -> bool {
        self.behaviors.iter().chain([&self.default]).any(|one| one.function == FunctionHere::Ours)
    }

    /// Whether every behavior wants HTTPS, or sends its viewers there.
    pub fn wants_https(&self) -> bool {
        let all = self.behaviors.iter().chain([&self.default]);
        all.into_iter().any(|one| one.protocol != ViewerProtocol::AllowAll)
    }

    /// Of these headers, those that do not reach the bucket, by each behavior that has the function and lets not all of
    /// them through: its pattern, or `default`.
    pub fn lost<'n>(&self, names: &[&'n str]) -> Vec<(String, Vec<&'n str>)> {
        let ours =
            self.behaviors.iter().chain([&self.default]).filter(|one| one.function == FunctionHere::Ours);
        ours.filter_map(|one| {
            let lost: Vec<&str> =
                names.iter().copied().filter(|name| !one.forwarded.has_header(name)).collect();
            (!lost.is_empty()).then(|| (one.pattern(), lost))
        })
        .collect()
    }

    pub(super) fn into_site(self) -> Site {
        Site {
            behaviors: self.behaviors,
            default: self.default,
            origins: self.origins,
            errors: self.errors,
            root: self.root,
            default_error_ttl: ERROR_CACHING,
        }
    }
}

/// The ARN of a function without its version or alias. What is no ARN stays as it is.
fn without_version(arn: &str) -> String {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "lambda", _, _, "function", _, _] => {
            arn.rsplit_once(':').map_or(arn, |(function, _)| function).to_owned()
        }
        _ => arn.to_owned(),
    }
}

/// What a distribution has and a laptop does not.
fn absent(view: &view::View, config: &serde_json::Map<String, Value>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |is_set: bool, text: &str| {
        if is_set {
            notes.push(text.to_owned());
        }
    };
    let text = |name: &str| config.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    note(
        config.get("Enabled").and_then(Value::as_bool) == Some(false),
        "`Enabled` is false: CloudFront would answer nobody",
    );
    note(text("WebACLId"), "`WebACLId`: the firewall is not here, so it refuses nothing");
    let geo = config.get("Restrictions").and_then(|one| one.get("GeoRestriction"));
    let geo = geo.and_then(|one| one.get("RestrictionType")).and_then(Value::as_str);
    note(
        geo.is_some_and(|kind| kind != "none"),
        "`Restrictions`: every viewer is on this machine, so no country is refused",
    );
    note(view.staging, "`Staging`: it is served as if it were the primary distribution");
    note(
        !view.continuous_deployment_policy_id.is_empty(),
        "`ContinuousDeploymentPolicyId`: the staging distribution is not here, and gets no requests",
    );
    note(
        !view.viewer_mtls_config.mode.is_empty() || !view.connection_function_association.id.is_empty(),
        "`ViewerMtlsConfig`: viewers are asked for no certificate",
    );
    note(
        !view.connection_mode.is_empty() && view.connection_mode != "direct",
        "`ConnectionMode`: there are no tenants here",
    );
    let groups = config.get("OriginGroups").and_then(|groups| groups.get("Items")).and_then(Value::as_array);
    let by_quality = |group: &Value| {
        group.get("SelectionCriteria").and_then(Value::as_str).is_some_and(|criteria| criteria != "default")
    };
    note(
        groups.into_iter().flatten().any(by_quality),
        "`SelectionCriteria` of `OriginGroups`: the quality of media is not compared, so the first origin is asked first",
    );
    notes
}

fn origin_here(
    origin: &view::Origin,
    policies: &Policies<'_>,
    notes: &mut Vec<String>,
) -> Result<OriginHere, ConfigError> {
    let target = Target::of(origin);
    let Target::Bucket(endpoint) = target else {
        return Ok(OriginHere::Absent(format!(
            "the origin `{}` ({}) is not a bucket with its own endpoint",
            origin.id, origin.domain_name
        )));
    };
    if !s3s::path::check_bucket_name(&endpoint.bucket) {
        return Err(ConfigError::Bucket { origin: origin.id.clone(), bucket: endpoint.bucket });
    }
    let identity = origin.s3_origin_config.as_ref().map(|one| one.origin_access_identity.as_str());
    let signing = match origin.origin_access_control_id.as_str() {
        "" if identity.is_some_and(|id| !id.is_empty()) => Signing::Always,
        "" => Signing::Never,
        control => policies.signing(control, notes),
    };
    let versions = policies.versions(&endpoint.bucket);
    Ok(OriginHere::Bucket(BucketHere {
        region: endpoint.region.unwrap_or_else(|| "us-east-1".to_owned()),
        bucket: endpoint.bucket,
        path: origin.origin_path.trim_end_matches('/').to_owned(),
        signing,
        versions,
        headers: origin
            .custom_headers
            .0
            .iter()
            .map(|one| (one.header_name.to_ascii_lowercase(), one.header_value.clone()))
            .collect(),
    }))
}

fn error_here(error: &view::CustomErrorResponse) -> ErrorResponse {
    let status = error.response_code.parse().unwrap_or(error.error_code);
    ErrorResponse {
        status: error.error_code,
        page: (!error.response_page_path.is_empty()).then(|| (error.response_page_path.clone(), status)),
        ttl: error.error_caching_min_ttl.unwrap_or(ERROR_CACHING),
    }
}

fn behavior_here(
    view: &view::View,
    name: BehaviorName,
    behavior: &view::Behavior,
    ids: &[String],
    policies: &Policies<'_>,
    notes: &mut Vec<String>,
) -> Result<Behavior, ConfigError> {
    let place = |id: &str| ids.iter().position(|one| one == id);
    let absent = || ExportedError::NoSuchOrigin(behavior.target_origin_id.clone());
    let group = view.origin_groups.0.iter().find(|group| group.id == behavior.target_origin_id);
    let (origin, failover) = match group {
        Some(group) => {
            let mut members =
                group.members.0.iter().map(|member| place(&member.origin_id).ok_or_else(absent));
            let first = members.next().ok_or_else(absent)??;
            let second = members.next().transpose()?;
            let statuses = group.failover_statuses();
            (first, second.map(|origin| Failover { origin, statuses }))
        }
        None => (place(&behavior.target_origin_id).ok_or_else(absent)?, None),
    };
    let methods = behavior.allowed_methods.as_ref();
    let read = || vec!["GET".to_owned(), "HEAD".to_owned()];
    let cached = methods.map(|one| one.cached_methods.0.clone()).filter(|cached| !cached.is_empty());
    let protocol = match behavior.viewer_protocol_policy.as_str() {
        "allow-all" => ViewerProtocol::AllowAll,
        "redirect-to-https" => ViewerProtocol::RedirectToHttps,
        "https-only" => ViewerProtocol::HttpsOnly,
        other => {
            return Err(ConfigError::Unknown {
                setting: "ViewerProtocolPolicy",
                behavior: name,
                value: other.escape_debug().to_string(),
            });
        }
    };
    let key = policies.find(&CACHE, behavior.cache_policy_id.as_deref(), &name, notes)?;
    let request =
        policies.find(&ORIGIN_REQUEST, behavior.origin_request_policy_id.as_deref(), &name, notes)?;
    let headers =
        policies.find(&RESPONSE_HEADERS, behavior.response_headers_policy_id.as_deref(), &name, notes)?;
    let (cache, mut selected) = match (key, &behavior.forwarded_values) {
        (Some(cache), _) => (cache, Vec::new()),
        (None, Some(values)) => {
            let cache = of_older_form(behavior, values);
            // What the older form leaves out of the key is still forwarded.
            let query = if values.query_string { Selection::All } else { Selection::Nothing };
            (cache, vec![Selected { query, ..Selected::default() }])
        }
        (None, None) => {
            return Err(ConfigError::Unknown {
                setting: "CachePolicyId",
                behavior: name,
                value: String::new(),
            });
        }
    };
    selected.push(Selected {
        headers: cache.headers.clone(),
        cookies: cache.cookies.clone(),
        query: cache.query.clone(),
    });
    selected.extend(request.map(|request| Selected {
        headers: request.headers,
        cookies: request.cookies,
        query: request.query,
    }));
    if behavior.compress && (cache.gzip || cache.brotli) {
        notes.push(format!("`Compress` of {name}: answers are as S3 gives them, and not compressed"));
    }
    let function = function_here(&name, behavior, notes);
    Ok(Behavior {
        methods: methods.map_or_else(read, |one| one.allowed.0.clone()),
        cached_methods: cached.unwrap_or_else(read),
        protocol,
        function,
        origin,
        failover,
        cache,
        forwarded: Forwarded::Selected(selected),
        answers: Answers::Policy(headers.map(Arc::new)),
        is_for_signed_urls: !behavior.signatures_required().is_empty(),
        name,
    })
}

/// What runs for a behavior, and what of it is not here.
fn function_here(name: &BehaviorName, behavior: &view::Behavior, notes: &mut Vec<String>) -> FunctionHere {
    let lambda = behavior.lambda_function_associations.0.iter();
    let others = lambda.filter(|one| one.event_type != view::VIEWER_REQUEST);
    let mut others: Vec<String> = others.map(|one| one.event_type.clone()).collect();
    let functions = behavior.function_associations.0.iter();
    others.extend(functions.map(|one| format!("{} (CloudFront Function)", one.event_type)));
    let others = others.join(", ");
    match behavior.viewer_request() {
        Some(ours) => {
            if ours.include_body {
                notes.push(format!("`IncludeBody` of {name}: the function does not get the body here"));
            }
            if !others.is_empty() {
                notes.push(format!("{name} has other functions, which do not run here: {others}"));
            }
            if behavior.grpc_config.enabled || behavior.smooth_streaming {
                notes.push(format!(
                    "{name} has gRPC or Smooth Streaming on: at CloudFront, its requests go past the function"
                ));
            }
            FunctionHere::Ours
        }
        None if others.is_empty() => FunctionHere::None,
        None => {
            notes.push(format!("{name} has functions that are not here ({others}): its requests get 502"));
            FunctionHere::Absent(format!("the functions of {name} are not here: {others}"))
        }
    }
}

/// The cache policy that the older settings of a behavior amount to.
fn of_older_form(behavior: &view::Behavior, values: &ForwardedValues) -> CachePolicy {
    let named = |names: &[String]| match names {
        [] => Selection::Nothing,
        [one] if one == "*" => Selection::All,
        names => Selection::These(names.to_vec()),
    };
    let CookiePreference { forward, whitelisted_names } = &values.cookies;
    let min_ttl = behavior.min_ttl.unwrap_or_default();
    let max_ttl = behavior.max_ttl.unwrap_or(31_536_000).max(min_ttl);
    let is_for_each_header = matches!(named(&values.headers.0), Selection::All);
    CachePolicy {
        name: "older settings".into(),
        min_ttl,
        default_ttl: behavior.default_ttl.unwrap_or(86_400).clamp(min_ttl, max_ttl),
        // With every header forwarded, CloudFront never caches.
        max_ttl: if is_for_each_header { 0 } else { max_ttl },
        gzip: false,
        brotli: false,
        headers: named(&values.headers.0),
        cookies: match forward.as_str() {
            "all" => Selection::All,
            "whitelist" => Selection::These(whitelisted_names.0.clone()),
            _ => Selection::Nothing,
        },
        query: match (values.query_string, values.query_string_cache_keys.0.as_slice()) {
            (false, _) => Selection::Nothing,
            (true, []) => Selection::All,
            (true, names) => Selection::These(names.to_vec()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OURS: &str = "arn:aws:lambda:us-east-1:111122223333:function:authorizer";
    const OTHER: &str = "arn:aws:lambda:us-east-1:111122223333:function:rewrite";

    /// A distribution with these functions for `a/*`, `b/*` and the default behavior.
    fn config(functions: [Option<&str>; 3]) -> DistributionConfig {
        let behavior = |arn: Option<&str>| {
            let one =
                |arn| json!({"LambdaFunctionARN": arn, "EventType": "viewer-request", "IncludeBody": false});
            let items: Vec<Value> = arn.into_iter().map(one).collect();
            json!({
                "TargetOriginId": "b",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                "LambdaFunctionAssociations": {"Quantity": items.len(), "Items": items},
            })
        };
        let with = |pattern: &str, arn| {
            let mut behavior = behavior(arn);
            behavior["PathPattern"] = json!(pattern);
            behavior
        };
        let [a, b, default] = functions;
        let config = json!({
            "CallerReference": "r", "Comment": "", "Enabled": true,
            "Origins": {"Quantity": 1, "Items": [{
                "Id": "b", "DomainName": "files.s3.us-east-1.amazonaws.com",
                "S3OriginConfig": {"OriginAccessIdentity": ""},
            }]},
            "CacheBehaviors": {"Quantity": 2, "Items": [with("a/*", a), with("b/*", b)]},
            "DefaultCacheBehavior": behavior(default),
        });
        DistributionConfig::read(config.to_string().as_bytes(), &|_| None).unwrap()
    }

    fn functions(config: &DistributionConfig) -> Vec<String> {
        config.rows().into_iter().map(|row| row.function).collect()
    }

    #[test]
    fn another_function_is_not_taken_for_ours() {
        let (ours, other) = (format!("{OURS}:3"), format!("{OTHER}:3"));
        let same = config([Some(&ours), None, Some(&format!("{OURS}:4"))]);
        assert_eq!(functions(&same), ["yes", "no", "yes"]);
        assert!(!same.notes().iter().any(|note| note.contains(ANOTHER)));
        // That of the default behavior is ours, or else the first one.
        let two = config([Some(&other), None, Some(&ours)]);
        assert_eq!(functions(&two), ["other", "no", "yes"]);
        let said: Vec<String> = two.notes().into_iter().filter(|note| note.contains(ANOTHER)).collect();
        assert!(said.len() == 1 && said[0].contains(OTHER), "{said:?}");
        assert_eq!(functions(&config([Some(&other), Some(&ours), None])), ["yes", "other", "no"]);
        // Or the one that is named, with any version or none.
        for arn in [OTHER.to_owned(), format!("{OTHER}:9")] {
            let named = config([Some(&other), None, Some(&ours)]).of_function(&arn).unwrap();
            assert_eq!(functions(&named), ["yes", "no", "other"]);
            assert_eq!(named.notes().iter().filter(|note| note.contains(ANOTHER)).count(), 1);
        }
        let error = config([Some(&other), None, Some(&ours)]).of_function("x").unwrap_err().to_string();
        assert_eq!(error, format!("no behavior has the function `x` on viewer-request, but {OURS}, {OTHER}"));
    }
}
