//! The process group of one process of the function. It ends as a whole, with whatever the function has started, and
//! it ends too if this process is killed.

use std::io;
use std::net::SocketAddr;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

/// The guard leads the group, so the group's id is not used again while the guard is there. It waits for the end of its
/// standard input, which comes when this process ends, in whatever way, and then kills the group, with itself.
const GUARD: &str = "trap '' HUP INT TERM; read _; kill -KILL 0";

/// A process group that does not outlive this process.
#[derive(Debug)]
pub(super) struct Group {
    id: Pid,
    /// Not read: it ends with the group, and its standard input ends with this process.
    _guard: Child,
    /// A variable in the environment of the function and of whatever it starts. No other process has it.
    mark: String,
}

impl Group {
    /// A group for the function that this Runtime API is for.
    pub(super) fn new(api: SocketAddr) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARD]).env_clear().current_dir("/").process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let no_guard = |error: io::Error| {
            io::Error::other(format!("`/bin/sh`, which ends it with this process, does not start: {error}"))
        };
        let guard = command.spawn().map_err(no_guard)?;
        let id = guard.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the guard of the function has ended"))?;
        Ok(Self { id, _guard: guard, mark: format!("AWS_LAMBDA_RUNTIME_API={api}") })
    }

    /// The id, for the processes that are started in it.
    pub(super) fn id(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Fails only if nothing of the group is left.
        let _ = kill_process_group(self.id, Signal::KILL);
        end_marked(&self.mark);
    }
}

/// Kills the processes that have left the group, which the mark in their environment tells.
#[cfg(target_os = "linux")]
fn end_marked(mark: &str) {
    let Ok(processes) = std::fs::read_dir("/proc") else { return };
    for process in processes.flatten() {
        let id = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        // That of another user's process cannot be read.
        let (Some(id), Ok(environment)) = (id, std::fs::read(process.path().join("environ"))) else {
            continue;
        };
        if environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()) {
            // Fails only if it has ended.
            let _ = rustix::process::kill_process(id, Signal::KILL);
        }
    }
}

/// Other systems do not show the environment of a process.
#[cfg(not(target_os = "linux"))]
fn end_marked(_mark: &str) {}
