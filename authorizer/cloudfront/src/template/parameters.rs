//! The values of a template's parameters, as far as CloudFormation checks them before it deploys anything
//! ([AWS: parameters](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html)).
//! `AllowedPattern` is an expression of Java, which is not evaluated here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::TemplateError;

/// Checks each value that is given, and each default that is used.
pub(super) fn check(
    parameters: Option<&Map<String, Value>>,
    values: &BTreeMap<String, String>,
) -> Result<(), TemplateError> {
    if let Some(name) = values.keys().find(|name| !parameters.is_some_and(|all| all.contains_key(*name))) {
        return Err(TemplateError::Unresolved {
            place: "Parameters".to_owned(),
            why: format!("the template has no parameter `{}`", name.escape_debug()),
        });
    }
    for (name, parameter) in parameters.into_iter().flatten() {
        let value = values.get(name).cloned().or_else(|| parameter.get("Default").and_then(text_of));
        if let Some(why) = value.and_then(|value| problem(parameter, &value)) {
            return Err(TemplateError::Unresolved { place: format!("Parameters/{name}"), why });
        }
    }
    Ok(())
}

/// A list has its items as one text, with commas.
pub(super) fn is_list(parameter: &Value) -> bool {
    let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or_default();
    kind == "CommaDelimitedList" || kind.starts_with("List<")
}

/// CloudFormation compares numbers and switches as text.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What is wrong with a value, if anything.
fn problem(parameter: &Value, value: &str) -> Option<String> {
    let kind = parameter.get("Type").and_then(Value::as_str).unwrap_or_default();
    // The value is the name of a parameter of Systems Manager.
    if kind.starts_with("AWS::SSM::") {
        return None;
    }
    let items: Vec<&str> =
        if is_list(parameter) { value.split(',').map(str::trim).collect() } else { vec![value] };
    if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<String> = allowed.iter().filter_map(text_of).collect();
        if let Some(other) = items.iter().find(|item| !allowed.iter().any(|one| one == *item)) {
            let allowed = allowed.join("`, `");
            return Some(format!("the value is `{}`, but must be one of `{allowed}`", other.escape_debug()));
        }
    }
    let limit = |name: &str| parameter.get(name).and_then(text_of)?.parse::<f64>().ok();
    if kind == "Number" || kind == "List<Number>" {
        for item in items {
            // `inf` and `NaN` are numbers of Rust.
            let Some(number) = item.parse::<f64>().ok().filter(|number| number.is_finite()) else {
                return Some(format!("the value is `{}`, but must be a number", item.escape_debug()));
            };
            if limit("MinValue").is_some_and(|least| number < least)
                || limit("MaxValue").is_some_and(|most| number > most)
            {
                return Some(format!(
                    "the value `{}` is not within `MinValue` and `MaxValue`",
                    item.escape_debug()
                ));
            }
        }
        return None;
    }
    // Lists and the types of AWS have no lengths.
    if kind != "String" {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a value has at most 4,096 characters")]
    let length = value.chars().count() as f64;
    let is_outside = limit("MinLength").is_some_and(|least| length < least)
        || limit("MaxLength").is_some_and(|most| length > most);
    let shown = value.escape_debug();
    is_outside.then(|| format!("the length of the value `{shown}` is not within `MinLength` and `MaxLength`"))
}
