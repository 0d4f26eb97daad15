//! Requests as they come, and changes of the policy, as server-sent events.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::State;
use super::file::{ReviewedFile, Stamp};
use super::recorder::Entry;
use super::shown::summary;

/// The most requests that are sent at once. More than that nobody reads.
const BATCH: usize = 250;

/// The time between two batches.
const PAUSE: Duration = Duration::from_millis(200);

/// How often a silent stream says that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often the files of the policy are looked at, while a page is open.
const LOOK: Duration = Duration::from_secs(1);

/// The events for one page, after the request with the number in the query. `None` if there are too many pages.
pub(super) fn stream(state: &Arc<State>, query: Option<&str>) -> Option<mpsc::Receiver<Bytes>> {
    let permit = Arc::clone(&state.streams).try_acquire_owned().ok()?;
    let after = query.and_then(|query| query.strip_prefix("after="));
    let mut seen = after.and_then(|number| number.parse().ok()).unwrap_or(0);
    let (sender, receiver) = mpsc::channel(4);
    let state = Arc::clone(state);
    tokio::spawn(async move {
        let _permit = permit;
        let mut newest = state.recorder.subscribe();
        let mut policy = state.policy_changes.subscribe();
        let mut first = true;
        // What the page has of the policy may be older than the subscription.
        if sender.send(event("policy", &Value::Null)).await.is_err() {
            return;
        }
        loop {
            let (entries, left_out) = state.recorder.after(seen, if first { usize::MAX } else { BATCH });
            if let Some(last) = entries.last() {
                seen = last.seq;
                let Some(requests) = summaries(&state, entries).await else { return };
                let left_out = if first { 0 } else { left_out };
                if sender
                    .send(event("requests", &json!({"requests": requests, "left_out": left_out})))
                    .await
                    .is_err()
                {
                    return;
                }
            } else if first
                && sender.send(event("requests", &json!({"requests": [], "left_out": 0}))).await.is_err()
            {
                return;
            }
            first = false;
            tokio::time::sleep(PAUSE).await;
            let sent = tokio::select! {
                () = sender.closed() => return,
                changed = newest.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                changed = policy.changed() => match changed {
                    Ok(()) => event("policy", &Value::Null),
                    Err(_) => return,
                },
                () = tokio::time::sleep(HEARTBEAT) => Bytes::from_static(b": here\n\n"),
            };
            if sender.send(sent).await.is_err() {
                return;
            }
        }
    });
    Some(receiver)
}

/// The lines of the list, which may take the verification of a token each: beside the threads that serve.
async fn summaries(state: &Arc<State>, entries: Vec<Arc<Entry>>) -> Option<Vec<Value>> {
    let state = Arc::clone(state);
    let work = move || -> Vec<Value> {
        state.decider.with(|authorizer| entries.iter().map(|entry| summary(entry, authorizer)).collect())
    };
    tokio::task::spawn_blocking(work).await.ok()
}

fn event(name: &str, data: &Value) -> Bytes {
    // JSON has no line breaks but escaped ones. Two others are line breaks for JavaScript, and may stand as they are.
    let data = data.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

/// What a page would be told anew: the files of the policy, and the policy that decides.
#[derive(Eq, PartialEq)]
pub(super) struct Seen {
    files: Option<Stamp>,
    deciding: String,
}

impl Seen {
    pub(super) fn look(state: &State) -> Self {
        Self {
            files: state.file.as_ref().map(ReviewedFile::stamp),
            deciding: state.decider.with(|authorizer| authorizer.bundle().sha256().to_owned()),
        }
    }
}

/// Says when that changes.
pub(super) async fn watch(state: Arc<State>, mut seen: Seen) {
    loop {
        tokio::time::sleep(LOOK).await;
        if state.policy_changes.receiver_count() == 0 {
            continue;
        }
        let looker = Arc::clone(&state);
        let Ok(now) = tokio::task::spawn_blocking(move || Seen::look(&looker)).await else { return };
        if now != seen {
            seen = now;
            state.policy_changes.send_modify(|count| *count = count.wrapping_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_two_lines_whatever_its_texts_are() {
        let data = json!({"key": "a\u{2028}b\u{2029}c\nd\re\u{85}"});
        let sent = event("requests", &data);
        let sent = std::str::from_utf8(&sent).unwrap();
        let line = sent.strip_prefix("event: requests\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        assert!(!line.contains(['\n', '\r', '\u{2028}', '\u{2029}']), "{line}");
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), data);
    }
}
