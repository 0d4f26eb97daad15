//! The processes of the function: each runs one invocation at a time, and there are as many as run at once, up to a limit.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, sleep_until};

use super::process::{NotIdle, Process};
use crate::invocation::over_memory;

/// How long a request waits for a process that has answered and is about to ask for its next event, before it gets a new
/// one.
const ABOUT_TO_ASK: Duration = Duration::from_millis(100);

/// How often idle processes are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// All processes.
#[derive(Debug)]
pub(super) struct Pool {
    limit: usize,
    idle_limit: Duration,
    places: Arc<Semaphore>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The one that was used last is used next.
    idle: Vec<(Instant, Live)>,
    /// How many have answered, and did not yet ask for their next event.
    settling: usize,
    pids: Vec<u32>,
}

/// A process that runs, in its place.
#[derive(Debug)]
pub(super) struct Live {
    process: Box<Process>,
    _place: Place,
}

/// The right to have one process.
#[derive(Debug)]
pub(super) struct Place {
    /// Weak, because the pool has those that wait.
    pool: Weak<Pool>,
    pid: Option<u32>,
    _permit: OwnedSemaphorePermit,
}

/// Where an invocation can run.
#[derive(Debug)]
pub(super) enum Turn {
    Warm(Live),
    Cold(Place),
    /// The limit is reached.
    Throttled(usize),
}

impl Pool {
    pub(super) fn new(limit: usize, idle_limit: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            idle_limit,
            places: Arc::new(Semaphore::new(limit)),
            state: Mutex::default(),
            changed: Notify::new(),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.with(|state| state.pids.clone())
    }

    /// A process that waits, or else the place for a new one.
    pub(super) async fn turn(self: &Arc<Self>) -> Turn {
        let now = tokio::time::Instant::now();
        let patience = now.checked_add(ABOUT_TO_ASK).unwrap_or(now);
        let mut is_patient = true;
        loop {
            // Made before the look, so that no change in between is missed.
            let changed = self.changed.notified();
            let (idle, settling) = self.with(|state| (state.idle.pop(), state.settling));
            if let Some((_, mut live)) = idle {
                match live.process.still_idle() {
                    Ok(()) => return Turn::Warm(live),
                    Err(why) => live.end(&why),
                }
                continue;
            }
            if settling == 0 || !is_patient {
                break;
            }
            tokio::select! {
                () = changed => {}
                () = sleep_until(patience) => is_patient = false,
            }
        }
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(permit) => Turn::Cold(Place { pool: Arc::downgrade(self), pid: None, _permit: permit }),
            Err(_) => Turn::Throttled(self.limit),
        }
    }

    /// From now on, a request may wait for this process.
    pub(super) fn settling(self: &Arc<Self>, live: Live) -> Settling {
        self.with(|state| state.settling = state.settling.saturating_add(1));
        Settling { pool: Arc::clone(self), live: Some(live) }
    }

    /// Looks at the processes that wait, for as long as there is something to look at.
    pub(super) async fn watch(self: Arc<Self>) {
        loop {
            sleep(LOOK.min(self.idle_limit)).await;
            let idle_limit = self.idle_limit;
            let (ended, old) = self.with(|state| {
                let (mut ended, mut old) = (Vec::new(), Vec::new());
                for (since, mut live) in std::mem::take(&mut state.idle) {
                    match live.process.still_idle() {
                        Err(why) => ended.push((live, why)),
                        Ok(()) if since.elapsed() >= idle_limit => old.push(live),
                        Ok(()) => state.idle.push((since, live)),
                    }
                }
                (ended, old)
            });
            ended.into_iter().for_each(|(live, why)| live.end(&why));
            drop(old);
        }
    }
}

impl Place {
    /// Puts a process that has started into its place.
    pub(super) fn take(mut self, process: Process) -> Live {
        let pid = process.pid();
        if let Some(pool) = self.pool.upgrade() {
            pool.with(|state| state.pids.push(pid));
        }
        self.pid = Some(pid);
        Live { process: Box::new(process), _place: self }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let (Some(pid), Some(pool)) = (self.pid, self.pool.upgrade()) {
            pool.with(|state| state.pids.retain(|one| *one != pid));
        }
    }
}

impl Live {
    pub(super) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends it, and tells the log why.
    fn end(self, why: &NotIdle) {
        match why {
            NotIdle::Ended(cause) => {
                self.process.say(&format!("the function ended between two requests: {cause}"))
            }
            NotIdle::InitFailed(cause) => {
                self.process.say(&format!("the function reported that it cannot start: {cause}"));
            }
            NotIdle::TooSlow => self.process.say(
                "the function did not request its next event in time after its answer: its process is ended",
            ),
            NotIdle::OutOfMemory(used) => {
                self.process.say(&format!("after its answer, the function {}", over_memory(*used)));
            }
        }
    }
}

/// A process that has answered.
#[derive(Debug)]
pub(super) struct Settling {
    pool: Arc<Pool>,
    live: Option<Live>,
}

impl Settling {
    /// Waits until it asks for its next event, as long as the invocation may still take.
    pub(super) async fn settle(mut self, left: Duration) {
        let Some(live) = &mut self.live else { return };
        let settled = live.process.idle(left).await;
        let Some(live) = self.live.take() else { return };
        match settled {
            Ok(()) => self.pool.with(|state| state.idle.push((Instant::now(), live))),
            Err(why) => live.end(&why),
        }
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        self.live = None;
        self.pool.with(|state| state.settling = state.settling.saturating_sub(1));
        self.pool.changed.notify_waiters();
    }
}
