//! What the page asks for. Who may ask is decided before (`guard`).

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::State;
use super::asked::Asked;
use super::file;
use super::shown;

type Refused = (StatusCode, String);

/// The body of a save.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Save {
    asked: Asked,
    #[serde(default)]
    name: String,
}

/// The body of an invalidation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Invalidation {
    paths: Vec<String>,
}

/// The body of a replay.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    seq: u64,
}

/// The answer to one request.
pub(super) async fn answer(
    state: &Arc<State>,
    method: &Method,
    path: &str,
    body: Bytes,
) -> Result<Value, Refused> {
    match (method, path) {
        (&Method::GET, "state") => Ok(start(state)),
        (&Method::GET, "policy") => blocking(state, |state| Ok(policy(state))).await,
        (&Method::GET, "review") => blocking(state, |state| Ok(review(state))).await,
        (&Method::GET, _) => match path.strip_prefix("requests/").and_then(|seq| seq.parse().ok()) {
            Some(seq) => blocking(state, move |state| detail(state, seq)).await,
            None => Err(nothing()),
        },
        (&Method::POST, "try") => {
            let asked: Asked = read(&body)?;
            blocking(state, move |state| {
                state.decider.with(|authorizer| asked.tried(authorizer)).map_err(unusable)
            })
            .await
        }
        (&Method::POST, "send") => {
            let asked: Asked = read(&body)?;
            let request = blocking(state, move |state| {
                state
                    .decider
                    .with(|authorizer| state.sender.request(&asked, authorizer.bundle().policy()))
                    .map_err(unusable)
            })
            .await?;
            state.sender.send(request).await.map_err(unusable)
        }
        (&Method::POST, "curl") => {
            let asked: Asked = read(&body)?;
            let curl =
                state.decider.with(|authorizer| state.sender.curl(&asked, authorizer.bundle().policy()));
            curl.map(|text| json!({"text": text})).map_err(unusable)
        }
        (&Method::POST, "save") => {
            let Save { asked, name } = read(&body)?;
            blocking(state, move |state| {
                let Some(saver) = &state.saver else {
                    return Err(unusable("a package has no tests file: start `serve` with `--policy`"));
                };
                state.decider.with(|authorizer| saver.save(&asked, &name, authorizer)).map_err(unusable)
            })
            .await
        }
        (&Method::POST, "invalidate") => {
            let Invalidation { paths } = read(&body)?;
            let Some(invalidator) = &state.invalidator else {
                return Err(unusable("nothing is cached: start `serve` with `--distribution`"));
            };
            if let Some(path) = paths.iter().find(|path| !path.starts_with('/')) {
                return Err(unusable(format!("`{}` does not begin with `/`", path.escape_debug())));
            }
            let removed =
                paths.iter().map(|path| invalidator.invalidate(path)).fold(0, usize::saturating_add);
            Ok(json!({"removed": removed}))
        }
        (&Method::POST, "replay") => {
            let Replay { seq } = read(&body)?;
            blocking(state, move |state| detail(state, seq)).await
        }
        _ => Err(nothing()),
    }
}

fn nothing() -> Refused {
    (StatusCode::NOT_FOUND, "this is no longer here".to_owned())
}

fn unusable(error: impl std::fmt::Display) -> Refused {
    (StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(unusable)
}

/// Work that reads files or takes long, beside the threads that serve.
async fn blocking<T: Send + 'static>(
    state: &Arc<State>,
    work: impl FnOnce(&State) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let state = Arc::clone(state);
    let done = tokio::task::spawn_blocking(move || work(&state)).await;
    done.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
}

/// What the page needs at its start.
fn start(state: &State) -> Value {
    let issuers: Vec<Value> = state.decider.with(|authorizer| {
        let issuers = authorizer.bundle().policy().issuers().iter();
        let one = |issuer: &authorizer_core::token::Issuer| {
            json!({"name": issuer.name(), "has_key": state.sender.signer.key_for(issuer).is_some()})
        };
        issuers.map(one).collect()
    });
    json!({
        "version": 1,
        "base": state.sender.base,
        "decided_by": state.decided_by,
        "policy": state.file.as_ref().map(|file| file.path.to_string_lossy()),
        "tests": state.saver.as_ref().map(|saver| saver.path.to_string_lossy()),
        "issuers": issuers,
    })
}

/// A request and what the policy as it is makes of it.
fn detail(state: &State, seq: u64) -> Result<Value, Refused> {
    let entry = state.recorder.get(seq).ok_or_else(nothing)?;
    Ok(state.decider.with(|authorizer| shown::detail(&entry, authorizer)))
}

fn policy(state: &State) -> Value {
    let deciding = state.decider.with(|authorizer| authorizer.bundle().sha256().to_owned());
    let mut shown = match &state.file {
        Some(file) => file.shown(),
        None => json!({"text": null, "errors": [], "warnings": [], "rules": null}),
    };
    if let Some(members) = shown.as_object_mut() {
        members.insert("deciding".into(), deciding.into());
    }
    shown
}

fn review(state: &State) -> Value {
    match &state.file {
        Some(file) => (*file.reviewed()).clone(),
        None => {
            // The policy of a package does not change.
            let rows = state.package_rows.get_or_init(|| state.decider.with(file::rows));
            json!({"findings": null, "matrix": rows})
        }
    }
}
