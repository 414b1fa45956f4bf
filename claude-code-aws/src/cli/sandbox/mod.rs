//! The sandbox of a check: this program, run again as a helper of itself in namespaces of its own.
//!
//! Three steps, because a process namespace begins with a child and rights end with a new user namespace: `__sandbox`
//! makes the namespaces, `__sandbox-init` is their first process (it lays out what can be seen, and watches), and
//! `__sandbox-command` gives up the rights over them and becomes the command.

mod command;
mod init;
mod namespaces;
mod view;
mod watch;

use std::ffi::OsString;

/// The sandbox cannot be made: the command did not run.
const NO_SANDBOX: u8 = 125;

/// Runs a step of the sandbox, if these are the arguments of one.
pub(super) fn step(args: &[OsString]) -> Option<u8> {
    let (name, rest) = args.get(1).and_then(|name| name.to_str()).zip(args.get(2..))?;
    let ended = match name {
        "__sandbox" => namespaces::enter(rest),
        "__sandbox-init" => init::run(rest),
        "__sandbox-command" => command::become_it(rest),
        _ => return None,
    };
    Some(ended.unwrap_or_else(|problem| {
        eprintln!("no sandbox here: {problem}; --check-unsafe runs it as any program of yours");
        NO_SANDBOX
    }))
}

/// This program once more. Where a script starts it, as in a Python environment, the script.
fn again() -> std::process::Command {
    let script = std::env::var_os("CLAUDE_CODE_AWS_HELPER").filter(|helper| {
        let is_script = |bytes: [u8; 2]| &bytes == b"#!";
        let begins = std::fs::File::open(helper).and_then(|mut file| {
            let mut bytes = [0; 2];
            std::io::Read::read_exact(&mut file, &mut bytes).map(|()| bytes)
        });
        begins.is_ok_and(is_script)
    });
    std::process::Command::new(script.unwrap_or_else(|| "/proc/self/exe".into()))
}

/// What kept a step from being done.
type Ended = std::io::Result<u8>;

fn named<E: Into<std::io::Error>>(what: &'static str) -> impl Fn(E) -> std::io::Error {
    move |error| std::io::Error::other(format!("{what}: {}", error.into()))
}

/// Whether this machine gives a sandbox: a line for people.
pub(super) fn probe() -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let place = std::env::temp_dir().join(format!("claude-code-probe-{}", std::process::id()));
    std::fs::create_dir(&place).map_err(|error| error.to_string())?;
    let mut command = std::process::Command::new(program);
    command.arg("__sandbox").arg(&place).args(["5", "256", "64", "16", "--", "true"]);
    let ran = command.stdin(std::process::Stdio::null()).output();
    let _ = std::fs::remove_dir_all(&place);
    match ran {
        Ok(ran) if ran.status.success() => Ok(()),
        Ok(ran) => Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
