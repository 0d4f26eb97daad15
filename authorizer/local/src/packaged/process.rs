//! One process of the function, from its start to its end.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{interval_at, sleep, timeout};

use super::group::Group;
use super::meter::Meter;
use super::output::{Listener, Sink, Stream};
use super::runtime::Launch;
use crate::invocation::{FunctionError, Invocation, over_memory};
use crate::runtime_api::{Answer, Phase, RuntimeApi, Work};
use crate::usage::{ColdStart, Usage};

/// Lambda's time limit for the start of a function.
pub(crate) const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for a decision line after its result, and after the process has asked for its next event: the line is
/// still in a pipe.
const RECORD_GRACE: Duration = Duration::from_millis(250);
const RECORD_IN_PIPE: Duration = Duration::from_millis(20);

/// How long to read the last lines of a process that has ended.
const TAIL_GRACE: Duration = Duration::from_secs(1);

/// The pause before another try: a new file cannot be run for a moment, while another thread's child has it open.
const BUSY_RETRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// How often the memory is looked at while the function works. The peak between two looks is not missed.
const MEMORY_LOOK: Duration = Duration::from_millis(20);

/// A process that has requested its first event.
#[derive(Debug)]
pub(crate) struct Process {
    /// Dropped first: the process ends with its group.
    _group: Group,
    child: Child,
    pid: u32,
    api: RuntimeApi,
    records: mpsc::Receiver<Value>,
    sink: Sink,
    readers: JoinSet<()>,
    meter: Meter,
    /// Until its first invocation.
    cold_start: Option<ColdStart>,
}

