//! The command line, from Python: `python -m claude_code` and the console script.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command with these arguments, its name first, and gives its exit status.
#[pyfunction(name = "_main")]
pub(crate) fn main(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| claude_code_aws::cli::main_with(args))
}
