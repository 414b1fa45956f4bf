//! What the library reports goes to Python's `logging`, logger `claude_code`: if the program has imported it.

use std::fmt::{Debug, Write};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::runtime;
use crate::runtime::interrupts;

/// Sends events on. Spans are not kept: what Python sees is one line for each event.
struct Bridge;

/// From here on events go to `logging`. A host that collects them otherwise was there first, and keeps them.
pub(crate) fn install() {
    let _ = tracing::subscriber::set_global_default(Bridge);
}

impl Subscriber for Bridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Other crates' events may hold what users and models wrote.
        *metadata.level() <= Level::INFO && metadata.target().starts_with("claude_code")
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        if runtime::is_stopped() {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        let level = match *event.metadata().level() {
            Level::ERROR => 40,
            Level::WARN => 30,
            _ => 20,
        };
        Python::try_attach(|py| interrupts::keep(py, send(py, level, &line.text)));
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

fn send(py: Python<'_>, level: u8, line: &str) -> PyResult<()> {
    let modules = py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?;
    // Who never imported logging has set up nothing that could receive it.
    let Some(logging) = modules.get_item("logging")? else { return Ok(()) };
    let logger = logging.call_method1("getLogger", ("claude_code",))?;
    if !logger.getattr("handlers")?.is_truthy()? {
        // As libraries do: without this an unconfigured program would get our lines on standard error.
        logger.call_method1("addHandler", (logging.call_method0("NullHandler")?,))?;
    }
    logger.call_method1("log", (level, "%s", line))?;
    Ok(())
}

/// An event as one line: its message, then its fields.
#[derive(Default)]
struct Line {
    text: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = if field.name() == "message" {
            write!(self.text, "{value:?}")
        } else {
            write!(self.text, " {}={value:?}", field.name())
        };
    }
}
