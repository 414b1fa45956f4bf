//! The journal of a batch: a file of JSON lines, one for each answer, so that a batch that was killed goes on where it was.
//!
//! A line is written before its answer is given: a kill loses nothing. The disk is synchronised by group commit, once for
//! up to 64 answers or 50 ms: a loss of power takes no more than that. Answers stay in the file; memory holds where they are.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use claude_code_core::batch::{BatchOptions, Scheduler};
use claude_code_core::{BatchItem, Client, Error, ErrorKind, GenerateRequest, Generation, PicoUsd, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde::{Deserialize, Serialize};

use super::batch_manifest::{Key, Manifest, Repeats};
use super::file_sync::FileSync;
use crate::batch::job::{self, Job, JobEvent, JobLine};

/// How every line begins: what begins otherwise is another program's file, and stays as it is.
const BEGINS: &str = "{\"key\":\"";

/// A line about an answer.
#[derive(Serialize, Deserialize)]
struct Line<G> {
    key: Key,
    generation: G,
}

/// What is needed of an answer to know that it is one, and what it cost.
type Kept = Line<Generation>;

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
    sync: FileSync,
    path: PathBuf,
    /// Where the last whole line ends.
    end: u64,
    /// Where each answer's line is: its begin and its length.
    answers: HashMap<Key, (u64, usize)>,
    manifest: Option<Manifest>,
    jobs: Vec<Job>,
    spent: PicoUsd,
}

// Answers are the user's: Debug tells their number.
impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Journal({} answers)", self.answers.len())
    }
}

/// What is in a journal's file.
struct Scan {
    answers: HashMap<Key, (u64, usize)>,
    manifest: Option<Manifest>,
    jobs: Vec<Job>,
    spent: PicoUsd,
    end: u64,
    /// The number of a line that is not a journal's.
    foreign: Option<usize>,
    /// Whether the last line is whole but for its end.
    is_unended: bool,
}

impl Scan {
    /// Reads every whole line, and looks whether what is behind the last one is the begin of another.
    fn of(file: &File) -> std::io::Result<Self> {
        let mut reader = BufReader::new(file);
        let mut scan = Scan {
            answers: HashMap::new(),
            manifest: None,
            jobs: Vec::new(),
            spent: PicoUsd::ZERO,
            end: 0,
            foreign: None,
            is_unended: false,
        };
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let is_torn = line.last() != Some(&b'\n');
            // A kill may have come between an answer's last byte and the end of its line.
            if is_torn && scan.note(&line) {
                scan.is_unended = true;
                break;
            }
            if is_torn {
                let begins = BEGINS.as_bytes();
                scan.foreign = (!line.starts_with(begins) && !begins.starts_with(&line)).then_some(number);
                break;
            }
            if !scan.note(&line) {
                scan.foreign = Some(number);
                break;
            }
        }
        Ok(scan)
    }

    /// False: the line is not a journal's.
    fn note(&mut self, line: &[u8]) -> bool {
        if let Ok(Kept { key, generation }) = serde_json::from_slice(line) {
            let cost = generation.receipt.total().known();
            self.spent = self.spent.saturating_add(cost);
            self.answers.insert(key, (self.end, line.len()));
        } else if let Ok(manifest) = serde_json::from_slice(line) {
            self.manifest = Some(manifest);
        } else if let Ok(line) = serde_json::from_slice(line) {
            job::apply(&mut self.jobs, line);
        } else {
            return false;
        }
        self.end += line.len() as u64;
        true
    }
}

fn foreign(path: &Path, number: usize) -> Error {
    Error::invalid(format!("line {number} of {} is not a journal's: give another path", path.display()))
}

/// A look at a journal that another process may have open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Look {
    /// Requests of the batch.
    pub requests: usize,
    /// How many of them are answered.
    pub answers: usize,
    /// What the answers cost.
    pub spent: PicoUsd,
    /// Whether a process works on it now.
    pub is_open: bool,
    /// Its batch jobs.
    pub jobs: Vec<Job>,
}

