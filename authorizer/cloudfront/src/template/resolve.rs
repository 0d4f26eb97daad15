//! CloudFormation's references and functions, as far as a template alone answers them
//! ([AWS: intrinsic functions](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html)).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{TemplateError, parameters};

/// How deep values, conditions and what they refer to may lie in one another.
const MAX_DEPTH: usize = 64;

/// How much is resolved: values, and text in eights of bytes. CloudFormation takes templates of at most 1 MB, but one that
/// uses a value twice, that one another twice, and so on, has no end that anyone would see.
const MAX_WORK: usize = 1_000_000;

/// What a template knows of where it is deployed. Nothing that is served depends on it.
const PSEUDO_PARAMETERS: [(&str, &str); 6] = [
    ("AWS::AccountId", "111122223333"),
    ("AWS::Partition", "aws"),
    ("AWS::Region", "us-east-1"),
    ("AWS::StackId", "arn:aws:cloudformation:us-east-1:111122223333:stack/local/1"),
    ("AWS::StackName", "local"),
    ("AWS::URLSuffix", "amazonaws.com"),
];

/// Members of which only matters whether they are there. What in them cannot be resolved gets a name that stands for it.
const WITHOUT_VALUE: [&str; 11] = [
    "LambdaFunctionARN",
    "FunctionARN",
    "AcmCertificateArn",
    "IamCertificateId",
    "WebACLId",
    "Comment",
    "Logging",
    "RealtimeLogConfigArn",
    "OriginAccessControlId",
    "OriginAccessIdentity",
    "Name",
];

pub(super) struct Resolver<'t> {
    parameters: Option<&'t Map<String, Value>>,
    conditions: Option<&'t Map<String, Value>>,
    mappings: Option<&'t Map<String, Value>>,
    resources: &'t Map<String, Value>,
    values: &'t BTreeMap<String, String>,
    /// The names that buckets get of their logical ids, with these.
    buckets: BTreeMap<String, Vec<&'t str>>,
    /// What is left of [`MAX_WORK`].
    work: Cell<usize>,
    /// The conditions that are decided.
    decided: RefCell<BTreeMap<String, bool>>,
    /// The conditions that are being decided, each because of the one before.
    deciding: RefCell<Vec<String>>,
}

/// A value; `None` if it is `AWS::NoValue`.
type Resolved = Result<Option<Value>, String>;

impl<'t> Resolver<'t> {
    pub(super) fn new(
        document: &'t Value,
        resources: &'t Map<String, Value>,
        values: &'t BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let section = |name: &str| document.get(name).and_then(Value::as_object);
        let parameters = section("Parameters");
        parameters::check(parameters, values)?;
        let mut buckets: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (id, resource) in resources {
            if is_bucket(resource) {
                let name = resource.get("Properties").and_then(|properties| properties.get("BucketName"));
                let name = name.and_then(Value::as_str).map_or_else(|| bucket_of(id), str::to_owned);
                buckets.entry(name).or_default().push(id);
            }
        }
        Ok(Self {
            buckets,
            work: Cell::new(MAX_WORK),
            decided: RefCell::default(),
            deciding: RefCell::default(),
            parameters,
            conditions: section("Conditions"),
            mappings: section("Mappings"),
            resources,
            values,
        })
    }

    /// The resources of a type that the conditions let be.
    pub(super) fn resources_of(&self, kind: &str) -> Result<Vec<(&'t String, &'t Value)>, TemplateError> {
        let mut found = Vec::new();
        for (id, resource) in self.resources {
            if resource.get("Type").and_then(Value::as_str) != Some(kind) {
                continue;
            }
            let is_there = match resource.get("Condition").and_then(Value::as_str) {
                Some(condition) => self.condition(condition, 0).map_err(|why| at(id, why))?,
                None => true,
            };
            if is_there {
                found.push((id, resource));
            }
        }
        Ok(found)
    }

    /// The properties of a resource.
    pub(super) fn properties(&self, id: &str) -> Result<Map<String, Value>, TemplateError> {
        let properties = self.resources.get(id).and_then(|resource| resource.get("Properties"));
        let Some(properties) = properties else { return Ok(Map::new()) };
        match self.resolve(properties, id, 0)? {
            Some(Value::Object(properties)) => Ok(properties),
            Some(_) | None => Ok(Map::new()),
        }
    }

