//! Step three: limits, no rights over the namespaces, and the command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

use super::namespaces::map;
use super::{Ended, named};

/// The largest file.
const FILE_BYTES: u64 = 256 << 20;
const OPEN_FILES: u64 = 1_024;

pub(super) fn become_it(args: &[OsString]) -> Ended {
    let number = |at: usize| args.get(at).and_then(|text| text.to_str()?.parse::<u64>().ok()).unwrap_or(60);
    // In a namespace below, the mounts of the one above cannot be taken away.
    unshare(CloneFlags::CLONE_NEWUSER).map_err(named("a user namespace below"))?;
    map("1000", "0", "0")?;
    let limits = [
        (Resource::RLIMIT_CPU, number(0)),
        (Resource::RLIMIT_NPROC, number(1)),
        (Resource::RLIMIT_FSIZE, FILE_BYTES),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
        (Resource::RLIMIT_CORE, 0),
    ];
    for (what, limit) in limits {
        // One that is lower already stays.
        let _ = setrlimit(what, limit, limit);
    }
    prctl::set_no_new_privs().map_err(named("privileges"))?;
    let [program, rest @ ..] = args.get(2..).unwrap_or_default() else {
        return Err(std::io::Error::other("no command"));
    };
    let problem = Command::new(program).args(rest).env_remove("CLAUDE_CODE_AWS_HELPER").exec();
    eprintln!("{}: {problem}", program.to_string_lossy());
    Ok(127)
}
