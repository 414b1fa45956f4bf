//! Shards: the records of a model in files that the service takes, each a job of its own.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use claude_code_core::batch::JobCall;
use claude_code_core::{Cost, Result};
use sha2::{Digest, Sha256};

use super::answers::{private, unwritable};
use super::job::Job;
use super::lane::{JobName, JobSpec};
use super::record;
use crate::files::batch_manifest::Key;

/// What one job takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records of a job, at most (AWS: 50,000).
    pub records: usize,
    /// Bytes of its file, at most (AWS: 1 GB).
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { records: 50_000, bytes: 1_000_000_000 }
    }
}

/// The records of one job.
#[derive(Debug)]
pub struct Shard {
    /// The job.
    pub spec: JobSpec,
    /// The id that names the model's price.
    pub priced_as: String,
    /// The ids of its records.
    pub records: Vec<String>,
    /// The most that they cost.
    pub ceiling: Cost,
}

impl Drop for Shard {
    fn drop(&mut self) {
        // It is in S3, or is written anew.
        let _ = std::fs::remove_file(&self.spec.records);
    }
}

/// Writes the shards of one group of requests.
pub struct Writer<'b> {
    batch: &'b str,
    /// Jobs of the batch that have ended: the same content again is a new job. One that may not have been made keeps its token.
    round: usize,
    journal: &'b Path,
    limits: Limits,
    /// Records of a shard, so that all shards are about as large.
    each: usize,
    hours: u16,
    open: Option<Open>,
    full: Vec<Shard>,
}

struct Open {
    file: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
    hash: Sha256,
    records: Vec<String>,
    ceiling: Cost,
    model: String,
    priced_as: String,
}

impl<'b> Writer<'b> {
    /// For a group of so many requests of the batch with this id and journal.
    pub fn new(
        batch: &'b str,
        journal: &'b Path,
        jobs: &[Job],
        requests: usize,
        limits: Limits,
        hours: u16,
    ) -> Self {
        let shards = requests.div_ceil(limits.records).max(1);
        let each = requests.div_ceil(shards);
        let round = jobs.iter().filter(|job| job.ended.is_some()).count();
        Writer { batch, round, journal, limits, each, hours, open: None, full: Vec::new() }
    }

    /// Adds a request and gives the number of its shard.
    pub fn add(&mut self, key: &Key, call: &JobCall) -> Result<usize> {
        let id = record::id(key);
        let line = record::line(&id, &call.call);
        let more = line.len() as u64 + 1;
        let is_full = |open: &Open| open.records.len() >= self.each || open.bytes + more > self.limits.bytes;
        if self.open.as_ref().is_some_and(is_full) {
            self.close()?;
        }
        let number = self.full.len();
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                let path = self.journal.with_extension(format!("records-{number}-{}", &id[..8]));
                let file = BufWriter::new(private(&path)?);
                let model = call.estimate.model.clone();
                let mut hash = Sha256::new();
                hash.update(format!("{} {} {model}\n", self.batch, self.round));
                none.insert(Open {
                    file,
                    path,
                    bytes: 0,
                    hash,
                    records: Vec::new(),
                    ceiling: Cost::ZERO,
                    model,
                    priced_as: call.priced_as.to_string(),
                })
            }
        };
        writeln!(open.file, "{line}").map_err(|error| unwritable(&open.path, &error))?;
        open.hash.update(&line);
        open.bytes += more;
        open.ceiling = open.ceiling + call.ceiling;
        open.records.push(id);
        Ok(number)
    }

    fn close(&mut self) -> Result<()> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.file.flush().map_err(|error| unwritable(&open.path, &error))?;
        let token: String = open.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let name = JobName {
            name: format!("{}-{}", self.batch, &token[..8]),
            folder: format!("{}/{}", self.batch, &token[..16]),
            token,
        };
        let spec = JobSpec { name, model: open.model, records: open.path, hours: self.hours };
        let (priced_as, records, ceiling) = (open.priced_as, open.records, open.ceiling);
        self.full.push(Shard { spec, priced_as, records, ceiling });
        Ok(())
    }

    /// The shards.
    pub fn finish(mut self) -> Result<Vec<Shard>> {
        self.close()?;
        Ok(std::mem::take(&mut self.full))
    }
}
