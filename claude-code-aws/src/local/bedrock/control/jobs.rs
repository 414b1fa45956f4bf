//! Batch inference jobs: CreateModelInvocationJob, Get, List and Stop, and the state machine behind them.
//!
//! A job goes through its states by the clock of the twin, which a test moves on. What a state does to files is in
//! [`batch`](super::super::batch): it runs when the clock has passed it and somebody asks.

use claude_code_core::Catalogue;
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::{ModelId, UtcMillis};
use serde_json::{Value, json};

use super::region::Region;
use super::request::Request;
use super::{Answer, Refusal, nothing};
use crate::local::responder::batch_fault::BatchFault;
use crate::local::server::clock;
use crate::local::server::keys::Keys;

/// Records that a job has at least, where nothing else is said.
pub(in super::super) const MINIMUM: usize = 100;
/// Jobs of one model that have not ended, at most.
const ACTIVE: usize = 20;
/// How long a job is submitted, validating, scheduled, in progress and stopping: enough to be seen.
const STEP: i64 = 1_000;
const HOUR: i64 = 3_600_000;
/// The most jobs of one page, and what a page has where nothing is said.
const PAGE: usize = 1_000;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Status {
    Submitted,
    Validating,
    Scheduled,
    InProgress,
    Completed,
    PartiallyCompleted,
    Failed,
    Stopping,
    Stopped,
    Expired,
}

const STATUSES: [&str; 10] = [
    "Submitted",
    "Validating",
    "Scheduled",
    "InProgress",
    "Completed",
    "PartiallyCompleted",
    "Failed",
    "Stopping",
    "Stopped",
    "Expired",
];

impl Status {
    fn as_str(self) -> &'static str {
        STATUSES[self as usize]
    }

    fn is_final(self) -> bool {
        use Status::{Completed, Expired, Failed, PartiallyCompleted, Stopped};
        matches!(self, Completed | PartiallyCompleted | Failed | Stopped | Expired)
    }
}

/// Records of a job.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Counts {
    pub(in super::super) total: u64,
    pub(in super::super) processed: u64,
    pub(in super::super) errors: u64,
}

/// A job.
#[derive(Clone, Debug)]
pub(in super::super) struct Job {
    pub(in super::super) id: String,
    pub(in super::super) region: Region,
    pub(in super::super) model: String,
    pub(in super::super) input: String,
    pub(in super::super) output: String,
    pub(in super::super) is_converse: bool,
    pub(in super::super) fault: Option<BatchFault>,
    pub(in super::super) status: Status,
    pub(in super::super) counts: Counts,
    request: Value,
    message: Option<String>,
    submitted: i64,
    /// When it came into its state.
    since: i64,
    expires: i64,
}

/// What a job's next state needs done with its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Task {
    /// Look at the input.
    Validate,
    /// Run all records, or the first half, and end in this state.
    Run { all: bool, end: Status },
}

/// The jobs of an account.
#[derive(Debug, Default)]
pub(in super::super) struct Jobs {
    all: Vec<Job>,
    faults: Vec<BatchFault>,
    /// How far the test has moved the clock on.
    ahead: i64,
}

impl Jobs {
    /// Moves the clock of the jobs on.
    pub(in super::super) fn advance(&mut self, millis: i64) {
        self.ahead += millis;
    }

    /// The next job that is created meets this.
    pub(in super::super) fn script(&mut self, fault: BatchFault) {
        self.faults.push(fault);
    }

    fn now(&self) -> i64 {
        clock::now_millis() + self.ahead
    }

    /// The next step of any job: moves those that need nothing done, and gives the first that does.
    pub(in super::super) fn next_task(&mut self) -> Option<(Job, Task)> {
        let now = self.now();
        for job in &mut self.all {
            while let Some(step) = job.step(now) {
                match step {
                    Ok(status) => job.enter(status, now),
                    Err(task) => return Some((job.clone(), task)),
                }
            }
        }
        None
    }

    /// A job's files were looked at: it goes on to this state.
    pub(in super::super) fn done(
        &mut self,
        id: &str,
        status: Status,
        counts: Counts,
        message: Option<String>,
    ) {
        let now = self.now();
        if let Some(job) = self.all.iter_mut().find(|job| job.id == id) {
            job.counts = counts;
            job.message = message;
            job.enter(status, now);
        }
    }

    fn job(&mut self, identifier: &str) -> Result<&mut Job, Refusal> {
        let id = identifier.rsplit('/').next().unwrap_or(identifier).to_owned();
        let found = self.all.iter_mut().find(|job| job.id == id);
        found.filter(|job| identifier == id || identifier == job.arn()).ok_or_else(|| {
            Refusal::not_found(format!("Could not find the batch inference job with identifier {identifier}"))
        })
    }
}

