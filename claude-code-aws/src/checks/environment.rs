//! Environment variables of a command check: what programs need to start, and nothing secret.

use std::path::Path;
use std::process::Command;

/// Variables that tell programs where they are installed, with their place in the home where that is usual.
const PLACES: [(&str, &str); 5] = [
    ("PYENV_ROOT", ".pyenv"),
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("NVM_DIR", ".nvm"),
    ("GOROOT", ""),
];

/// Variables that are passed on as they are.
const KEPT: [&str; 8] =
    ["PATH", "LANG", "LC_ALL", "PYENV_VERSION", "VIRTUAL_ENV", "JAVA_HOME", "SYSTEMROOT", "RUSTUP_TOOLCHAIN"];

/// Leaves a command with a clean environment and an empty home.
pub(super) fn clean(command: &mut Command, home: &Path) {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let real = std::env::var_os("HOME");
    for (name, usual) in PLACES {
        let usual = real.as_ref().filter(|_| !usual.is_empty()).map(|home| Path::new(home).join(usual));
        let found = std::env::var_os(name).map(Into::into).or_else(|| usual.filter(|path| path.is_dir()));
        if let Some(path) = found {
            command.env(name, path);
        }
    }
    command.env("HOME", home).env("TERM", "dumb").env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_COLOR", "never");
}
