//! Batch input: a file of JSON lines with a prompt each, read several times so that it need not fit into memory. A pipe can be
//! read once only and is kept in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use claude_code_core::{Error, ErrorKind, GenerateRequest, Result};
use serde_json::Value;

use crate::clock::Moment;
use crate::files::batch_manifest::{Key, Repeats};
pub(crate) use crate::http::request::generate_body::line_schema as schema;
use crate::http::request::generate_body::of_line;

/// The longest line. The core refuses what is longer than 8 MiB in all.
const MAX_LINE: usize = 16 << 20;

/// A line of the file that says something.
pub(crate) enum Line {
    /// A request.
    Request {
        /// The caller's name for it.
        id: Option<Box<str>>,
    },
    /// Not a request, and why.
    Bad {
        /// What is wrong, with the line's number.
        why: String,
    },
}

/// What is in the file.
pub(crate) struct Input {
    source: Source,
    /// Each line that is not blank, with its number.
    lines: Vec<(u64, Line)>,
    keys: Vec<Key>,
    /// Requests that share the answer of an earlier equal one.
    repeats: usize,
}

impl Input {
    /// Reads the file once. A line that is no request is noted, not fatal. Fails if the file cannot be read, or has none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let source = Source::of(path)?;
        let mut input = Input { source, lines: Vec::new(), keys: Vec::new(), repeats: 0 };
        let mut repeats = Repeats::default();
        for (number, line) in (1..).zip(input.source.lines()?) {
            match line?.map(|text| parsed(&text)) {
                None => {}
                Some(Ok((id, request))) => {
                    let key = repeats.key(&request);
                    input.keys.push(repeats.shared_key(&request, key));
                    input.repeats += usize::from(repeats.is_shared(&request));
                    input.lines.push((number, Line::Request { id: id.map(Into::into) }));
                }
                Some(Err(why)) => {
                    let why = format!("line {number} of {}: {why}", path.display());
                    input.lines.push((number, Line::Bad { why }));
                }
            }
        }
        if input.lines.is_empty() {
            let path = path.display();
            return Err(Error::invalid(format!(
                "{path} has no requests: a line is {{\"prompt\": \"…\"}} (see batch --schema)"
            )));
        }
        Ok(input)
    }

    /// Lines that say something, with their numbers.
    pub(crate) fn lines(&self) -> &[(u64, Line)] {
        &self.lines
    }

    /// Those that are no requests.
    pub(crate) fn bad(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|(_, line)| match line {
            Line::Bad { why } => Some(why.as_str()),
            Line::Request { .. } => None,
        })
    }

    /// The key of each request, as the manifest notes it: repeats that share an answer have one key.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// How many requests there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// How many of them share an earlier one's answer.
    pub(crate) fn repeats(&self) -> usize {
        self.repeats
    }
}

/// The requests of the file, one after the other, as there is room for them.
pub(crate) struct Requests(Lines);

impl Requests {
    /// The requests as often as they are read.
    pub(crate) fn again(input: &Input) -> crate::batch::Requests {
        let source = input.source.clone();
        Arc::new(move || Ok(Box::new(Requests(source.lines()?)) as Box<dyn Iterator<Item = _> + Send>))
    }

    pub(crate) fn open(input: &Input) -> Result<Self> {
        input.source.lines().map(Requests)
    }
}

impl Iterator for Requests {
    type Item = GenerateRequest;

    fn next(&mut self) -> Option<GenerateRequest> {
        // What could not be read the first time was reported then.
        loop {
            if let Some(Ok((_, request))) = self.0.next()?.ok()?.map(|text| parsed(&text)) {
                return Some(request);
            }
        }
    }
}

/// Where the lines are, as often as they are read.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    held: Held,
}

#[derive(Clone)]
enum Held {
    /// A file of so many bytes, changed last at this moment: what is read of it later must be the same.
    File { bytes: u64, changed: Option<Moment> },
    /// What came through a pipe.
    Memory(Arc<[u8]>),
}

/// Standard input, as a path.
const STDIN: &str = "-";

impl Source {
    fn of(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let failed = |error: std::io::Error| unreadable(&path, &error);
        if path.as_os_str() == STDIN {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
            return Ok(Source { path, held: Held::Memory(bytes.into()) });
        }
        let mut file = File::open(&path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let held = if about.is_file() || about.is_dir() {
            Held::File { bytes: about.len(), changed: about.modified().ok() }
        } else {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            Held::Memory(bytes.into())
        };
        Ok(Source { path, held })
    }

    /// The lines from the first one on. Fails where the file is not the same any more.
    fn lines(&self) -> Result<Lines> {
        let reader: Box<dyn BufRead + Send> = match &self.held {
            Held::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Held::File { bytes, changed } => {
                let failed = |error: std::io::Error| unreadable(&self.path, &error);
                let file = File::open(&self.path).map_err(failed)?;
                let about = file.metadata().map_err(failed)?;
                if about.len() != *bytes || about.modified().ok() != *changed {
                    let path = self.path.display();
                    return Err(Error::invalid(format!("{path} changed while it was read: start again")));
                }
                // Lines that somebody adds meanwhile are not of this batch.
                Box::new(BufReader::new(file.take(*bytes)))
            }
        };
        Ok(Lines { reader, path: self.path.clone() })
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid(format!("cannot read {}: {error}", path.display()))
}

/// The lines of a file; none for a blank one.
struct Lines {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
}

impl Iterator for Lines {
    type Item = Result<Option<String>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        match self.reader.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                // A file from Windows may begin with a byte order mark. What is no UTF-8 is no JSON either: it is told so.
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim_start_matches('\u{feff}').trim();
                Some(Ok((!text.is_empty()).then(|| text.to_owned())))
            }
            Err(error) => {
                let message = format!("cannot read {}: {error}", self.path.display());
                Some(Err(Error::new(ErrorKind::Storage, message)))
            }
        }
    }
}

/// The request of a line and the caller's name for it: an object, or the prompt alone as a string.
fn parsed(text: &str) -> std::result::Result<(Option<String>, GenerateRequest), String> {
    if text.len() > MAX_LINE {
        return Err(format!("the line has {} bytes, {MAX_LINE} is the most", text.len()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    match value {
        Value::String(prompt) if !prompt.trim().is_empty() => Ok((None, GenerateRequest::new(prompt))),
        Value::Object(mut members) => {
            let id = match members.remove("id") {
                None | Some(Value::Null) => None,
                Some(Value::String(id)) => Some(id),
                Some(Value::Number(id)) => Some(id.to_string()),
                Some(_) => return Err("id: it takes a string or a number".to_owned()),
            };
            of_line(members).map(|request| (id, request))
        }
        _ => {
            Err("a line is an object with a prompt, or the prompt as a string (see batch --schema)"
                .to_owned())
        }
    }
}
