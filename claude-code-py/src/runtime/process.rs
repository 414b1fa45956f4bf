//! What belongs to one process. A forked child begins anew, and leaves what it inherited where it is: threads stayed
//! behind, and to close a connection would close its parent's.

use std::sync::OnceLock;

use claude_code_aws::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use tokio::runtime::Handle;

use crate::client::connection;
use crate::runtime::background::Running;
use crate::runtime::driver::Driver;

/// The first process that used the library; behind it its forked descendants, down to this one.
static FIRST: OnceLock<Process> = OnceLock::new();

/// A process and its runtime.
pub(crate) struct Process {
    id: u32,
    pub(super) driver: Driver,
    pub(super) running: OnceLock<Result<Running>>,
    child: OnceLock<Box<Process>>,
}

impl Process {
    fn new(id: u32) -> Self {
        Process { id, driver: Driver::new(), running: OnceLock::new(), child: OnceLock::new() }
    }

    /// This process.
    pub(crate) fn current() -> &'static Process {
        let id = std::process::id();
        let mut process = FIRST.get_or_init(|| Process::new(id));
        while let Some(child) = process.child.get() {
            process = child;
        }
        if process.id == id { process } else { process.child.get_or_init(|| Box::new(Process::new(id))) }
    }

    /// Whether this is the process that the code runs in.
    pub(crate) fn is_current(&self) -> bool {
        // Its own descendants have it, and then it is not the last.
        self.id == std::process::id() && self.child.get().is_none()
    }
}

/// The error of a forked child that goes on with what its parent has under way.
pub(crate) fn forked(what: &str) -> Error {
    Error::new(
        ErrorKind::Forked,
        format!("{what} was begun before this process was forked and is its parent's: begin one here"),
    )
}

/// Before a fork: no thread is within the runtime, so that the child finds no lock held for ever, and local databases that
/// nobody uses are closed, so that the child can open them.
#[pyfunction(name = "_before_fork")]
pub(crate) fn before_fork(py: Python<'_>) {
    let process = Process::current();
    process.driver.pause();
    let Some(Ok(running)) = process.running.get() else { return };
    // A fork from within a call, such as a log handler's, cannot wait for that call.
    if Handle::try_current().is_err() {
        py.detach(|| {
            process.driver.wait_until_left();
            connection::close_idle(&running.handle);
        });
    }
}

/// After it, in the parent.
#[pyfunction(name = "_after_fork")]
pub(crate) fn after_fork() {
    Process::current().driver.go_on();
}

/// After it, in the child, while it has this thread only.
#[pyfunction(name = "_after_fork_in_child")]
pub(crate) fn after_fork_in_child() {
    Process::current();
}
