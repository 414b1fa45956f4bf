//! Warnings of the library, as lines on stderr.

use std::fmt::{Debug, Write};
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::plain::line;
use super::show::note;

/// The crates whose warnings are for the user; those of others are for their authors.
const OURS: &str = "claude_code";
/// Says that a result was not stored. The last line about the result says it too, with the reason.
const TOLD: &str = "claude_code_core::store::persist";
/// Says that a request is sent again, and why. Commands that show progress tell it with the time that is left.
const RETRY: &str = "claude_code_core::retry";

/// Shows warnings from here on, and with `verbose` all that our crates tell, unless the process has a subscriber of its
/// own. Without `retries` those are left to the command's progress.
pub(crate) fn show(verbose: bool, retries: bool) {
    let least = if verbose { Level::DEBUG } else { Level::WARN };
    let _ = tracing::subscriber::set_global_default(Warnings { least, retries });
}

#[derive(Debug)]
struct Warnings {
    least: Level,
    retries: bool,
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        let is_told = target == TOLD || target == RETRY && !self.retries;
        metadata.is_event() && *metadata.level() <= self.least && target.starts_with(OURS) && !is_told
    }

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        // A live line may stand there: it is drawn again soon.
        let back = if std::io::stderr().is_terminal() { "\r\x1b[K" } else { "" };
        eprint!("{back}");
        let level = match *event.metadata().level() {
            Level::DEBUG => "debug",
            Level::INFO => "note",
            _ => "warning",
        };
        note(&format!("{level}: {}{}", line(&words.message), line(&words.rest)));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// An event's message, and its fields behind it.
#[derive(Default)]
struct Words {
    message: String,
    rest: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            _ => write!(self.rest, ": {value:?}"),
        };
    }
}