impl Process {
    /// Starts the function and waits for its first `/next`.
    pub(crate) async fn start(
        launch: &Launch,
        folder: &Path,
        region: &str,
        listener: Listener,
    ) -> Result<Self, FunctionError> {
        let unavailable = |error: io::Error| FunctionError::Unavailable(error.to_string());
        let api = RuntimeApi::start().await.map_err(unavailable)?;
        let group = Group::new(api.addr()).map_err(unavailable)?;
        let mut command = launch.command(folder, api.addr(), region);
        command.process_group(group.id()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = spawn(&mut command)
            .await
            .map_err(|error| FunctionError::DidNotStart { cause: error.to_string(), log: Vec::new() })?;
        let pid = child.id().unwrap_or_default();
        let (sender, records) = mpsc::channel(64);
        let sink = Sink::new(listener, sender);
        let mut readers = JoinSet::new();
        if let Some(stdout) = child.stdout.take() {
            readers.spawn(sink.clone().read(Stream::Stdout, stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            readers.spawn(sink.clone().read(Stream::Stderr, stderr));
        }
        let meter = Meter::new(pid);
        let mut process =
            Self { _group: group, child, pid, api, records, sink, readers, meter, cold_start: None };
        match process.idle(INIT_TIMEOUT).await {
            Ok(()) => {
                let cpu = process.meter.cpu();
                process.cold_start = Some(ColdStart { duration: started.elapsed(), cpu });
                Ok(process)
            }
            Err(NotIdle::Ended(cause) | NotIdle::InitFailed(cause)) => {
                Err(FunctionError::DidNotStart { cause, log: process.last_lines().await })
            }
            Err(NotIdle::TooSlow) => Err(FunctionError::DidNotStart {
                cause: format!("it did not request an event within {} s", INIT_TIMEOUT.as_secs()),
                log: process.sink.tail(),
            }),
            Err(NotIdle::OutOfMemory(used)) => Err(FunctionError::DidNotStart {
                cause: format!("it {}", over_memory(used)),
                log: process.sink.tail(),
            }),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Tells the log something about the process.
    pub(crate) fn say(&self, text: &str) {
        self.sink.say(text);
    }

    /// Waits until the process requests an event. On Lambda, too, a function finishes the work after its answer
    /// before the next event.
    pub(crate) async fn idle(&mut self, limit: Duration) -> Result<(), NotIdle> {
        let mut phase = self.api.phase();
        let settled = async {
            let settled = phase.wait_for(|phase| matches!(phase, Phase::Idle | Phase::InitFailed(_))).await;
            settled.map(|phase| phase.clone())
        };
        tokio::select! {
            biased;
            // The exit is checked first, because a phase outlives its process.
            status = self.child.wait() => match &*self.api.phase().borrow() {
                Phase::InitFailed(message) => Err(NotIdle::InitFailed(message.clone())),
                Phase::Starting | Phase::Idle | Phase::Busy => Err(NotIdle::Ended(ending(status))),
            },
            settled = settled => match settled {
                Ok(Phase::InitFailed(message)) => Err(NotIdle::InitFailed(message)),
                Ok(Phase::Starting | Phase::Idle | Phase::Busy) => match self.meter.over_limit() {
                    Some(used) => Err(NotIdle::OutOfMemory(used)),
                    None => Ok(()),
                },
                Err(_) => Err(NotIdle::Ended("its Runtime API has stopped".to_owned())),
            },
            used = too_much_memory(&mut self.meter) => Err(NotIdle::OutOfMemory(used)),
            () = sleep(limit) => Err(NotIdle::TooSlow),
        }
    }

    /// Whether a process that waited for an event still does.
    pub(crate) fn still_idle(&mut self) -> Result<(), NotIdle> {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(NotIdle::Ended(ending(Ok(status)))),
            Err(error) => Err(NotIdle::Ended(ending(Err(error)))),
            Ok(None) => match self.meter.over_limit() {
                Some(used) => Err(NotIdle::OutOfMemory(used)),
                None => Ok(()),
            },
        }
    }

    /// Runs one invocation. After some errors, the process cannot be used again.
    pub(crate) async fn invoke(
        &mut self,
        id: String,
        event: Bytes,
        deadline: Duration,
    ) -> Result<Invocation, NotInvoked> {
        // Discards a line that came after the end of its own invocation.
        while self.records.try_recv().is_ok() {}
        let ids = [cloudfront_request_id(&event), Some(id.clone())];
        let (sender, mut answer) = oneshot::channel();
        let (started, cpu_before) = (Instant::now(), self.meter.cpu());
        let deadline_at = SystemTime::now().checked_add(deadline).unwrap_or_else(SystemTime::now);
        self.api.send(Work { id, event, deadline: deadline_at, answer: sender }).await;
        let answered = tokio::select! {
            biased;
            answered = &mut answer => answered,
            status = self.child.wait() => {
                // The answer may have been sent just before the end.
                match answer.try_recv() {
                    Ok(answer) => Ok(answer),
                    Err(_) if *self.api.phase().borrow() == Phase::Idle => return Err(NotInvoked::NotTaken),
                    Err(_) => {
                        let cause = ending(status);
                        return Err(FunctionError::Ended { cause, log: self.last_lines().await }.into());
                    }
                }
            }
            used = too_much_memory(&mut self.meter) => return Err(FunctionError::OutOfMemory(used).into()),
            () = sleep(deadline) => return Err(FunctionError::DeadlineExceeded(deadline).into()),
        };
        let cpu = self.meter.cpu().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
        let (duration, cold_start) = (started.elapsed(), self.cold_start.take());
        if let Some(used) = self.meter.over_limit() {
            return Err(FunctionError::OutOfMemory(used).into());
        }
        match answered {
            Err(_) => Err(FunctionError::Unavailable("its Runtime API dropped the event".to_owned()).into()),
            Ok(Answer::Error(message)) => Err(FunctionError::Failed(message).into()),
            Ok(Answer::Response(result)) => {
                let record = self.record(&ids).await;
                let usage = Usage { pid: self.pid, cold_start, duration, cpu, memory: self.meter.peak() };
                Ok(Invocation { result, record, usage: Some(usage) })
            }
        }
    }

    /// The decision line of the invocation with one of these ids. There is none if the function logs none.
    async fn record(&mut self, ids: &[Option<String>]) -> Option<Value> {
        let phase = self.api.phase();
        let records = &mut self.records;
        let record = async {
            loop {
                let record = records.recv().await?;
                let id = record.get("request_id").and_then(Value::as_str);
                if id.is_some() && ids.iter().any(|known| known.as_deref() == id) {
                    return Some(record);
                }
            }
        };
        tokio::select! {
            biased;
            record = record => record,
            () = asked_again(phase) => None,
            () = sleep(RECORD_GRACE) => None,
        }
    }

    async fn last_lines(&mut self) -> Vec<String> {
        let ended = async { while self.readers.join_next().await.is_some() {} };
        // A child of the process may keep the pipe open for longer.
        let _ = timeout(TAIL_GRACE, ended).await;
        self.sink.tail()
    }
}

/// Completes when the process has more memory than it may.
async fn too_much_memory(meter: &mut Meter) -> u64 {
    let first = tokio::time::Instant::now().checked_add(MEMORY_LOOK);
    let mut looks = interval_at(first.unwrap_or_else(tokio::time::Instant::now), MEMORY_LOOK);
    loop {
        looks.tick().await;
        if let Some(used) = meter.over_limit() {
            return used;
        }
    }
}

/// Completes when the process has asked for its next event and all that it wrote before is read.
async fn asked_again(mut phase: watch::Receiver<Phase>) {
    if phase.wait_for(|phase| *phase == Phase::Idle).await.is_err() {
        return std::future::pending().await;
    }
    sleep(RECORD_IN_PIPE).await;
}

/// Why there is no result.
pub(crate) enum NotInvoked {
    /// The process has ended before it took the event: another one can.
    NotTaken,
    /// The invocation failed.
    Failed(FunctionError),
}

impl From<FunctionError> for NotInvoked {
    fn from(error: FunctionError) -> Self {
        Self::Failed(error)
    }
}

/// Why a process is not waiting for an event.
pub(crate) enum NotIdle {
    Ended(String),
    InitFailed(String),
    TooSlow,
    OutOfMemory(u64),
}

async fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY_RETRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                sleep(BUSY_PAUSE).await;
            }
            spawned => return spawned,
        }
    }
    command.spawn()
}

fn ending(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => format!("it ended with {status}"),
        Err(error) => format!("its exit status is not known: {error}"),
    }
}

fn cloudfront_request_id(event: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(event).ok()?;
    Some(event.pointer("/Records/0/cf/config/requestId")?.as_str()?.to_owned())
}
