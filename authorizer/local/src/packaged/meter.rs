//! What the processes of the function use: time, processor time and memory. Linux tells the last two in `/proc`.

use std::time::Duration;

use crate::usage::MB;

/// Lambda@Edge's memory for a function of a viewer event.
const MEMORY_LIMIT: u64 = 128 * MB;

/// Reads what a process and its descendants use.
#[derive(Debug)]
pub(super) struct Meter {
    pid: u32,
    peak: Option<u64>,
}

impl Meter {
    pub(super) fn new(pid: u32) -> Self {
        Self { pid, peak: None }
    }

    /// The processor time until now.
    pub(super) fn cpu(&self) -> Option<Duration> {
        proc::tree(self.pid).into_iter().filter_map(proc::cpu).reduce(Duration::saturating_add)
    }

    /// The most memory that it has had.
    pub(super) fn peak(&self) -> Option<u64> {
        self.peak
    }

    /// Looks at the memory. Returns the peak if it is over the limit.
    pub(super) fn over_limit(&mut self) -> Option<u64> {
        let tree = proc::tree(self.pid);
        let seen: Vec<_> = tree.iter().filter_map(|pid| proc::memory(*pid)).collect();
        let together = seen.iter().map(|memory| memory.now).fold(0, u64::saturating_add);
        // Pages that processes share are counted once, which takes the system longer to say.
        let together = match seen.len() {
            0 => return None,
            1 => together,
            _ if together <= MEMORY_LIMIT => together,
            _ => tree.iter().filter_map(|pid| proc::share(*pid)).fold(0, u64::saturating_add),
        };
        let peak = seen.iter().map(|memory| memory.peak).chain([together]).chain(self.peak).max();
        self.peak = peak;
        peak.filter(|peak| *peak > MEMORY_LIMIT)
    }
}

/// The memory of one process, in bytes.
struct Memory {
    now: u64,
    /// The most since it was executed, so that what is over between two looks is not missed.
    peak: u64,
}

/// <https://man7.org/linux/man-pages/man5/proc.5.html>
#[cfg(target_os = "linux")]
mod proc {
    use std::fs;
    use std::time::Duration;

    use super::Memory;

    /// The most processes that are looked at.
    const MAX_TREE: usize = 1_000;

    /// A process and its descendants.
    pub(super) fn tree(pid: u32) -> Vec<u32> {
        let mut found = vec![pid];
        let mut next = 0;
        while let Some(pid) = found.get(next).copied() {
            next = next.saturating_add(1);
            for thread in threads(pid) {
                let children = fs::read_to_string(thread.join("children")).unwrap_or_default();
                found.extend(children.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            }
            if found.len() > MAX_TREE {
                break;
            }
        }
        found
    }

    fn threads(pid: u32) -> impl Iterator<Item = std::path::PathBuf> {
        let threads = fs::read_dir(format!("/proc/{pid}/task"));
        threads.into_iter().flatten().flatten().map(|entry| entry.path())
    }

    /// The processor time of its threads: the first number of each `schedstat`, in nanoseconds. A thread may end meanwhile.
    pub(super) fn cpu(pid: u32) -> Option<Duration> {
        let of = |thread: std::path::PathBuf| {
            let text = fs::read_to_string(thread.join("schedstat")).ok()?;
            text.split_ascii_whitespace().next()?.parse::<u64>().ok()
        };
        threads(pid).filter_map(of).reduce(u64::saturating_add).map(Duration::from_nanos)
    }

    pub(super) fn memory(pid: u32) -> Option<Memory> {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        Some(Memory { now: kilobytes(&text, "VmRSS:")?, peak: kilobytes(&text, "VmHWM:")? })
    }

    /// Its memory, with its share of what it has together with others.
    pub(super) fn share(pid: u32) -> Option<u64> {
        kilobytes(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
    }

    fn kilobytes(text: &str, name: &str) -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    }
}

#[cfg(not(target_os = "linux"))]
mod proc {
    use std::time::Duration;

    use super::Memory;

    pub(super) fn tree(pid: u32) -> Vec<u32> {
        vec![pid]
    }

    pub(super) fn cpu(_pid: u32) -> Option<Duration> {
        None
    }

    pub(super) fn memory(_pid: u32) -> Option<Memory> {
        None
    }

    pub(super) fn share(_pid: u32) -> Option<u64> {
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn this_process_uses_time_and_memory_and_so_do_its_children() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let own = std::process::id();
        assert!(proc::tree(own).contains(&child.id()));
        let mut meter = Meter::new(own);
        assert_eq!(meter.peak(), None);
        let over = meter.over_limit();
        assert!(meter.peak().unwrap() > MB && over.is_none_or(|peak| peak > MEMORY_LIMIT));
        let before = meter.cpu().unwrap();
        let mut sum = 0_u64;
        while meter.cpu().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(proc::share(own).unwrap() > 0);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(Meter::new(child.id()).over_limit().is_none() && Meter::new(child.id()).cpu().is_none());
    }
}