impl Job {
    /// What comes next at this moment: a state, or something to do before it. None: nothing yet.
    fn step(&self, now: i64) -> Option<Result<Status, Task>> {
        let holds = matches!(self.fault, Some(BatchFault::Hold));
        if !self.status.is_final() && now >= self.expires && self.status != Status::Stopping {
            return Some(match self.status {
                Status::InProgress => Err(Task::Run { all: false, end: Status::PartiallyCompleted }),
                _ => Ok(Status::Expired),
            });
        }
        if now < self.since + STEP {
            return None;
        }
        match self.status {
            Status::Submitted => Some(Ok(Status::Validating)),
            Status::Validating => Some(Err(Task::Validate)),
            Status::Scheduled if holds => None,
            Status::Scheduled => Some(Ok(Status::InProgress)),
            Status::InProgress if matches!(self.fault, Some(BatchFault::Slow)) => None,
            Status::InProgress => Some(Err(Task::Run { all: true, end: Status::Completed })),
            Status::Stopping if self.counts.processed > 0 => {
                Some(Err(Task::Run { all: false, end: Status::Stopped }))
            }
            Status::Stopping => Some(Ok(Status::Stopped)),
            _ => None,
        }
    }

    fn enter(&mut self, status: Status, now: i64) {
        if status == Status::InProgress {
            // The first records are on their way: what is stopped from here on has partial results.
            self.counts.processed = self.counts.total.min(1);
        }
        self.status = status;
        // A clock that was moved far goes through all states at once, each at its own time.
        self.since = (self.since + STEP).clamp(0, now);
        if status.is_final() || status == Status::Stopping {
            self.since = now;
        }
    }

    fn arn(&self) -> String {
        let (partition, region) = (self.region.partition(), self.region.as_str());
        format!("arn:{partition}:bedrock:{region}:{}:model-invocation-job/{}", Keys::ACCOUNT, self.id)
    }

    fn json(&self) -> Value {
        let mut json = self.request.clone();
        if let Some(members) = json.as_object_mut() {
            let time = |millis: i64| json!(UtcMillis(millis).iso());
            members.remove("tags");
            members.insert("jobArn".into(), json!(self.arn()));
            members.insert("status".into(), json!(self.status.as_str()));
            members.insert("submitTime".into(), time(self.submitted));
            members.insert("lastModifiedTime".into(), time(self.since));
            members.insert("jobExpirationTime".into(), time(self.expires));
            if self.status.is_final() {
                members.insert("endTime".into(), time(self.since));
            }
            if let Some(message) = &self.message {
                members.insert("message".into(), json!(message));
            }
            let Counts { total, processed, errors } = self.counts;
            members.insert("totalRecordCount".into(), json!(total));
            members.insert("processedRecordCount".into(), json!(processed));
            members.insert("successRecordCount".into(), json!(processed.saturating_sub(errors)));
            members.insert("errorRecordCount".into(), json!(errors));
        }
        json
    }
}

/// CreateModelInvocationJob. The same token again gives the same job.
pub(super) fn create(jobs: &mut Jobs, request: &Request<'_>) -> Answer {
    let mut body = request.json()?;
    let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let required = |path: &str, name: &str| {
        text(path).ok_or_else(|| Refusal::invalid(format!("{name}: Field required")))
    };
    let name = required("/jobName", "jobName").and_then(|name| named(&name).map(|()| name))?;
    let role = required("/roleArn", "roleArn")?;
    let model = required("/modelId", "modelId")?;
    let input = required("/inputDataConfig/s3InputDataConfig/s3Uri", "inputDataConfig")?;
    let output = required("/outputDataConfig/s3OutputDataConfig/s3Uri", "outputDataConfig")?;
    if !role.starts_with("arn:") || !role.contains(":iam::") || !role.contains(":role/") {
        return Err(Refusal::invalid(format!("The provided role ARN {role} is invalid")));
    }
    [&input, &output].into_iter().try_for_each(|uri| s3_uri(uri))?;
    let known = ModelId::new(&model).ok().filter(|id| Catalogue::builtin().find(id).is_some());
    if known.is_none() {
        return Err(Refusal::invalid("The provided model identifier is invalid."));
    }
    let hours = body.get("timeoutDurationInHours").map_or(Some(24), Value::as_i64);
    let hours = hours
        .filter(|hours| (24..=168).contains(hours))
        .ok_or_else(|| Refusal::invalid("timeoutDurationInHours must be between 24 and 168"))?;
    let kind = text("/modelInvocationType").unwrap_or_else(|| "InvokeModel".to_owned());
    if !["InvokeModel", "Converse"].contains(&kind.as_str()) {
        return Err(Refusal::invalid("modelInvocationType must be one of InvokeModel, Converse"));
    }
    let token = text("/clientRequestToken");
    let same = |job: &&Job| token.is_some() && job.request["clientRequestToken"].as_str() == token.as_deref();
    if let Some(job) = jobs.all.iter().find(same) {
        return Ok((200, json!({ "jobArn": job.arn() })));
    }
    if jobs.all.iter().filter(|job| job.model == model && !job.status.is_final()).count() >= ACTIVE {
        return Err(Refusal {
            code: "ServiceQuotaExceededException",
            status: 400,
            message:
                "You have reached the limit of in-progress and submitted batch inference jobs for this model."
                    .into(),
        });
    }
    let now = jobs.now();
    if let Some(members) = body.as_object_mut() {
        members.insert("modelInvocationType".into(), json!(kind));
        members.insert("timeoutDurationInHours".into(), json!(hours));
    }
    let fault = (!jobs.faults.is_empty()).then(|| jobs.faults.remove(0));
    let job = Job {
        id: sha256_hex(format!("{name} {now} {}", jobs.all.len()).as_bytes())[..12].to_owned(),
        region: request.region.clone(),
        model,
        input,
        output,
        is_converse: kind == "Converse",
        fault: fault.clone(),
        status: Status::Submitted,
        counts: Counts::default(),
        request: body,
        message: None,
        submitted: now,
        since: now,
        expires: now + hours * HOUR,
    };
    let arn = job.arn();
    jobs.all.push(job);
    match fault {
        Some(BatchFault::LostReply) => Err(Refusal {
            code: "InternalServerException",
            status: 500,
            message: "The request processing has failed because of an unknown error.".into(),
        }),
        _ => Ok((200, json!({ "jobArn": arn }))),
    }
}

