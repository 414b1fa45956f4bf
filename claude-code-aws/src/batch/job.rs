//! Jobs in the journal of a batch: what was meant is noted before it is done, so that a run that was killed is followed by
//! one that knows. A job is submitted once, its money held once and settled once.

use claude_code_core::batch::JobReservation;
use serde::{Deserialize, Serialize};

use super::lane::{JobName, JobStatus};

/// A line about a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobLine {
    key: Named,
    /// The job's token.
    token: String,
    event: JobEvent,
}

/// What stands where lines about answers have their key.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Named {
    #[serde(rename = "job")]
    Job,
}

/// What happened to a job, or is about to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobEvent {
    /// It is about to be submitted.
    Intent {
        /// Its name.
        name: JobName,
        /// The model, as it is sent.
        model: String,
        /// The id that names the model's price.
        priced_as: String,
        /// The ids of its records.
        records: Vec<String>,
    },
    /// Its ceiling is held in the day's budget.
    Reserved(JobReservation),
    /// The engine has it, under this id.
    Created(String),
    /// It was not made after all: its records are anybody's.
    Dropped(String),
    /// It has ended, and what is held is about to be settled.
    Ended(JobStatus),
}

impl JobLine {
    /// The line about this event.
    pub fn new(token: &str, event: JobEvent) -> Self {
        JobLine { key: Named::Job, token: token.to_owned(), event }
    }
}

/// A job as the journal knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Job {
    /// Its name.
    pub name: JobName,
    /// The model, as it is sent.
    pub model: String,
    /// The id that names the model's price.
    pub priced_as: String,
    /// The ids of its records.
    pub records: Vec<String>,
    /// What is held for it.
    pub held: JobReservation,
    /// The engine's id, where it is known.
    pub id: Option<String>,
    /// How it ended. Then it is settled too.
    pub ended: Option<JobStatus>,
    /// Why it was not made.
    pub dropped: Option<String>,
}

/// Applies a line to the jobs of a journal. A line about a job without an intent says nothing.
pub fn apply(jobs: &mut Vec<Job>, line: JobLine) {
    let JobLine { token, event, .. } = line;
    if let JobEvent::Intent { name, model, priced_as, records } = event {
        jobs.push(Job {
            name,
            model,
            priced_as,
            records,
            held: JobReservation::default(),
            id: None,
            ended: None,
            dropped: None,
        });
        return;
    }
    let Some(job) = jobs.iter_mut().rev().find(|job| job.name.token == token) else { return };
    match event {
        JobEvent::Intent { .. } => {}
        JobEvent::Reserved(held) => job.held = held,
        JobEvent::Created(id) => job.id = Some(id),
        JobEvent::Dropped(why) => job.dropped = Some(why),
        JobEvent::Ended(status) => job.ended = Some(status),
    }
}
