//! One process of a contender, and the kernel's figures for it.

use std::fs;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use authorizer_e2e::lambda;
use authorizer_e2e::served::{DEADLINE, Lines};
use authorizer_local::Runtime;
use bytes::Bytes;
use tokio::time::timeout;

use crate::api::{Api, Said};
use crate::group::Group;

/// A process that is waiting for an event.
#[derive(Debug)]
pub struct Process {
    child: Child,
    api: Api,
    stdout: Lines,
    stderr: Lines,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The function's result.
    pub result: Bytes,
    /// The time from passing the event to receiving the whole result.
    pub took: Duration,
}

impl Process {
    /// Starts the function in the folder, and returns the time until it requested its first event.
    pub async fn start(runtime: Runtime, folder: &Path) -> (Self, Duration) {
        Self::start_in(None, runtime, folder).await
    }

    /// The same in a control group. The time includes that of the shell that joins it.
    pub async fn start_in(group: Option<&Group>, runtime: Runtime, folder: &Path) -> (Self, Duration) {
        let api = Api::start().await;
        let started = Instant::now();
        let mut child = lambda::start_in(group.map(Group::processes), runtime, folder, api.addr());
        let stdout = Lines::read(child.stdout.take().unwrap());
        let stderr = Lines::read(child.stderr.take().unwrap());
        let mut process = Self { child, api, stdout, stderr };
        let asked = process.next().await;
        (process, asked.duration_since(started))
    }

    /// Passes an event, and waits for the answer and for the request for the next event: the work after an answer is
    /// part of the cost.
    pub async fn invoke(&mut self, event: &Bytes) -> Answer {
        self.api.hand_over(event.clone()).await;
        match self.said().await {
            Said::Answer(result, took) => {
                self.next().await;
                Answer { result, took }
            }
            other => self.stop(&format!("{other:?}")),
        }
    }

    /// The processor time of its threads. Linux counts it in nanoseconds, for each thread
    /// (`Documentation/scheduler/sched-stats.rst`); `utime` of `/proc/PID/stat` has ticks of 10 ms. It does not
    /// include threads that have ended, but neither runtime ends threads between two events.
    pub fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanoseconds = |task: std::io::Result<fs::DirEntry>| {
            let text = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
            text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
        };
        Duration::from_nanos(tasks.map(nanoseconds).sum())
    }

    /// A size of `/proc/PID/status` in bytes, such as `VmRSS`.
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")).unwrap();
        kibibytes.parse::<u64>().unwrap() * 1024
    }

    async fn next(&mut self) -> Instant {
        match self.said().await {
            Said::Next(asked) => asked,
            other => self.stop(&format!("{other:?}")),
        }
    }

    async fn said(&mut self) -> Said {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Ok(said) = timeout(Duration::from_millis(100), self.api.said()).await {
                return said;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                self.stop(&format!("nothing any more: {status}"));
            }
            if Instant::now() > deadline {
                self.stop("nothing");
            }
        }
    }

    fn stop(&self, said: &str) -> ! {
        panic!("it says {said}\n{}\n{}", self.stdout.text(), self.stderr.text());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
