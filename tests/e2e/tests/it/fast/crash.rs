//! `serve` is killed while it is written to: nothing that it acknowledged is lost, and nothing is half there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use authorizer_e2e::served::{DEADLINE, Served};
use authorizer_e2e::viewer::Viewer;
use rustix::process::{Pid, Signal, kill_process};

/// How many clients write at once, how many uploads are acknowledged before the end, and how often there is one.
const CLIENTS: usize = 8;
const ACKNOWLEDGED: usize = 60;
const ROUNDS: usize = 3;

/// A body that says which upload of which key it is, and is whole only with its last byte. Some are larger than what
/// is held in memory.
fn body(key: &str, upload: usize) -> String {
    let length = if upload.is_multiple_of(5) { 400_000 } else { 2_000 };
    format!("{key} {upload} {}.", "x".repeat(length))
}

/// What is known of a key: the last upload that was acknowledged, and the one that was under way.
type Known = HashMap<String, (Option<usize>, usize)>;

/// Writes until the server ends. Each client has keys of its own, and writes each of them again and again.
async fn write(
    viewer: Viewer,
    bearer: String,
    client: usize,
    known: Arc<Mutex<Known>>,
    count: Arc<AtomicUsize>,
) {
    for upload in 0.. {
        let key = format!("users/alice/{client}/{}", upload % 3);
        let number = {
            let mut known = known.lock().unwrap();
            let of_key = known.entry(key.clone()).or_default();
            of_key.1 += 1;
            of_key.1
        };
        let (viewer, bearer) = (viewer.clone(), bearer.clone());
        let (path, body) = (format!("/{key}"), body(&key, number));
        let put = tokio::spawn(async move {
            viewer.ask("PUT", &path, &[("authorization", &bearer)], &body).await.status
        });
        // The viewer fails when the server is gone.
        let Ok(status) = put.await else { return };
        assert_eq!(status, 200, "{key}");
        known.lock().unwrap().get_mut(&key).unwrap().0 = Some(number);
        count.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_kill_under_load_every_acknowledged_object_is_there_and_whole() {
    let folder = tempfile::tempdir().unwrap();
    let known: Arc<Mutex<Known>> = Arc::default();
    for round in 0..ROUNDS {
        let served = Served::sample_in(folder.path());
        let (bearer, count) = (served.bearer("alice"), Arc::new(AtomicUsize::new(0)));
        let mut clients = tokio::task::JoinSet::new();
        for client in 0..CLIENTS {
            let (viewer, bearer) = (served.viewer.clone(), bearer.clone());
            clients.spawn(write(viewer, bearer, client, Arc::clone(&known), Arc::clone(&count)));
        }
        let enough = async {
            while count.load(Ordering::Relaxed) < ACKNOWLEDGED {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, enough).await.unwrap();
        let pid = Pid::from_raw(served.pid().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
        clients.join_all().await;
        drop(served);

        let served = Served::sample_in(folder.path());
        let bearer = served.bearer("alice");
        let headers = [("authorization", bearer.as_str())];
        let mut there = 0;
        let state = known.lock().unwrap().clone();
        for (key, (acknowledged, begun)) in &state {
            let answer = served.viewer.ask("GET", &format!("/{key}"), &headers, "").await;
            if acknowledged.is_none() && answer.status == 404 {
                continue;
            }
            assert_eq!(answer.status, 200, "round {round}: {key} was acknowledged");
            // The one that was under way may have been written without an answer.
            let from = acknowledged.unwrap_or(1);
            let which = (from..=*begun).find(|upload| answer.body == body(key, *upload));
            assert!(which.is_some(), "round {round}: {key} is none of its uploads {from} to {begun}");
            known.lock().unwrap().get_mut(key).unwrap().0 = which;
            there += 1;
        }
        let list = "/?list-type=2&prefix=users/alice/";
        let list = served.viewer.ask("GET", list, &headers, "").await;
        assert_eq!(list.body.matches("<Key>").count(), there, "round {round}: {}", list.body);
        let incoming = std::fs::read_dir(served.bucket().join("incoming")).unwrap().count();
        assert_eq!(incoming, 0, "round {round}: what was arriving is swept");
    }
}
