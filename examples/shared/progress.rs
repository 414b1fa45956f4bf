//! Progress view: a line for each finished file on stderr, and on a terminal a live line for the one being written.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};

use claude_code_aws::{CodeFile, Event, Language};

use crate::terminal::{note, plain};

/// Files as they arrive.
#[derive(Debug, Default)]
pub struct Progress {
    files: BTreeMap<usize, Arriving>,
}

#[derive(Debug, Default)]
struct Arriving {
    path: Option<String>,
    revision: u32,
    text: String,
    is_finished: bool,
}

impl Progress {
    /// Shows an event; true if it finished a file.
    pub fn see(&mut self, event: &Event) -> bool {
        match event {
            Event::FileStarted { index, path, revision, .. } => {
                let arriving = Arriving { path: path.clone(), revision: *revision, ..Arriving::default() };
                self.files.insert(*index, arriving);
            }
            Event::FileChunk { index, revision, text, .. } => {
                if let Some(file) = self.files.get_mut(index).filter(|file| file.revision == *revision) {
                    file.text.push_str(text);
                    live(&format!("{}  {} lines", file.name(), file.text.lines().count()));
                }
            }
            Event::FileFinished { index, complete, .. } => {
                let Some(file) = self.files.get_mut(index) else { return false };
                file.is_finished = *complete;
                let mark = if *complete { "✓" } else { "…" };
                let lines = file.text.lines().count();
                clear();
                note(&format!("  {mark} {}  {lines} lines", file.name()));
                return *complete;
            }
            Event::Notice { why, model, .. } => {
                clear();
                note(&format!("  {why}: {model}"));
            }
            _ => {}
        }
        false
    }

    /// The named files that have arrived whole so far.
    pub fn finished(&self) -> Vec<CodeFile> {
        let whole = self.files.values().filter(|file| file.is_finished);
        whole
            .filter_map(|file| {
                let path = file.path.clone()?;
                let language = Language::text();
                let content = file.text.clone();
                Some(CodeFile { path: Some(path), language, content, complete: true, rejected: None })
            })
            .collect()
    }
}

impl Arriving {
    fn name(&self) -> String {
        plain(self.path.as_deref().unwrap_or("(unnamed)"))
    }
}

fn live(text: &str) {
    if std::io::stderr().is_terminal() {
        let text: String = text.chars().take(76).collect();
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K  {text}");
    }
}

/// Takes the live line back.
pub fn clear() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
    }
}
