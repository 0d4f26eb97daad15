//! Single edits to a configuration, each recorded as it is made.

use serde_json::{Map, Value, json};

use super::arn::{FunctionName, FunctionVersion};
use super::attach::Feature;
use super::change::{Change, Place, Setting};
use super::methods::MethodSet;
use super::view::{Behavior, BehaviorName, Origin, VIEWER_REQUEST};

/// A configuration, with the changes that were made to it.
pub(super) struct Edit<'c> {
    pub(super) config: &'c mut Map<String, Value>,
    pub(super) changes: Vec<Change>,
}

impl Edit<'_> {
    /// Sets the function on viewer-request. Other events keep their functions.
    pub(super) fn put_function(
        &mut self,
        name: &BehaviorName,
        behavior: &Behavior,
        version: &FunctionVersion,
    ) {
        let arn = version.to_string();
        let before = behavior.viewer_request();
        if before.is_some_and(|one| one.arn == arn && !one.include_body) {
            return;
        }
        let ours = json!({"LambdaFunctionARN": arn, "EventType": VIEWER_REQUEST, "IncludeBody": false});
        self.lambda(name, Some(ours));
        let with_body = |body: bool| if body { " with the body" } else { "" };
        let before = before.map(|one| format!("{}{}", one.arn, with_body(one.include_body)));
        self.note(name, Setting::LambdaFunctionAssociations, before, Some(arn));
    }

    /// Removes the function.
    pub(super) fn take_function(
        &mut self,
        name: &BehaviorName,
        behavior: &Behavior,
        function: &FunctionName,
    ) {
        let Some(before) = behavior.viewer_request().filter(|one| function.is_of(&one.arn)) else { return };
        self.lambda(name, None);
        self.note(name, Setting::LambdaFunctionAssociations, Some(before.arn.clone()), None);
    }

    /// Removes every CloudFront Function: CloudFront does not allow one beside a viewer-request Lambda function.
    pub(super) fn take_cloudfront_functions(&mut self, name: &BehaviorName, behavior: &Behavior) {
        if behavior.function_associations.0.is_empty() {
            return;
        }
        if let Some(map) = self.behavior(name) {
            write_list(map, "FunctionAssociations", Vec::new());
        }
        for one in &behavior.function_associations.0 {
            let before = format!("{} on {}", one.arn, one.event_type);
            self.note(name, Setting::FunctionAssociations, Some(before), None);
        }
    }

    /// Sets a text if it differs.
    pub(super) fn set(&mut self, name: &BehaviorName, setting: Setting, before: Option<&str>, after: &str) {
        if before == Some(after) {
            return;
        }
        if let Some(map) = self.behavior(name) {
            map.insert(setting.name().to_owned(), after.into());
        }
        self.note(name, setting, before.map(str::to_owned), Some(after.to_owned()));
    }

    /// Turns off what would go past the function.
    pub(super) fn turn_off(&mut self, name: &BehaviorName, feature: Feature) {
        let (setting, off) = match feature {
            Feature::Grpc => (Setting::GrpcConfig, json!({"Enabled": false})),
            Feature::SmoothStreaming => (Setting::SmoothStreaming, json!(false)),
        };
        let before = self.behavior(name).and_then(|map| map.insert(setting.name().to_owned(), off.clone()));
        self.note(name, setting, before.map(|before| before.to_string()), Some(off.to_string()));
    }

    /// Removes the older cache settings, which CloudFront does not allow beside a cache policy.
    pub(super) fn take_older_cache_settings(&mut self, name: &BehaviorName) {
        for setting in [Setting::ForwardedValues, Setting::MinTtl, Setting::DefaultTtl, Setting::MaxTtl] {
            let before = self.behavior(name).and_then(|map| map.remove(setting.name()));
            if let Some(before) = before.filter(|before| !before.is_null()) {
                self.note(name, setting, Some(before.to_string()), None);
            }
        }
    }

    /// Sets the allowed methods; and the cached methods, if one of them is no longer allowed.
    pub(super) fn set_methods(&mut self, name: &BehaviorName, behavior: &Behavior, methods: MethodSet) {
        // The default of CloudFront is GET and HEAD.
        let read: Vec<String> = MethodSet::Read.methods().iter().map(|one| (*one).to_owned()).collect();
        let before = behavior.allowed_methods.as_ref();
        let allowed = before.map_or(&read, |one| &one.allowed.0);
        if methods.is(allowed) {
            return;
        }
        let cached = before.map(|one| &one.cached_methods.0).filter(|cached| !cached.is_empty());
        let stays_cached = cached
            .is_some_and(|cached| cached.iter().all(|method| methods.methods().contains(&method.as_str())));
        if let Some(map) = self.behavior(name) {
            let place = map.entry(Setting::AllowedMethods.name()).or_insert(Value::Null);
            if place.is_null() {
                *place = json!({});
            }
            if let Value::Object(place) = place {
                write_counted(place, methods.methods().iter().map(|one| (*one).into()).collect());
                if !stays_cached {
                    write_list(place, Setting::CachedMethods.name(), vec!["GET".into(), "HEAD".into()]);
                }
            }
        }
        let after = methods.methods().join(" ");
        self.note(name, Setting::AllowedMethods, Some(allowed.join(" ")), Some(after));
        if !stays_cached {
            let after = MethodSet::Read.methods().join(" ");
            self.note(name, Setting::CachedMethods, cached.map(|cached| cached.join(" ")), Some(after));
        }
    }

    /// Sets or removes an origin's Origin Access Control. Also removes the legacy identity, which CloudFront does not
    /// allow beside it.
    pub(super) fn set_access_control(&mut self, origin: &Origin, id: &str) {
        let before = origin.origin_access_control_id.as_str();
        if before != id {
            if let Some(map) = self.origin(&origin.id) {
                map.insert(Setting::OriginAccessControlId.name().to_owned(), id.into());
            }
            self.note_origin(origin, Setting::OriginAccessControlId, before, id);
        }
        let identity = origin.s3_origin_config.as_ref().map(|config| config.origin_access_identity.as_str());
        let Some(identity) = identity.filter(|identity| !identity.is_empty()) else { return };
        let map = self.origin(&origin.id).and_then(|map| map.get_mut("S3OriginConfig"));
        if let Some(map) = map.and_then(Value::as_object_mut) {
            map.insert(Setting::OriginAccessIdentity.name().to_owned(), "".into());
        }
        self.note_origin(origin, Setting::OriginAccessIdentity, identity, "");
    }

    /// Rewrites the Lambda functions of a behavior: those of other events, and this one.
    fn lambda(&mut self, name: &BehaviorName, ours: Option<Value>) {
        let Some(map) = self.behavior(name) else { return };
        let list = Setting::LambdaFunctionAssociations.name();
        let items = map.get_mut(list).and_then(|list| list.get_mut("Items")).map(Value::take);
        let items = match items {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let others = items
            .into_iter()
            .filter(|one| one.get("EventType").and_then(Value::as_str) != Some(VIEWER_REQUEST));
        write_list(map, list, others.chain(ours).collect());
    }

    fn behavior(&mut self, name: &BehaviorName) -> Option<&mut Map<String, Value>> {
        match name {
            BehaviorName::Default => self.config.get_mut("DefaultCacheBehavior")?.as_object_mut(),
            BehaviorName::Pattern(pattern) => self.item("CacheBehaviors", "PathPattern", pattern),
        }
    }

    fn origin(&mut self, id: &str) -> Option<&mut Map<String, Value>> {
        self.item("Origins", "Id", id)
    }

    fn item(&mut self, list: &str, member: &str, value: &str) -> Option<&mut Map<String, Value>> {
        let items = self.config.get_mut(list)?.get_mut("Items")?.as_array_mut()?;
        let is = |one: &&mut Value| one.get(member).and_then(Value::as_str) == Some(value);
        items.iter_mut().find(is)?.as_object_mut()
    }

    fn note(&mut self, name: &BehaviorName, setting: Setting, before: Option<String>, after: Option<String>) {
        self.changes.push(Change { place: Place::Behavior(name.clone()), setting, before, after });
    }

    fn note_origin(&mut self, origin: &Origin, setting: Setting, before: &str, after: &str) {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let place = Place::Origin(origin.id.clone());
        self.changes.push(Change { place, setting, before: some(before), after: some(after) });
    }
}

/// Writes one of CloudFront's lists as the AWS CLI does: without `Items` if the list is empty.
fn write_list(map: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    let place = map.entry(name).or_insert(Value::Null);
    match place {
        // Other members stay.
        Value::Object(list) => write_counted(list, items),
        _ => {
            let mut list = Map::new();
            write_counted(&mut list, items);
            *place = list.into();
        }
    }
}

fn write_counted(list: &mut Map<String, Value>, items: Vec<Value>) {
    list.insert("Quantity".to_owned(), items.len().into());
    if items.is_empty() {
        list.remove("Items");
    } else {
        list.insert("Items".to_owned(), items.into());
    }
}
