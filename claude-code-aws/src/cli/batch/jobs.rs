//! The jobs of a batch, for `batch status` and `batch stop`: as the journal knows them, and as the engine tells of them now.

use claude_code_core::Result;
use serde_json::{Value, json};

use crate::batch::job::Job;
use crate::cli::output::figures;
use crate::connect::batch::batch_lane;
use crate::connect::config::Config;

/// A job, for a person.
pub(crate) struct JobRow {
    name: String,
    id: Option<String>,
    model: String,
    records: usize,
    status: String,
}

impl JobRow {
    pub(crate) fn json(&self) -> Value {
        json!({
            "name": self.name, "id": self.id, "model": self.model, "records": self.records, "status": self.status,
        })
    }

    pub(crate) fn text(&self) -> String {
        let records = figures::some(self.records, "record");
        format!("{} · {} · {records} · {}", self.id.as_deref().unwrap_or(&self.name), self.model, self.status)
    }
}

/// The jobs with their states. An engine that cannot be asked leaves what the journal knows.
pub(crate) async fn now(config: &Config, jobs: &[Job]) -> Vec<JobRow> {
    let is_open = |job: &Job| job.ended.is_none() && job.dropped.is_none();
    let lane = match jobs.iter().any(is_open) {
        true => batch_lane(config).await.ok().and_then(std::result::Result::ok),
        false => None,
    };
    let mut rows = Vec::new();
    for job in jobs {
        let status = match (&job.dropped, job.ended, &lane) {
            (Some(why), ..) => format!("not made: {why}"),
            (None, Some(status), _) => status.as_str().to_owned(),
            (None, None, Some(lane)) => match lane.look(&job.name, job.id.as_deref()).await {
                Ok(Some(view)) => view.status.as_str().to_owned(),
                Ok(None) => "not made".to_owned(),
                Err(error) => format!("unknown: {}", error.into_error()),
            },
            (None, None, None) => "under way".to_owned(),
        };
        let (name, records) = (job.name.name.clone(), job.records.len());
        rows.push(JobRow { name, id: job.id.clone(), model: job.model.clone(), records, status });
    }
    rows
}

/// Tells the jobs that have not ended to stop, and gives how many there were.
pub(crate) async fn stop(config: &Config, jobs: &[Job]) -> Result<usize> {
    let open: Vec<&str> =
        jobs.iter().filter(|job| job.ended.is_none()).filter_map(|job| job.id.as_deref()).collect();
    if open.is_empty() {
        return Ok(0);
    }
    let lane = batch_lane(config).await?.map_err(claude_code_core::Error::invalid)?;
    for id in &open {
        lane.stop(id).await.map_err(crate::batch::lane::LaneError::into_error)?;
    }
    Ok(open.len())
}
