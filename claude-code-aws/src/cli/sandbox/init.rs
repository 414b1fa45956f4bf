//! Step two: the first process of the namespaces lays out what can be seen and watches the command.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use nix::sys::prctl;
use nix::sys::signal::Signal;

use super::watch::Bounds;
use super::{Ended, again, named, view, watch};
use crate::checks::WORK;

pub(super) fn run(args: &[OsString]) -> Ended {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(named("the parent's end"))?;
    let wrong = || std::io::Error::other("its arguments are wrong");
    let number =
        |at: usize| args.get(at).and_then(|text| text.to_str()?.parse::<u64>().ok()).ok_or_else(wrong);
    let place = Path::new(args.first().ok_or_else(wrong)?);
    let bounds = Bounds { seconds: number(1)?, memory_mb: number(2)?, processes: number(3)? };
    let words = args.get(6..).filter(|words| !words.is_empty()).ok_or_else(wrong)?;
    view::lay_out(place, number(4)?)?;
    // Newer kernels bound the processes of a namespace themselves.
    let _ = std::fs::write("/proc/sys/kernel/pid_max", (bounds.processes + 300).to_string());
    let mut command = again();
    command.arg("__sandbox-command").args([bounds.seconds, bounds.processes].map(|bound| bound.to_string()));
    command.args(words).current_dir(WORK).env("HOME", view::HOME).env("TMPDIR", "/tmp");
    let child = command
        .env_remove("CLAUDE_CODE_AWS_REAL_HOME")
        .env_remove("CLAUDE_CODE_AWS_READABLE")
        .stdin(Stdio::null())
        .spawn();
    watch::until_end(child.map_err(named("the command"))?, bounds)
}
