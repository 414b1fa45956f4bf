//! The Python face of the SDK: it translates, and decides nothing. What Python sees is listed in this file and in
//! `python/claude_code/_claude_code.pyi`.

mod aws_lambda;
mod cli;
mod client;
mod convert;
mod notebook;
mod result;
mod runtime;
mod twin;

use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The native module behind `claude_code`.
#[pymodule]
mod _claude_code {
    use super::*;

    #[pymodule_export]
    use aws_lambda::on_lambda;
    #[pymodule_export]
    use cli::main;
    #[pymodule_export]
    use client::batch::{AsyncBatch, Batch};
    #[pymodule_export]
    use client::batch_item::BatchItem;
    #[pymodule_export]
    use client::service::{AsyncService, Service, ServiceCode};
    #[pymodule_export]
    use client::stream::{AsyncStream, Stream};
    #[pymodule_export]
    use client::{AsyncClient, Client};
    #[pymodule_export]
    use convert::record::restore;
    #[pymodule_export]
    use result::answer::{Answer, read_answer};
    #[pymodule_export]
    use result::event::{FileChunk, FileFinished, FileStarted, Finished, Notice, Text};
    #[pymodule_export]
    use result::generation::{CodeFile, Generation};
    #[pymodule_export]
    use result::store::{AsyncResults, Page, ResultRow, Results};
    #[pymodule_export]
    use result::values::{
        Attempt, Budget, Cached, Diagnostic, Estimate, Finding, Receipt, ReceiptItem, Usage, findings_table,
    };
    #[pymodule_export]
    use runtime::call::{Awaitable, wake};
    #[pymodule_export]
    use runtime::process::{after_fork, after_fork_in_child, before_fork};
    #[pymodule_export]
    use runtime::stop;
    #[pymodule_export]
    use twin::{Sent, Twin};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        convert::error::export(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // Before the interpreter goes, no thread of ours may want it any more.
        py.import("atexit")?.call_method1("register", (module.getattr("_stop")?,))?;
        // Not where processes are not forked, such as on Windows.
        if let Ok(register) = py.import("os")?.getattr("register_at_fork") {
            let hooks = PyDict::new(py);
            hooks.set_item("before", module.getattr("_before_fork")?)?;
            hooks.set_item("after_in_parent", module.getattr("_after_fork")?)?;
            hooks.set_item("after_in_child", module.getattr("_after_fork_in_child")?)?;
            register.call((), Some(&hooks))?;
        }
        // What is public is listed by the package.
        module.delattr("__all__")
    }
}
