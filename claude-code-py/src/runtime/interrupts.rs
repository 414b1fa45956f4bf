//! Python code that runs while a call is driven: log handlers, event loops that are woken. What they raise is nobody's, but
//! in the main thread a signal may be heard there: that one is the call's.

use std::cell::RefCell;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

thread_local! {
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Looks at how such code ended. True: it was interrupted (KeyboardInterrupt, SystemExit, and what else is no Exception),
/// which is kept for the call that this thread waits for.
pub(crate) fn keep(py: Python<'_>, ended: PyResult<()>) -> bool {
    let interrupted = ended.err().filter(|error| !error.is_instance_of::<PyException>(py));
    interrupted.is_some_and(|error| RAISED.replace(Some(error)).is_none())
}

/// What interrupted this thread's call meanwhile.
pub(crate) fn raised() -> Option<PyErr> {
    RAISED.take()
}
