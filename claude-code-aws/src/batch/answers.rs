//! The outputs of a job, kept in a file beside the journal: memory holds where each answer is.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use claude_code_core::request::JobAnswer;
use claude_code_core::{Cost, Error, ErrorKind, PicoUsd, Result, Usage};

use super::record::{self, Outcome};

/// The answers of one job.
#[derive(Debug, Default)]
pub struct Answers {
    file: Option<(File, PathBuf)>,
    end: u64,
    found: HashMap<String, (u64, usize)>,
    /// Records that failed, and the reason of one of them.
    failed: HashSet<String>,
    reason: Option<String>,
    /// What the answers cost, as far as their usage tells.
    cost: u64,
    /// Answers that do not tell what they used.
    without_usage: usize,
}

/// A file for its owner alone, new.
pub(super) fn private(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| unwritable(path, &error))
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("cannot write {}: {error}", path.display()))
}

impl Answers {
    /// None yet; they will be in this file.
    pub fn new(path: &Path) -> Result<Self> {
        let mut answers = Answers::default();
        answers.file = Some((private(path)?, path.to_owned()));
        Ok(answers)
    }

    /// Takes a line of an output. Torn lines, records that were not asked about and repeats of a line say nothing.
    pub fn take(&mut self, line: &[u8], asked: &HashSet<&str>, cost: impl Fn(&Usage) -> Cost) -> Result<()> {
        let Some((id, outcome)) = record::outcome(line) else { return Ok(()) };
        if !asked.contains(id.as_str()) || self.found.contains_key(&id) {
            return Ok(());
        }
        match outcome {
            Outcome::Error(why) => {
                self.reason.get_or_insert(why);
                self.failed.insert(id);
            }
            Outcome::Answer(answer) => {
                let cost = answer.usage.as_ref().map_or(Cost::UNPRICED, cost);
                self.cost = self.cost.saturating_add(cost.known().0);
                self.without_usage += usize::from(answer.usage.is_none());
                self.failed.remove(&id);
                let at = self.end;
                if let Some((file, path)) = &mut self.file {
                    file.write_all(line).map_err(|error| unwritable(path, &error))?;
                }
                self.end += line.len() as u64;
                self.found.insert(id, (at, line.len()));
            }
        }
        Ok(())
    }

    /// The answer to a record.
    pub fn get(&mut self, id: &str) -> Result<Option<JobAnswer>> {
        let (Some((at, length)), Some((file, path))) = (self.found.get(id), &mut self.file) else {
            return Ok(None);
        };
        let mut line = vec![0; *length];
        file.seek(SeekFrom::Start(*at)).and_then(|_| file.read_exact(&mut line)).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("cannot read {}: {error}", path.display()))
        })?;
        Ok(match record::outcome(&line) {
            Some((_, Outcome::Answer(answer))) => Some(answer),
            _ => None,
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    /// What the answers cost.
    pub fn cost(&self) -> PicoUsd {
        PicoUsd(self.cost)
    }

    /// How many of the answers do not tell what they used.
    pub fn without_usage(&self) -> usize {
        self.without_usage
    }

    /// How many records failed, and why one of them did.
    pub fn failed(&self) -> (usize, Option<&str>) {
        (self.failed.len(), self.reason.as_deref())
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        if let Some((_, path)) = self.file.take() {
            // It is in S3 as well.
            let _ = std::fs::remove_file(path);
        }
    }
}
