//! The journal of a batch: a file of JSON lines, one for each answer, so that a batch that was killed goes on where it was.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use claude_code_core::{BatchItem, Client, Error, ErrorKind, GenerateRequest, Generation, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How every line begins: what begins otherwise is another program's file, and stays as it is.
const BEGINS: &str = "{\"key\":\"";

/// A line.
#[derive(Serialize, Deserialize)]
struct Line<G> {
    key: String,
    generation: G,
}

/// An item of a batch with a journal.
#[derive(Debug)]
pub struct Entry {
    /// The item.
    pub item: BatchItem,
    /// Whether an earlier run answered and paid for it.
    pub resumed: bool,
}

/// An open journal. No other process can open it meanwhile.
pub struct Journal {
    file: File,
    path: PathBuf,
    /// Where the last whole line ends.
    end: u64,
    answers: HashMap<String, Generation>,
}

// Answers are the user's: Debug tells their number.
impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({} answers)", self.answers.len())
    }
}

impl Journal {
    /// Opens the journal in this file, which is made if it is missing, for its owner alone. A last line that was cut off
    /// is dropped. Fails with `Conflict` while another process has it open, with `InvalidRequest` if it is not a journal.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |what: &str, error: std::io::Error| {
            Error::new(ErrorKind::Storage, format!("journal {} cannot be {what}: {error}", path.display()))
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| failed("opened", error))?;
        file.try_lock().map_err(|_| {
            Error::new(ErrorKind::Conflict, format!("journal {} is in use by another batch", path.display()))
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| failed("read", error))?;
        let (whole, torn) = text.split_at(text.rfind('\n').map_or(0, |at| at + 1));
        let foreign = |number: usize| {
            Error::invalid(format!(
                "line {number} of {} is not a journal's: give another path",
                path.display()
            ))
        };
        let mut answers = HashMap::new();
        for (at, line) in whole.lines().enumerate() {
            let line: Line<Generation> = serde_json::from_str(line).map_err(|_| foreign(at + 1))?;
            answers.insert(line.key, line.generation);
        }
        if !torn.starts_with(BEGINS) && !BEGINS.starts_with(torn) {
            return Err(foreign(whole.lines().count() + 1));
        }
        let mut journal = Journal { file, path: path.to_owned(), end: whole.len() as u64, answers };
        journal.cut().map_err(|error| failed("written", error))?;
        Ok(journal)
    }

    /// As [`Client::batch`], with this journal: what it has is given at once and not sent again; every further answer is
    /// in it before it is given. Failures are not kept: they are asked again. An answer that cannot be written comes as
    /// a `Storage` error with the answer as its `partial`.
    pub fn batch(
        mut self,
        client: &Client,
        requests: impl IntoIterator<Item = GenerateRequest>,
        concurrency: usize,
    ) -> BoxStream<'static, Entry> {
        let (mut kept, mut left, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (index, request) in requests.into_iter().enumerate() {
            let key = key(&request);
            match self.answers.get(&key) {
                Some(answer) => {
                    kept.push(Entry { item: BatchItem { index, result: Ok(answer.clone()) }, resumed: true })
                }
                None => {
                    places.push((index, key));
                    left.push(request);
                }
            }
        }
        self.answers.clear();
        let fresh = client.batch(left, concurrency).map(move |item| {
            let (index, key) = &places[item.index];
            let result = item.result.and_then(|answer| self.keep(key, answer));
            Entry { item: BatchItem { index: *index, result }, resumed: false }
        });
        stream::iter(kept).chain(fresh).boxed()
    }

    fn keep(&mut self, key: &str, answer: Generation) -> Result<Generation> {
        match self.write(key, &answer) {
            Ok(()) => Ok(answer),
            Err(error) => {
                // Half a line would spoil the next one.
                let _ = self.cut();
                let message = format!("journal {} cannot be written: {error}", self.path.display());
                Err(Error::new(ErrorKind::Storage, message).with_partial(answer))
            }
        }
    }

    /// One write, past all buffers of this process: a kill loses nothing of it.
    fn write(&mut self, key: &str, answer: &Generation) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(&Line { key: key.to_owned(), generation: answer })?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.end += line.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end)).map(drop)
    }
}

/// What a request is known by: everything that its answer depends on, and not its place in the batch.
fn key(request: &GenerateRequest) -> String {
    let GenerateRequest { work, language, instructions, tier, model, effort, thinking, .. } = request;
    let GenerateRequest { temperature, max_tokens, skip_validation, .. } = request;
    let rest = format!(
        "{work:?} {language:?} {instructions:?} {tier:?} {model:?} {effort:?} {thinking:?} {temperature:?} {max_tokens:?} \
         {skip_validation:?}"
    );
    let files = request.files.iter().flat_map(|file| [file.path.as_str(), file.content.as_str()]);
    let mut hash = Sha256::new();
    for part in [request.prompt.as_str(), &rest].into_iter().chain(files) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
