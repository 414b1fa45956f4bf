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

/// How full a shard is.
#[derive(Clone, Copy, Debug)]
struct Fill {
    limits: Limits,
    records: usize,
    bytes: u64,
}

impl Fill {
    /// Nothing yet.
    fn new(limits: Limits) -> Self {
        Fill { limits, records: 0, bytes: 0 }
    }

    /// Whether a line of so many bytes, its end included, has room.
    fn takes(&self, line: u64) -> bool {
        self.records < self.limits.records && self.bytes.saturating_add(line) <= self.limits.bytes
    }

    fn add(&mut self, line: u64) {
        self.records += 1;
        self.bytes += line;
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
    /// What one shard takes; of records not more than makes all shards about as large.
    limits: Limits,
    hours: u16,
    open: Option<Open>,
    full: Vec<Shard>,
}

struct Open {
    file: BufWriter<File>,
    path: PathBuf,
    fill: Fill,
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
        let limits = Limits { records: requests.div_ceil(shards), ..limits };
        let round = jobs.iter().filter(|job| job.ended.is_some()).count();
        Writer { batch, round, journal, limits, hours, open: None, full: Vec::new() }
    }

    /// Adds a request and gives the number of its shard.
    pub fn add(&mut self, key: &Key, call: &JobCall) -> Result<usize> {
        let id = record::id(key);
        let line = record::line(&id, &call.call);
        let more = line.len() as u64 + 1;
        if self.open.as_ref().is_some_and(|open| !open.fill.takes(more)) {
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
                    fill: Fill::new(self.limits),
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
        open.fill.add(more);
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

#[cfg(test)]
mod tests {
    use super::{Fill, Limits};

    /// Records of each shard, for so many lines of so many bytes.
    fn shards(limits: Limits, lines: usize, bytes: u64) -> Vec<usize> {
        let (mut shards, mut open) = (Vec::new(), Fill::new(limits));
        for _ in 0..lines {
            if !open.takes(bytes) {
                shards.push(open);
                open = Fill::new(limits);
            }
            open.add(bytes);
        }
        shards.push(open);
        assert!(shards.iter().all(|fill| fill.bytes <= limits.bytes && fill.records <= limits.records));
        shards.iter().map(|fill| fill.records).collect()
    }

    #[test]
    fn a_shard_has_fifty_thousand_records_or_a_gigabyte_and_not_a_byte_more() {
        let limits = Limits::default();
        assert_eq!((limits.records, limits.bytes), (50_000, 1_000_000_000));
        // 20,000 bytes each are a gigabyte to the byte; one more byte each does not fit any more.
        assert_eq!(shards(limits, 50_000, 20_000), [50_000]);
        assert_eq!(shards(limits, 50_001, 20_000), [50_000, 1]);
        assert_eq!(shards(limits, 50_000, 20_001), [49_997, 3]);
        // Eight megabytes are the longest request: 119 of them and no more.
        assert_eq!(shards(limits, 300, 8 << 20), [119, 119, 62]);
        assert_eq!(shards(limits, 120_000, 500), [50_000, 50_000, 20_000]);
        let mut last = Fill::new(limits);
        last.add(999_999_999);
        assert!(last.takes(1) && !last.takes(2) && !last.takes(u64::MAX));
    }
}
