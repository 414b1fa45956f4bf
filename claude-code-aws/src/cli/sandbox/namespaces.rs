//! Step one: namespaces, and their first process.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{getgid, getuid};

use super::{Ended, again, named};

const TICK: Duration = Duration::from_millis(20);

pub(super) fn enter(args: &[OsString]) -> Ended {
    // Whoever asked may be killed: then nothing of this goes on.
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(named("the parent's end"))?;
    let (user, group) = (getuid(), getgid());
    let all = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS;
    unshare(all).map_err(named("user, mount, process and network namespaces"))?;
    map("0", &user.to_string(), &group.to_string())?;
    let mut first = again();
    first.arg("__sandbox-init").args(args).stdin(Stdio::null());
    let mut first = first.spawn().map_err(named("the first process"))?;
    let time = args.get(1).and_then(|text| text.to_str()?.parse().ok()).unwrap_or(60);
    let end = Instant::now() + Duration::from_secs(time) + Duration::from_secs(1);
    loop {
        if let Some(status) = first.try_wait()? {
            return Ok(u8::try_from(status.code().unwrap_or(128 + status.signal().unwrap_or(0))).unwrap_or(1));
        }
        if Instant::now() > end {
            // With the first process of a namespace the kernel ends all others.
            let _ = first.kill();
        }
        std::thread::sleep(TICK);
    }
}

/// Who this process is within its user namespace.
pub(super) fn map(inside: &str, user: &str, group: &str) -> std::io::Result<()> {
    std::fs::write("/proc/self/setgroups", "deny").map_err(named("groups"))?;
    std::fs::write("/proc/self/uid_map", format!("{inside} {user} 1")).map_err(named("the user's number"))?;
    std::fs::write("/proc/self/gid_map", format!("{inside} {group} 1")).map_err(named("the group's number"))
}
