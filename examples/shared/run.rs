//! Start and end of an application: its runtime, its last line, its exit code.

use std::future::Future;
use std::process::ExitCode;

use claude_code_aws::{Error, ErrorKind, Result};

use crate::terminal::note;

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is written, or there was nothing to write.
    Done,
    /// Checks still find errors; nothing was written.
    Rejected,
}

/// Runs an application: 0 done, 1 failed, 2 usage, 3 rejected, 4 budget, 130 interrupted.
pub fn run(work: impl Future<Output = Result<End>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            note(&format!("error: the runtime cannot start: {error}"));
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(work) {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Rejected) => ExitCode::from(3),
        Err(error) => {
            note(&format!("error: {error}"));
            match error.kind() {
                ErrorKind::Interrupted => {
                    note("nothing was written; the same command goes on where this one was stopped");
                }
                ErrorKind::Storage => note("make room or give rights, then the same command goes on"),
                _ => {}
            }
            ExitCode::from(code(&error))
        }
    }
}

fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::InvalidRequest | ErrorKind::NoSample => 2,
        ErrorKind::Truncated
        | ErrorKind::Cut
        | ErrorKind::Empty
        | ErrorKind::NoCode
        | ErrorKind::Rejected => 3,
        ErrorKind::Budget => 4,
        ErrorKind::Interrupted => 130,
        _ => 1,
    }
}
