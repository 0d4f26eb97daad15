//! A control group with the part of a core that Lambda gives a function of 128 MB.
//! <https://docs.kernel.org/scheduler/sched-bwc.html>, <https://docs.kernel.org/admin-guide/cgroup-v2.html>

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The period in microseconds, and the part of it: 7 % of a core, from 128 of the 1,769 MB that have one core.
const PERIOD: u32 = 20_000;
const QUOTA: u32 = 1_400;

/// The group. It is removed when this is dropped.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
    processes: PathBuf,
}

impl Group {
    /// Makes the group.
    ///
    /// # Errors
    /// On a machine that does not allow it, and on one without control groups.
    pub fn new() -> io::Result<Self> {
        let name = format!("authorizer-peers-{}", std::process::id());
        let (v1, v2) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let is_v1 = v1.join("cpu.cfs_quota_us").exists() || v1.join("cgroup.procs").exists();
        let folder = if is_v1 { v1.join(name) } else { v2.join(name) };
        if !is_v1 {
            // Only if it is not set yet. If it cannot be set, the limit below cannot be written either.
            let _ = fs::write(v2.join("cgroup.subtree_control"), "+cpu");
        }
        fs::create_dir(&folder)?;
        let group = Self { processes: folder.join("cgroup.procs"), folder };
        if is_v1 {
            fs::write(group.folder.join("cpu.cfs_period_us"), PERIOD.to_string())?;
            fs::write(group.folder.join("cpu.cfs_quota_us"), QUOTA.to_string())?;
        } else {
            fs::write(group.folder.join("cpu.max"), format!("{QUOTA} {PERIOD}"))?;
        }
        Ok(group)
    }

    /// The file that a process writes its number to, to join.
    pub fn processes(&self) -> &Path {
        &self.processes
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its processes have ended. If one has not, the empty limit stays until the next start of the machine.
        let _ = fs::remove_dir(&self.folder);
    }
}
