//! Git status of a file: whether it has uncommitted changes.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether the file stands in a Git work tree and differs from its last commit: nobody else has what it holds. False
/// where Git cannot be asked.
pub fn is_uncommitted(path: &Path) -> bool {
    let Ok(place) = path.canonicalize() else { return false };
    let Some(dir) = place.parent().filter(|dir| dir.ancestors().any(|above| above.join(".git").exists()))
    else {
        return false;
    };
    let mut git = Command::new("git");
    // A repository's own configuration shall start nothing for this question.
    git.args(["-c", "core.fsmonitor=false", "status", "--porcelain", "-z", "--"]).arg(&place);
    git.current_dir(dir).env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    git.output().is_ok_and(|done| done.status.success() && !done.stdout.is_empty())
}
