//! Batch output: a JSON line for each line of the input, in input order or as completed.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use claude_code_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::input::{Input, Line};
use crate::cli::output::problem;
use crate::files::batch_journal::Entry;
use crate::files::json_line::json_line;

/// Writes results.
pub(crate) struct Output {
    file: BufWriter<File>,
    path: PathBuf,
    /// The members that each line of the output begins with, or the whole line where the input's was bad.
    lines: Vec<Begin>,
    /// Where each request is among the lines.
    requests: Vec<usize>,
    ordered: bool,
    /// Lines that wait for an earlier one.
    waiting: BTreeMap<usize, String>,
    next: usize,
}

enum Begin {
    Request { number: u64, id: Option<Box<str>> },
    Bad(String),
}

impl Output {
    /// Opens the file for its owner alone. What an earlier run of the same batch wrote is written again from its journal.
    pub(crate) fn open(path: &Path, input: &Input, ordered: bool) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| unwritable(path, &error))?;
        let (mut lines, mut requests) = (Vec::new(), Vec::new());
        for (at, (number, line)) in input.lines().iter().enumerate() {
            lines.push(match line {
                Line::Request { id } => {
                    requests.push(at);
                    Begin::Request { number: *number, id: id.clone() }
                }
                Line::Bad { why } => Begin::Bad(text(*number, None, "error", &bad(why))),
            });
        }
        let mut output = Output {
            file: BufWriter::new(file),
            path: path.to_owned(),
            lines,
            requests,
            ordered,
            waiting: BTreeMap::new(),
            next: 0,
        };
        output.bad_lines()?;
        Ok(output)
    }

    /// Those whose turn has come.
    fn bad_lines(&mut self) -> Result<()> {
        if self.ordered {
            return self.advance();
        }
        let bad: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| match line {
                Begin::Bad(text) => Some(text.clone()),
                Begin::Request { .. } => None,
            })
            .collect();
        bad.iter().try_for_each(|line| self.write(line))?;
        self.flush()
    }

    /// Writes an item, or keeps it until its turn has come.
    pub(crate) fn put(&mut self, entry: Entry) -> Result<()> {
        let Some(at) = self.requests.get(entry.item.index).copied() else { return Ok(()) };
        let Some(Begin::Request { number, id }) = self.lines.get(at) else { return Ok(()) };
        let line = match &entry.item.result {
            Ok(generation) => text(*number, id.as_deref(), "result", &generation.schema()),
            Err(error) => text(*number, id.as_deref(), "error", &problem::value(error)),
        };
        if !self.ordered {
            self.write(&line)?;
            return self.flush();
        }
        self.waiting.insert(at, line);
        self.advance()
    }

    fn advance(&mut self) -> Result<()> {
        while let Some(line) = self.lines.get(self.next) {
            let line = match line {
                Begin::Bad(text) => text.clone(),
                Begin::Request { .. } => match self.waiting.remove(&self.next) {
                    Some(line) => line,
                    None => break,
                },
            };
            self.write(&line)?;
            self.next += 1;
        }
        self.flush()
    }

    /// Writes what still waits: a batch that ends early has gaps, not losses.
    pub(crate) fn finish(mut self) -> Result<()> {
        for line in std::mem::take(&mut self.waiting).into_values() {
            self.write(&line)?;
        }
        self.flush()
    }

    fn write(&mut self, line: &str) -> Result<()> {
        writeln!(self.file, "{line}").map_err(|error| unwritable(&self.path, &error))
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(|error| unwritable(&self.path, &error))
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!("cannot write {}: {error}; what was answered is in the journal", path.display()),
    )
}

fn bad(why: &str) -> Value {
    json!({ "kind": ErrorKind::InvalidRequest.as_str(), "message": why })
}

/// `{"line": 1, "id": "a", "result": {…}}`
fn text(number: u64, id: Option<&str>, name: &str, value: &Value) -> String {
    let mut members = serde_json::Map::new();
    members.insert("line".to_owned(), number.into());
    if let Some(id) = id {
        members.insert("id".to_owned(), id.into());
    }
    members.insert(name.to_owned(), value.clone());
    json_line(&Value::Object(members))
}
