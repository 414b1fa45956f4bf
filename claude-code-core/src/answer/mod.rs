//! Values of an answer: files with their paths and languages, the stop reason, and diagnostics about them.

pub mod auto_run;
pub mod diagnostic;
pub mod file;
pub mod language;
pub mod path;
pub mod stop_reason;
