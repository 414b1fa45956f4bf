//! Records of batch inference jobs: read from S3, answered like calls, and written back.

use claude_code_core::Result;
use serde_json::{Value, json};

use super::control::jobs::{Counts, Job, MINIMUM, Status, Task};
use super::{Bedrock, Call, Door, converse, invoke};
use crate::local::responder::batch_fault::BatchFault;
use crate::local::s3::ObjectStore;
use crate::local::server::body;

/// The longest answer to a record.
const MAX_ANSWER: usize = 25_000_000;

/// A file of records: its name, and its lines.
struct Input {
    name: String,
    records: Vec<Value>,
}

impl Bedrock {
    /// Does what the clock of the jobs has passed. Call it before a job is looked at.
    pub(crate) async fn run_jobs(&self, objects: &ObjectStore) -> Result<()> {
        // One at a time: what a job does must not be done twice.
        let _turn = self.jobs_turn.lock().await;
        loop {
            let next = self.control.jobs().next_task();
            let Some((job, task)) = next else { return Ok(()) };
            let (status, counts, message) = match task {
                Task::Validate => validated(&job, objects).await?,
                Task::Run { all, end } => (end, self.run(&job, all, objects).await?, None),
            };
            self.control.jobs().done(&job.id, status, counts, message);
        }
    }

    /// Answers the records and writes the outputs.
    async fn run(&self, job: &Job, all: bool, objects: &ObjectStore) -> Result<Counts> {
        let inputs = inputs(job, objects).await?;
        let total: usize = inputs.iter().map(|input| input.records.len()).sum();
        let mut left = if all { total } else { total / 2 };
        let (mut counts, mut tokens) = (Counts { total: total as u64, ..Counts::default() }, (0, 0));
        let (bucket, prefix) = place(&job.output);
        let prefix = prefix.trim_end_matches('/');
        let below = if prefix.is_empty() { job.id.clone() } else { format!("{prefix}/{}", job.id) };
        let mut outputs = Vec::new();
        for Input { name, records } in inputs {
            let mut lines = Vec::new();
            for record in records.into_iter().take(left) {
                let told = self.record(job, record).await;
                counts.processed += 1;
                counts.errors += u64::from(told.get("error").is_some());
                let used = |name: &str| told["modelOutput"]["usage"][name].as_u64().unwrap_or(0);
                tokens.0 += used("inputTokens") + used("input_tokens");
                tokens.1 += used("outputTokens") + used("output_tokens");
                lines.push(told);
            }
            left -= lines.len();
            outputs.push((format!("{below}/{name}.out"), written(job, lines)));
        }
        let manifest = json!({
            "totalRecordCount": counts.total,
            "processedRecordCount": counts.processed,
            "successRecordCount": counts.processed - counts.errors,
            "errorRecordCount": counts.errors,
            "inputTokenCount": tokens.0,
            "outputTokenCount": tokens.1,
        });
        outputs.push((format!("{below}/manifest.json.out"), manifest.to_string().into_bytes()));
        objects.put_over(bucket, outputs).await?;
        Ok(counts)
    }

    /// A record with its answer, or with the error that a call would get.
    async fn record(&self, job: &Job, mut record: Value) -> Value {
        if let Some(BatchFault::RecordErrors(message)) = &job.fault {
            record["error"] = json!({ "errorCode": 400, "errorMessage": message });
            return record;
        }
        let input = record["modelInput"].to_string().into_bytes();
        let call = Call { door: Door::Runtime, region: Some(&job.region), version: None, body: &input };
        let response = match job.is_converse {
            true => converse::respond(self, job.model.clone(), false, &call).await,
            false => invoke::respond(self, job.model.clone(), false, &call).await,
        };
        let status = response.status().as_u16();
        let bytes = body::collect(response.into_body(), MAX_ANSWER).await.unwrap_or_default();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        match status {
            200 => record["modelOutput"] = answer,
            _ => {
                let message = answer["message"].as_str().unwrap_or("The model could not answer.");
                record["error"] = json!({ "errorCode": status, "errorMessage": message });
            }
        }
        record
    }
}

/// The state after validation. It reads no modelInput, as the service does not.
async fn validated(job: &Job, objects: &ObjectStore) -> Result<(Status, Counts, Option<String>)> {
    let failed = |message: String| Ok((Status::Failed, Counts::default(), Some(message)));
    if let Some(BatchFault::Fail(message)) = &job.fault {
        return failed(message.clone());
    }
    let Ok(inputs) = inputs(job, objects).await else {
        return failed(format!("Could not validate ListBucket permissions for S3URI: {}", job.input));
    };
    let total: usize = inputs.iter().map(|input| input.records.len()).sum();
    let minimum = match job.fault {
        Some(BatchFault::Minimum(minimum)) => minimum,
        _ => MINIMUM,
    };
    if total < minimum {
        return failed(format!(
            "Batch job contains less records ({total}) than the required minimum of: {minimum}"
        ));
    }
    Ok((Status::Scheduled, Counts { total: total as u64, ..Counts::default() }, None))
}

/// The records of a file, or of every `.jsonl` below a prefix.
async fn inputs(job: &Job, objects: &ObjectStore) -> Result<Vec<Input>> {
    let (bucket, prefix) = place(&job.input);
    let found = objects.below(bucket, prefix).await?;
    let is_one = prefix.ends_with(".jsonl");
    let files = found.into_iter().filter(|(key, _)| key.ends_with(".jsonl") && (!is_one || key == prefix));
    Ok(files
        .map(|(key, data)| Input {
            name: key.rsplit('/').next().unwrap_or(&key).to_owned(),
            records: String::from_utf8_lossy(&data)
                .lines()
                .filter(|line| !line.trim().is_empty())
                .enumerate()
                .map(|(at, line)| {
                    let mut record: Value = serde_json::from_str(line).unwrap_or_default();
                    if !record.is_object() {
                        record = json!({});
                    }
                    if !record["recordId"].is_string() {
                        record["recordId"] = json!(format!("CALL{at:07}"));
                    }
                    record
                })
                .collect(),
        })
        .collect())
}

/// The lines of an output, last one first: their order means nothing.
fn written(job: &Job, mut lines: Vec<Value>) -> Vec<u8> {
    lines.reverse();
    match &job.fault {
        Some(BatchFault::Missing(nth)) => {
            lines = lines
                .into_iter()
                .enumerate()
                .filter(|(at, _)| (at + 1) % (*nth).max(1) != 0)
                .map(|(_, line)| line)
                .collect();
        }
        Some(BatchFault::Repeated) => lines.extend(lines.first().cloned()),
        Some(BatchFault::Unknown) => {
            lines.push(json!({ "recordId": "unheard-of", "modelInput": {}, "modelOutput": {} }))
        }
        _ => {}
    }
    let mut lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    if let (Some(BatchFault::Torn), Some(first)) = (&job.fault, lines.first_mut()) {
        let half = first.floor_char_boundary(first.len() / 2);
        first.truncate(half);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

/// Bucket and key of an S3 URI.
fn place(uri: &str) -> (&str, &str) {
    let path = uri.strip_prefix("s3://").unwrap_or(uri);
    path.split_once('/').unwrap_or((path, ""))
}
