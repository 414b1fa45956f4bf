//! The HTTP API for a Lambda on Python: an event in, an answer out, as JSON.

use claude_code_aws::http::{App, lambda};
use pyo3::prelude::*;
use tokio::sync::OnceCell;

use crate::runtime::call::{wait, work};

/// Made with the first event, for all events of the process.
static APP: OnceCell<App> = OnceCell::const_new();

/// Answers an event until shortly before `deadline`, in milliseconds since 1970.
#[pyfunction(name = "_lambda")]
pub(crate) fn on_lambda(py: Python<'_>, event: String, deadline: u64) -> PyResult<Py<PyAny>> {
    wait(
        py,
        work(
            async move { lambda::invoke(APP.get_or_try_init(lambda::from_env).await?, &event, deadline).await },
        ),
    )
}