impl Look {
    /// Looks at the journal in this file and changes nothing.
    pub fn at(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Storage, format!("journal {} cannot be read: {error}", path.display()))
        };
        let file = File::open(path).map_err(failed)?;
        let is_open = file.try_lock_shared().is_err();
        let scan = Scan::of(&file).map_err(failed)?;
        if let Some(number) = scan.foreign {
            return Err(foreign(path, number));
        }
        let kept = scan.answers.len();
        let (requests, answers) =
            scan.manifest.as_ref().map_or((kept, kept), |all| (all.len(), all.answered(scan.answers.keys())));
        Ok(Look { requests, answers, spent: scan.spent, is_open, jobs: scan.jobs })
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
        let file = options.open(path).map_err(|error| failed("opened", error))?;
        file.try_lock().map_err(|_| {
            Error::new(ErrorKind::Conflict, format!("journal {} is in use by another batch", path.display()))
        })?;
        let sync = FileSync::start(&file).map_err(|error| failed("written", error))?;
        let scan = Scan::of(&file).map_err(|error| failed("read", error))?;
        let Scan { answers, manifest, jobs, spent, end, is_unended, .. } = match scan.foreign {
            Some(number) => return Err(foreign(path, number)),
            None => scan,
        };
        let mut journal = Journal { file, sync, path: path.to_owned(), end, answers, manifest, jobs, spent };
        journal.cut().map_err(|error| failed("written", error))?;
        if is_unended {
            journal.file.write_all(b"\n").map_err(|error| failed("written", error))?;
            journal.end += 1;
        }
        Ok(journal)
    }

    /// What the batch was begun with, where that is known.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Answers that are kept.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether no answer is kept.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Whether the answer under this key is kept.
    pub fn has(&self, key: &Key) -> bool {
        self.answers.contains_key(key)
    }

    /// What the kept answers cost.
    pub fn spent(&self) -> PicoUsd {
        self.spent
    }

    /// Its batch jobs.
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The file that it is in.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Notes what happens to a job, before or after it happens.
    pub fn note_job(&mut self, token: &str, event: JobEvent) -> Result<()> {
        let line = JobLine::new(token, event);
        self.write(&line).map_err(|error| self.unwritable(&error))?;
        job::apply(&mut self.jobs, line);
        Ok(())
    }

    /// Notes what the batch consists of from now on.
    pub fn begin(&mut self, manifest: Manifest) -> Result<()> {
        if self.manifest.as_ref() != Some(&manifest) {
            self.write(&manifest).map_err(|error| self.unwritable(&error))?;
            self.manifest = Some(manifest);
        }
        Ok(())
    }

    /// As [`Client::batch`], with this journal: what it has is given and not sent again; every further answer is in it
    /// before it is given. Failures are not kept: they are asked again. An answer that cannot be written comes as a
    /// `Storage` error with the answer as its `partial`.
    pub fn batch(
        self,
        client: &Client,
        requests: impl IntoIterator<Item = GenerateRequest, IntoIter: Send + 'static>,
        concurrency: usize,
    ) -> BoxStream<'static, Entry> {
        self.batch_with(client, requests, BatchOptions::new(concurrency))
    }

    /// As [`batch`](Self::batch), with a cap, a quota or an id.
    pub fn batch_with(
        self,
        client: &Client,
        requests: impl IntoIterator<Item = GenerateRequest, IntoIter: Send + 'static>,
        options: BatchOptions,
    ) -> BoxStream<'static, Entry> {
        let concurrency = options.concurrency.max(1);
        let scheduler = Scheduler::new(client, options, self.spent);
        let mut repeats = Repeats::default();
        let items = requests.into_iter().enumerate().map(move |(index, request)| {
            let key = repeats.key(&request);
            (index, key, repeats.shared_key(&request, key), request)
        });
        entries(Arc::new(Mutex::new(self)), client, &scheduler, items, concurrency)
    }

    /// The answer of an earlier run: the item's own, or that of the equal request whose answer it shares.
    fn kept(&mut self, key: &Key, shared: &Key, client: &Client) -> Option<Result<Generation>> {
        let own = self.answer(key);
        own.or_else(|| Some(self.answer(shared)?.map(|answer| client.merged(&answer))))
    }

    /// The answer under this key.
    fn answer(&mut self, key: &Key) -> Option<Result<Generation>> {
        let (at, length) = *self.answers.get(key)?;
        let mut line = vec![0; length];
        let read = self.file.seek(SeekFrom::Start(at)).and_then(|_| self.file.read_exact(&mut line));
        let path = self.path.display();
        Some(match read.map(|()| serde_json::from_slice::<Kept>(&line)) {
            Ok(Ok(kept)) => Ok(kept.generation),
            Ok(Err(_)) => {
                Err(Error::new(ErrorKind::Storage, format!("journal {path} was changed while it was open")))
            }
            Err(error) => {
                Err(Error::new(ErrorKind::Storage, format!("journal {path} cannot be read: {error}")))
            }
        })
    }

    /// Writes an answer, and gives it when it is written.
    pub(crate) fn keep(&mut self, key: &Key, answer: Generation) -> Result<Generation> {
        match self.write(&Line { key: *key, generation: &answer }) {
            Ok(()) => Ok(answer),
            Err(error) => {
                // Half a line would spoil the next one.
                let _ = self.cut();
                Err(self.unwritable(&error).with_partial(answer))
            }
        }
    }

    fn unwritable(&self, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::Storage, format!("journal {} cannot be written: {error}", self.path.display()))
    }

    /// One write, past all buffers of this process: a kill loses nothing of it.
    fn write(&mut self, line: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(line)?;
        line.push(b'\n');
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&line)?;
        self.end += line.len() as u64;
        self.sync.written();
        Ok(())
    }

    fn cut(&mut self) -> std::io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.seek(SeekFrom::Start(self.end)).map(drop)
    }
}

/// An item on its way: its place, its own key, the key of the answer that it shares, and the request.
pub(crate) type Item = (usize, Key, Key, GenerateRequest);

/// The items' answers: what the journal has is given, every other answer is in it before it is given.
pub(crate) fn entries(
    journal: Arc<Mutex<Journal>>,
    client: &Client,
    scheduler: &Scheduler,
    items: impl Iterator<Item = Item> + Send + 'static,
    concurrency: usize,
) -> BoxStream<'static, Entry> {
    let (client, scheduler) = (client.clone(), scheduler.clone());
    let entries = stream::iter(items).map(move |(index, key, shared, request)| {
        let (scheduler, journal, client) = (scheduler.clone(), journal.clone(), client.clone());
        async move {
            if let Some(kept) = locked(&journal).kept(&key, &shared, &client) {
                return Entry { item: BatchItem { index, result: kept }, resumed: true };
            }
            let answered = scheduler.generate(request).await;
            let result = answered.and_then(|answer| locked(&journal).keep(&key, answer));
            Entry { item: BatchItem { index, result }, resumed: false }
        }
    });
    entries.buffer_unordered(concurrency).boxed()
}

pub(crate) fn locked(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}
