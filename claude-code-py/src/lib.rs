//! The Python face of the SDK: it translates, and decides nothing. What Python sees is listed in this file and in
//! `python/claude_code/_claude_code.pyi`.

mod answer;
mod answers;
mod aside;
mod aws_lambda;
mod batch;
mod call;
mod card;
mod check;
mod cli;
mod client;
mod driver;
mod error;
mod event;
mod generation;
mod highlight;
mod json;
mod link;
mod log;
mod money;
mod options;
mod reading;
mod record;
mod runtime;
mod service;
mod shared;
mod store;
mod stream;
mod tally;
mod telemetry;
mod twin;
mod values;

use pyo3::prelude::*;

/// The native module behind `claude_code`.
#[pymodule]
mod _claude_code {
    use super::*;

    #[pymodule_export]
    use answer::{Answer, read_answer};
    #[pymodule_export]
    use aws_lambda::on_lambda;
    #[pymodule_export]
    use batch::{AsyncBatch, Batch, BatchItem};
    #[pymodule_export]
    use call::{Awaitable, wake};
    #[pymodule_export]
    use cli::main;
    #[pymodule_export]
    use client::{AsyncClient, Client};
    #[pymodule_export]
    use event::{FileChunk, FileFinished, FileStarted, Finished, Notice, Text};
    #[pymodule_export]
    use generation::{CodeFile, Generation};
    #[pymodule_export]
    use record::restore;
    #[pymodule_export]
    use runtime::stop;
    #[pymodule_export]
    use service::{AsyncService, Service, ServiceCode};
    #[pymodule_export]
    use store::{AsyncResults, Page, ResultRow, Results};
    #[pymodule_export]
    use stream::{AsyncStream, Stream};
    #[pymodule_export]
    use twin::{Sent, Twin};
    #[pymodule_export]
    use values::{Attempt, Budget, Cached, Diagnostic, Estimate, Finding, Receipt, ReceiptItem, Usage};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        error::export(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        // Before the interpreter goes, no thread of ours may want it any more.
        py.import("atexit")?.call_method1("register", (module.getattr("_stop")?,))?;
        // What is public is listed by the package.
        module.delattr("__all__")
    }
}