/// 1 to 63 letters, digits, `-`, `+` and `.`, beginning with a letter or digit.
fn named(name: &str) -> Result<(), Refusal> {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte));
    match first && rest && name.len() <= 63 {
        true => Ok(()),
        false => Err(Refusal::invalid(format!("Value '{name}' at 'jobName' failed to satisfy constraint"))),
    }
}

fn s3_uri(uri: &str) -> Result<(), Refusal> {
    let path = uri.strip_prefix("s3://").unwrap_or_default();
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-!_*'().".contains(&byte) || byte == b'/';
    match bucket.len() >= 3 && key.bytes().all(legal) && !key.contains("//") {
        true => Ok(()),
        false => Err(Refusal::invalid(format!("Value '{uri}' at 's3Uri' failed to satisfy constraint"))),
    }
}

/// GetModelInvocationJob, by id or ARN.
pub(super) fn get(jobs: &mut Jobs, identifier: &str) -> Answer {
    jobs.job(identifier).map(|job| (200, job.json()))
}

/// StopModelInvocationJob. One that has ended is in conflict with that.
pub(super) fn stop(jobs: &mut Jobs, identifier: &str) -> Answer {
    let now = jobs.now();
    let job = jobs.job(identifier)?;
    match job.status {
        Status::Stopping => nothing(),
        status if status.is_final() => {
            let status = status.as_str();
            Err(Refusal::conflict(format!(
                "Batch inference job can't be stopped because its status is {status}"
            )))
        }
        _ => {
            job.enter(Status::Stopping, now);
            nothing()
        }
    }
}

/// ListModelInvocationJobs.
pub(super) fn list(jobs: &Jobs, request: &Request<'_>) -> Answer {
    let status = request.one_of("statusEquals", &STATUSES)?;
    let order = request.one_of("sortOrder", &["Ascending", "Descending"])?;
    let time = |name: &str| request.query(name).and_then(UtcMillis::from_iso).map(|time| time.0);
    let (after, before) = (time("submitTimeAfter"), time("submitTimeBefore"));
    let limit = match request.query("maxResults").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(limit)) if (1..=PAGE).contains(&limit) => limit,
        Some(_) => return Err(Refusal::invalid("maxResults lies between 1 and 1000")),
    };
    let from = match request.query("nextToken").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(from)) => from,
        Some(Err(_)) => return Err(Refusal::invalid("The provided pagination token is invalid.")),
    };
    let mut found: Vec<&Job> = jobs
        .all
        .iter()
        .filter(|job| status.is_none_or(|status| job.status.as_str() == status))
        .filter(|job| {
            let name = job.request["jobName"].as_str().unwrap_or_default();
            request.query("nameContains").is_none_or(|part| name.contains(part))
        })
        .filter(|job| after.is_none_or(|after| job.submitted >= after))
        .filter(|job| before.is_none_or(|before| job.submitted <= before))
        .collect();
    if order != Some("Ascending") {
        found.reverse();
    }
    let page: Vec<Value> = found.iter().skip(from).take(limit).map(|job| job.json()).collect();
    let mut answer = json!({ "invocationJobSummaries": page });
    if from + limit < found.len() {
        answer["nextToken"] = json!((from + limit).to_string());
    }
    Ok((200, answer))
}
