//! One process of the function, from its start to its end.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::output::{Listener, Sink, Stream};
use super::runtime::Launch;
use crate::invocation::{FunctionError, Invocation};
use crate::runtime_api::{Answer, Phase, RuntimeApi, Work};

/// Lambda's time limit for the start of a function.
pub(crate) const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for a decision line after its result: it is still in a pipe.
const RECORD_GRACE: Duration = Duration::from_millis(250);

/// How long to read the last lines of a process that has ended.
const TAIL_GRACE: Duration = Duration::from_secs(1);

/// The pause before another try: a new file cannot be run for a moment, while another thread's child has it open.
const BUSY_RETRIES: u32 = 50;
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// A process that has requested its first event.
pub(crate) struct Process {
    child: Child,
    pid: u32,
    api: RuntimeApi,
    records: mpsc::Receiver<Value>,
    sink: Sink,
    readers: JoinSet<()>,
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
        let mut command = launch.command(folder, api.addr(), region);
        // Its own group: if the handler cannot replace its process, it has a child.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
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
        let mut process = Self { child, pid, api, records, sink, readers };
        match process.idle(INIT_TIMEOUT).await {
            Ok(()) => Ok(process),
            Err(NotIdle::Ended(cause) | NotIdle::InitFailed(cause)) => {
                Err(FunctionError::DidNotStart { cause, log: process.last_lines().await })
            }
            Err(NotIdle::TooSlow) => Err(FunctionError::DidNotStart {
                cause: format!("it did not request an event within {} s", INIT_TIMEOUT.as_secs()),
                log: process.sink.tail(),
            }),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the process requests an event. On Lambda, too, a function finishes the work after its answer
    /// before the next event.
    pub(crate) async fn idle(&mut self, limit: Duration) -> Result<(), NotIdle> {
        let mut phase = self.api.phase();
        let settled = phase.wait_for(|phase| matches!(phase, Phase::Idle | Phase::InitFailed(_)));
        tokio::select! {
            biased;
            // The exit is checked first, because a phase outlives its process.
            status = self.child.wait() => match &*self.api.phase().borrow() {
                Phase::InitFailed(message) => Err(NotIdle::InitFailed(message.clone())),
                Phase::Starting | Phase::Idle | Phase::Busy => Err(NotIdle::Ended(ending(status))),
            },
            settled = timeout(limit, settled) => match settled {
                Ok(Ok(phase)) => match &*phase {
                    Phase::InitFailed(message) => Err(NotIdle::InitFailed(message.clone())),
                    Phase::Starting | Phase::Idle | Phase::Busy => Ok(()),
                },
                Ok(Err(_)) => Err(NotIdle::Ended("its Runtime API has stopped".to_owned())),
                Err(_) => Err(NotIdle::TooSlow),
            },
        }
    }

    /// Runs one invocation. After some errors, the process cannot be used again.
    pub(crate) async fn invoke(
        &mut self,
        id: String,
        event: Bytes,
        deadline: Duration,
    ) -> Result<Invocation, FunctionError> {
        // Discards a line that came after the end of its own invocation.
        while self.records.try_recv().is_ok() {}
        let ids = [cloudfront_request_id(&event), Some(id.clone())];
        let (sender, mut answer) = oneshot::channel();
        let deadline_at = SystemTime::now().checked_add(deadline).unwrap_or_else(SystemTime::now);
        self.api.send(Work { id, event, deadline: deadline_at, answer: sender }).await;
        let answered = tokio::select! {
            biased;
            answered = timeout(deadline, &mut answer) => answered,
            status = self.child.wait() => {
                // The answer may have been sent just before the end.
                match answer.try_recv() {
                    Ok(answer) => Ok(Ok(answer)),
                    Err(_) => {
                        let cause = ending(status);
                        return Err(FunctionError::Ended { cause, log: self.last_lines().await });
                    }
                }
            }
        };
        match answered {
            Err(_) => Err(FunctionError::DeadlineExceeded(deadline)),
            Ok(Err(_)) => Err(FunctionError::Unavailable("its Runtime API dropped the event".to_owned())),
            Ok(Ok(Answer::Error(message))) => Err(FunctionError::Failed(message)),
            Ok(Ok(Answer::Response(result))) => {
                let record = timeout(RECORD_GRACE, self.record(&ids)).await.ok().flatten();
                Ok(Invocation { result, record })
            }
        }
    }

    /// The decision line of the invocation with one of these ids.
    async fn record(&mut self, ids: &[Option<String>]) -> Option<Value> {
        loop {
            let record = self.records.recv().await?;
            let id = record.get("request_id").and_then(Value::as_str);
            if id.is_some() && ids.iter().any(|known| known.as_deref() == id) {
                return Some(record);
            }
        }
    }

    async fn last_lines(&mut self) -> Vec<String> {
        let ended = async { while self.readers.join_next().await.is_some() {} };
        // A child of the process may keep the pipe open for longer.
        let _ = timeout(TAIL_GRACE, ended).await;
        self.sink.tail()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let Some(group) = pid {
            // Fails only if the group has already ended, which is fine.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Why a process is not waiting for an event.
pub(crate) enum NotIdle {
    Ended(String),
    InitFailed(String),
    TooSlow,
}

async fn spawn(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY_RETRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_PAUSE).await;
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