    /// Counts what is resolved.
    fn spend(&self, work: usize) -> Result<(), String> {
        match self.work.get().checked_sub(work.max(1)) {
            Some(left) => {
                self.work.set(left);
                Ok(())
            }
            None => {
                self.work.set(0);
                Err("the template uses its values in one another too often: give one of them a parameter of its own"
                    .to_owned())
            }
        }
    }

    /// Resolves all of a value. `place` says where it is.
    fn resolve(&self, value: &Value, place: &str, depth: usize) -> Result<Option<Value>, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(at(place, "too deep".to_owned()));
        }
        self.spend(1).map_err(|why| at(place, why))?;
        match value {
            Value::Array(items) => {
                let mut resolved = Vec::new();
                for (n, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{place}/{n}"), depth.saturating_add(1))?);
                }
                Ok(Some(Value::Array(resolved)))
            }
            Value::Object(members) => match function(members) {
                Some((name, argument)) => {
                    // A branch is resolved with its members, not as one value: a mistake in it has its own place.
                    if name == "Fn::If" {
                        let branch = self.branch(argument, depth).map_err(|why| at(place, why))?;
                        return self.resolve(branch, place, depth.saturating_add(1));
                    }
                    let result = self.call(name, argument, depth);
                    let result = result.and_then(|result| {
                        self.spend(result.as_ref().map_or(0, weight))?;
                        Ok(result)
                    });
                    result.map_err(|why| at(place, why))
                }
                None => {
                    let mut resolved = Map::new();
                    for (name, member) in members {
                        let place = format!("{place}/{name}");
                        if name == "Aliases" {
                            let names = self.aliases(member, depth.saturating_add(1));
                            resolved.insert(name.clone(), Value::Array(names));
                            continue;
                        }
                        let value = match self.resolve(member, &place, depth.saturating_add(1)) {
                            // Two functions must not seem to be one.
                            Err(_) if name == "LambdaFunctionARN" => {
                                Some(Value::String(format!("unresolved {member}")))
                            }
                            Err(_) if WITHOUT_VALUE.contains(&name.as_str()) => {
                                Some(Value::String("unresolved".to_owned()))
                            }
                            other => other?,
                        };
                        resolved.extend(value.map(|value| (name.clone(), value)));
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.spend(weight(value)).map_err(|why| at(place, why))?;
                Ok(Some(value.clone()))
            }
        }
    }

    /// The alternate domain names that the template alone says. Nothing that is served depends on the others.
    fn aliases(&self, value: &Value, depth: usize) -> Vec<Value> {
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let below = |value| self.aliases(value, depth.saturating_add(1));
        match value {
            Value::String(_) => vec![value.clone()],
            Value::Array(items) => items.iter().flat_map(below).collect(),
            Value::Object(members) => match function(members) {
                Some(("Fn::If", argument)) => self.branch(argument, depth).map(below).unwrap_or_default(),
                Some((name, argument)) => match self.call(name, argument, depth) {
                    Ok(Some(Value::String(text))) => vec![Value::String(text)],
                    Ok(Some(Value::Array(items))) => items.into_iter().filter(Value::is_string).collect(),
                    Ok(_) | Err(_) => Vec::new(),
                },
                // With a count, as an export has it.
                None => members.get("Items").map(below).unwrap_or_default(),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        }
    }

    /// Resolves an argument of a function.
    fn argument(&self, value: &Value, depth: usize) -> Resolved {
        self.resolve(value, "", depth.saturating_add(1)).map_err(|error| match error {
            TemplateError::Unresolved { why, .. } => why,
            other => other.to_string(),
        })
    }

    fn text(&self, value: &Value, depth: usize) -> Result<String, String> {
        match self.argument(value, depth)? {
            Some(Value::String(text)) => Ok(text),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(Value::Bool(on)) => Ok(on.to_string()),
            Some(other) => Err(format!("a text is expected, not {}", short(&other))),
            None => Err("a text is expected, not `AWS::NoValue`".to_owned()),
        }
    }

    fn list(&self, value: &Value, depth: usize) -> Result<Vec<Value>, String> {
        match self.argument(value, depth)? {
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(format!("a list is expected, not {}", short(&other))),
            None => Ok(Vec::new()),
        }
    }

    fn call(&self, name: &str, argument: &Value, depth: usize) -> Resolved {
        let several = |count: usize| {
            argument
                .as_array()
                .filter(|all| all.len() == count)
                .ok_or_else(|| format!("`{name}` is not valid"))
        };
        match name {
            "Ref" => self.reference(argument.as_str().unwrap_or_default(), depth),
            "Fn::GetAtt" => {
                let whole;
                let (id, attribute) = match argument {
                    Value::String(text) => text.split_once('.').ok_or("`Fn::GetAtt` is not valid")?,
                    Value::Array(parts) => {
                        whole = parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".");
                        whole.split_once('.').ok_or("`Fn::GetAtt` is not valid")?
                    }
                    _ => return Err("`Fn::GetAtt` is not valid".to_owned()),
                };
                self.attribute(id, attribute, depth).map(|text| Some(Value::String(text)))
            }
            "Fn::Sub" => self.substitute(argument, depth).map(|text| Some(Value::String(text))),
            "Fn::Join" => {
                let [separator, items] = several(2)?.as_slice() else { return Ok(None) };
                let separator = self.text(separator, depth)?;
                let mut texts = Vec::new();
                for item in self.list(items, depth)? {
                    texts.push(self.text(&item, depth)?);
                }
                self.spend(eights(separator.len().saturating_mul(texts.len())))?;
                Ok(Some(Value::String(texts.join(&separator))))
            }
            "Fn::Split" => {
                let [separator, text] = several(2)?.as_slice() else { return Ok(None) };
                let (separator, text) = (self.text(separator, depth)?, self.text(text, depth)?);
                Ok(Some(text.split(separator.as_str()).map(|part| Value::String(part.to_owned())).collect()))
            }
            "Fn::Select" => {
                let [index, items] = several(2)?.as_slice() else { return Ok(None) };
                let index: usize =
                    self.text(index, depth)?.parse().map_err(|_| "`Fn::Select` is not valid")?;
                let items = self.list(items, depth)?;
                items
                    .get(index)
                    .cloned()
                    .map(Some)
                    .ok_or_else(|| format!("`Fn::Select`: there is no item {index}"))
            }
            "Fn::FindInMap" => {
                let keys = argument.as_array().filter(|keys| keys.len() >= 3);
                let [map, first, second, ..] = keys.map(Vec::as_slice).unwrap_or_default() else {
                    return Err("`Fn::FindInMap` is not valid".to_owned());
                };
                let path = [self.text(map, depth)?, self.text(first, depth)?, self.text(second, depth)?];
                let [map, first, second] = &path;
                let found = self.mappings.and_then(|all| all.get(map)?.get(first)?.get(second)).cloned();
                found.map(Some).ok_or_else(|| format!("the mappings have no `{}`", path.join("/")))
            }
            "Fn::If" => {
                let branch = self.branch(argument, depth)?;
                self.argument(branch, depth)
            }
            "Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not" | "Condition" => {
                self.decide(name, argument, depth).map(|is| Some(Value::Bool(is)))
            }
            other => Err(format!("`{other}` is known only to CloudFormation")),
        }
    }

    fn branch<'v>(&self, argument: &'v Value, depth: usize) -> Result<&'v Value, String> {
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        let [condition, yes, no] = parts else { return Err("`Fn::If` is not valid".to_owned()) };
        let condition = condition.as_str().ok_or("`Fn::If` is not valid")?;
        Ok(if self.condition(condition, depth)? { yes } else { no })
    }

    fn condition(&self, name: &str, depth: usize) -> Result<bool, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the condition `{name}` is too deep"));
        }
        if let Some(decided) = self.decided.borrow().get(name) {
            return Ok(*decided);
        }
        let cycle = self.deciding.borrow().iter().position(|one| one == name);
        if let Some(start) = cycle {
            let deciding = self.deciding.borrow();
            let names: Vec<&str> = deciding.iter().skip(start).map(String::as_str).chain([name]).collect();
            return Err(format!("the conditions refer to one another without end: {}", names.join(" > ")));
        }
        self.spend(1)?;
        self.deciding.borrow_mut().push(name.to_owned());
        let decided = self.decide_named(name, depth);
        self.deciding.borrow_mut().pop();
        if let Ok(is) = decided {
            self.decided.borrow_mut().insert(name.to_owned(), is);
        }
        decided
    }

    fn decide_named(&self, name: &str, depth: usize) -> Result<bool, String> {
        let condition = self.conditions.and_then(|all| all.get(name));
        let condition = condition.ok_or_else(|| format!("the template has no condition `{name}`"))?;
        let condition = condition.as_object().and_then(function);
        let (function, argument) = condition.ok_or_else(|| format!("the condition `{name}` is not valid"))?;
        self.decide(function, argument, depth.saturating_add(1))
    }

    fn decide(&self, name: &str, argument: &Value, depth: usize) -> Result<bool, String> {
        match (name, argument.as_array().map(Vec::as_slice)) {
            ("Condition", _) => self.condition(argument.as_str().unwrap_or_default(), depth),
            ("Fn::Equals", Some([a, b])) => Ok(self.argument(a, depth)? == self.argument(b, depth)?),
            ("Fn::Not", Some([one])) => Ok(!self.truth(one, depth.saturating_add(1))?),
            ("Fn::And" | "Fn::Or", Some(all)) => {
                // The first one that is false, or true, decides.
                let decides = name == "Fn::Or";
                for one in all {
                    if self.truth(one, depth.saturating_add(1))? == decides {
                        return Ok(decides);
                    }
                }
                Ok(!decides)
            }
            _ => Err(format!("`{name}` is not a condition")),
        }
    }

    fn truth(&self, value: &Value, depth: usize) -> Result<bool, String> {
        if depth > MAX_DEPTH {
            return Err("a condition is too deep".to_owned());
        }
        self.spend(1)?;
        let (name, argument) = value.as_object().and_then(function).ok_or("a condition is not valid")?;
        self.decide(name, argument, depth)
    }

    fn reference(&self, name: &str, depth: usize) -> Resolved {
        if name == "AWS::NoValue" {
            return Ok(None);
        }
        if let Some((_, value)) = PSEUDO_PARAMETERS.iter().find(|(pseudo, _)| *pseudo == name) {
            return Ok(Some(Value::String((*value).to_owned())));
        }
        if let Some(parameter) = self.parameters.and_then(|all| all.get(name)) {
            let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or_default();
            if kind.starts_with("AWS::SSM::Parameter::Value") && !self.values.contains_key(name) {
                return Err(format!("the value of the parameter `{name}` is in AWS"));
            }
            let given = self.values.get(name).map(|value| Value::String(value.clone()));
            let value = given.or_else(|| parameter.get("Default").cloned());
            let value = value.ok_or_else(|| format!("the parameter `{name}` has no default"))?;
            return Ok(Some(match value {
                // Of an empty text, CloudFormation makes a list with one empty text.
                Value::String(text) if parameters::is_list(parameter) => {
                    text.split(',').map(|item| Value::String(item.trim().to_owned())).collect()
                }
                // Of a number, CloudFormation makes a text.
                Value::Number(number) => Value::String(number.to_string()),
                Value::Bool(on) => Value::String(on.to_string()),
                other => other,
            }));
        }
        match self.resources.get(name) {
            // The name of a bucket; for everything else, what stands for it.
            Some(resource) if is_bucket(resource) => {
                Ok(Some(Value::String(self.bucket(name, resource, depth)?)))
            }
            Some(_) => Ok(Some(Value::String(name.to_owned()))),
            None => Err(format!("`{name}` is neither a parameter nor a resource")),
        }
    }

    fn attribute(&self, id: &str, attribute: &str, depth: usize) -> Result<String, String> {
        let resource = self.resources.get(id).ok_or_else(|| format!("`{id}` is not a resource"))?;
        if is_bucket(resource) {
            let bucket = self.bucket(id, resource, depth)?;
            match attribute {
                "RegionalDomainName" => return Ok(format!("{bucket}.s3.us-east-1.amazonaws.com")),
                "DomainName" => return Ok(format!("{bucket}.s3.amazonaws.com")),
                "DualStackDomainName" => return Ok(format!("{bucket}.s3.dualstack.us-east-1.amazonaws.com")),
                "Arn" => return Ok(format!("arn:aws:s3:::{bucket}")),
                _ => {}
            }
        }
        // The id of a policy or an access control is what `Ref` gives.
        Ok(if attribute == "Id" { id.to_owned() } else { format!("{id}.{attribute}") })
    }

    /// The bucket's name, or one that its logical id gives it.
    fn bucket(&self, id: &str, resource: &Value, depth: usize) -> Result<String, String> {
        let named = resource.get("Properties").and_then(|properties| properties.get("BucketName"));
        let named = named.and_then(|name| self.text(name, depth).ok());
        let name = named.unwrap_or_else(|| bucket_of(id));
        match self.buckets.get(&name).map(Vec::as_slice) {
            Some([first, second, ..]) => Err(format!(
                "the buckets `{first}` and `{second}` would both be `{name}` here: give one of them a `BucketName`"
            )),
            _ => Ok(name),
        }
    }

    /// Whether each bucket keeps versions, by its name.
    pub(super) fn versions(&self) -> BTreeMap<String, bool> {
        let is_there = |resource: &Value| match resource.get("Condition").and_then(Value::as_str) {
            Some(condition) => self.condition(condition, 0).unwrap_or(true),
            None => true,
        };
        let buckets = self.resources.iter().filter(|(_, resource)| is_bucket(resource) && is_there(resource));
        buckets
            .filter_map(|(id, resource)| {
                let written = resource.pointer("/Properties/VersioningConfiguration").unwrap_or(&Value::Null);
                // What cannot be resolved says nothing. It is an error only in what is served.
                let said = self.resolve(written, id, 0).ok()?;
                let status = said.as_ref().and_then(|said| said.get("Status")).and_then(Value::as_str);
                Some((self.bucket(id, resource, 0).ok()?, status == Some("Enabled")))
            })
            .collect()
    }

    /// `Fn::Sub`: a text with `${Name}`, `${Resource.Attribute}` and `${!literal}`.
    fn substitute(&self, argument: &Value, depth: usize) -> Result<String, String> {
        let (text, own) = match argument {
            Value::String(text) => (text.as_str(), None),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(text), Value::Object(own)] => (text.as_str(), Some(own)),
                _ => return Err("`Fn::Sub` is not valid".to_owned()),
            },
            _ => return Err("`Fn::Sub` is not valid".to_owned()),
        };
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or("`Fn::Sub` has a `${` without its `}`")?;
            result.push_str(before);
            match (name.strip_prefix('!'), own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(literal), _, _) => {
                    result.push_str("${");
                    result.push_str(literal);
                    result.push('}');
                }
                (None, Some(value), _) => {
                    let value = self.text(value, depth)?;
                    self.spend(eights(value.len()))?;
                    result.push_str(&value);
                }
                (None, None, Some((id, attribute))) => {
                    let value = self.attribute(id, attribute, depth)?;
                    self.spend(eights(value.len()))?;
                    result.push_str(&value);
                }
                (None, None, None) => match self.reference(name.trim(), depth)? {
                    Some(Value::String(value)) => {
                        self.spend(eights(value.len()))?;
                        result.push_str(&value);
                    }
                    Some(other) => return Err(format!("`{name}` is not a text, but {}", short(&other))),
                    None => return Err(format!("`{name}` is not a text")),
                },
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// The function of an object that is one.
fn function(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut all = members.iter();
    let (name, argument) = all.next()?;
    let is_function =
        name == "Ref" || name.starts_with("Fn::") || (name == "Condition" && argument.is_string());
    (is_function && all.next().is_none()).then_some((name.as_str(), argument))
}

/// The name that a bucket gets of its logical id.
fn bucket_of(id: &str) -> String {
    let letters: String = id.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
    // A bucket has three characters at least.
    format!("{:-<3}", letters.to_ascii_lowercase()).replace('-', "0")
}

/// Bytes of text as work.
fn eights(bytes: usize) -> usize {
    bytes.div_euclid(8)
}

/// A value as work.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => eights(text.len()).saturating_add(1),
        Value::Array(items) => items.iter().map(weight).fold(1, usize::saturating_add),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| eights(name.len()).saturating_add(weight(value)))
            .fold(1, usize::saturating_add),
    }
}

fn is_bucket(resource: &Value) -> bool {
    resource.get("Type").and_then(Value::as_str) == Some("AWS::S3::Bucket")
}

fn at(place: &str, why: String) -> TemplateError {
    TemplateError::Unresolved { place: place.to_owned(), why }
}

fn short(value: &Value) -> &'static str {
    match value {
        Value::Null => "`null`",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
