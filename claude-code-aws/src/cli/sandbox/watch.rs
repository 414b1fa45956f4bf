//! Watches the processes of a namespace from its first one: limits that the kernel does not set for everyone.

use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::Ended;

const TICK: Duration = Duration::from_millis(10);

/// What all processes together may use.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) seconds: u64,
    pub(super) memory_mb: u64,
    pub(super) processes: u64,
}

/// The exit code of the command. When this process ends, the kernel ends all that are left in its namespace.
pub(super) fn until_end(child: Child, bounds: Bounds) -> Ended {
    let main = i32::try_from(child.id()).map(Pid::from_raw).map_err(std::io::Error::other)?;
    let end = Instant::now() + Duration::from_secs(bounds.seconds);
    loop {
        // Children that lost their parent become this process's own.
        while let Ok(status) = waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
            match status {
                WaitStatus::Exited(pid, code) if pid == main => {
                    return Ok(u8::try_from(code & 255).unwrap_or(1));
                }
                WaitStatus::Signaled(pid, signal, _) if pid == main => {
                    eprintln!("ended by the signal {signal}");
                    return Ok(128 + u8::try_from(signal as i32).unwrap_or(0));
                }
                WaitStatus::StillAlive => break,
                _ => {}
            }
        }
        let used = Used::now();
        let over = [
            (Instant::now() > end, format!("{} seconds", bounds.seconds)),
            (used.processes > bounds.processes, format!("{} processes", bounds.processes)),
            (used.memory_mb > bounds.memory_mb, format!("{} MB of memory", bounds.memory_mb)),
        ];
        if let Some((_, limit)) = over.iter().find(|(is_over, _)| *is_over) {
            eprintln!("ended: more than {limit}");
            return Ok(137);
        }
        std::thread::sleep(TICK);
    }
}

/// What the processes of the namespace use.
struct Used {
    processes: u64,
    memory_mb: u64,
}

impl Used {
    fn now() -> Self {
        let mut used = Used { processes: 0, memory_mb: 0 };
        let mut pages = 0_u64;
        for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let name = entry.file_name();
            if !name.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            used.processes += 1;
            // Resident pages without those that are shared: a forked process has little of its own.
            let statm = std::fs::read_to_string(entry.path().join("statm")).unwrap_or_default();
            let mut numbers = statm.split(' ').skip(1).map(|number| number.parse::<u64>().unwrap_or(0));
            pages += numbers.next().unwrap_or(0).saturating_sub(numbers.next().unwrap_or(0));
        }
        used.memory_mb = pages / 256;
        used
    }
}
