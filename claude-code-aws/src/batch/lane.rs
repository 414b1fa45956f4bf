//! The seam to a batch engine: a service that answers a file of requests within hours, for less.

use std::path::PathBuf;

use claude_code_core::Error;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// A job, by what it was or will be submitted as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobName {
    /// The idempotency token: made from the content, so that the same records are never submitted twice.
    pub token: String,
    /// The name, which carries the batch's id.
    pub name: String,
    /// Where the lane keeps the job's files; the lane adds its own root.
    pub folder: String,
}

/// A job to be submitted.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Its name.
    pub name: JobName,
    /// The model, as it is sent.
    pub model: String,
    /// The file of records, a JSON line each.
    pub records: PathBuf,
    /// After so many hours the engine gives up.
    pub hours: u16,
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobStatus {
    /// Not begun.
    Waiting,
    /// Records are being answered.
    Running,
    /// It was told to stop.
    Stopping,
    /// All records were tried. That is no success: each may have failed.
    Completed,
    /// The time was over before all records were tried.
    Partial,
    /// It was stopped.
    Stopped,
    /// The time was over before it began.
    Expired,
    /// It was refused when it was looked at.
    Failed,
}

impl JobStatus {
    /// Whether nothing changes any more.
    pub fn is_final(self) -> bool {
        !matches!(self, JobStatus::Waiting | JobStatus::Running | JobStatus::Stopping)
    }

    /// As messages name it.
    pub fn as_str(self) -> &'static str {
        match self {
            JobStatus::Waiting => "waiting",
            JobStatus::Running => "running",
            JobStatus::Stopping => "stopping",
            JobStatus::Completed => "completed",
            JobStatus::Partial => "partially completed",
            JobStatus::Stopped => "stopped",
            JobStatus::Expired => "expired",
            JobStatus::Failed => "failed",
        }
    }
}

/// A job as the engine tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// The engine's id.
    pub id: String,
    /// Where it is.
    pub status: JobStatus,
    /// What the engine adds, such as why it failed.
    pub message: Option<String>,
    /// Records that were answered, as far as the engine has counted.
    pub succeeded: u64,
}

/// Why an engine did not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum LaneError {
    /// It will not: nothing was made, and the same again will be refused again.
    Refused(Error),
    /// Not now: nothing was made; later it may.
    Busy(Error),
    /// It may have been done: the answer did not arrive.
    Unknown(Error),
}

impl LaneError {
    /// The error itself.
    pub fn into_error(self) -> Error {
        match self {
            LaneError::Refused(error) | LaneError::Busy(error) | LaneError::Unknown(error) => error,
        }
    }
}

/// What takes the lines of a job's outputs, whole or torn, in any order.
pub type LineSink<'s> = &'s mut (dyn FnMut(&[u8]) -> Result<(), Error> + Send);

/// A batch engine.
pub trait BatchLane: std::fmt::Debug + Send + Sync {
    /// Submits a job and gives its id. The same token again makes no second job.
    fn submit<'a>(&'a self, job: &'a JobSpec) -> BoxFuture<'a, Result<String, LaneError>>;

    /// Looks at a job: by its id, or where that is not known by name and token. None: there is none.
    fn look<'a>(
        &'a self,
        job: &'a JobName,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<JobView>, LaneError>>;

    /// Tells a job to stop. One that has ended already is none the worse.
    fn stop<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LaneError>>;

    /// Gives every line of a job's outputs. A job without outputs has none.
    fn outputs<'a>(
        &'a self,
        job: &'a JobName,
        id: &'a str,
        sink: LineSink<'a>,
    ) -> BoxFuture<'a, Result<(), LaneError>>;
}
