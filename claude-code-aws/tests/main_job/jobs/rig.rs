//! A client, a twin whose clock moves with every look, and points at which a run is cut off as a kill would.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_aws::batch::lane::{BatchLane, JobName, JobSpec, JobView, LaneError, LineSink};
use claude_code_aws::batch::plan::Wish;
use claude_code_aws::batch::{BatchPlace, BedrockLane, Lane, Options};
use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::files::batch_journal::{Entry, Journal};
use claude_code_aws::local::{Question, Reply, Responder, Twin};
use claude_code_core::batch::BatchOptions;
use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateStore, Versioned,
};
use claude_code_core::{Client, ClientBuilder, Error, GenerateRequest, Generation, PicoUsd, Policy};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use tempfile::TempDir;
use tokio::sync::Notify;

pub const MODEL: &str = "global.anthropic.claude-haiku-4-5-20251001-v1:0";
const BUCKET: &str = "batches";
const GOOD: &str = "```python a.py\nx = 1\n```";
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Where a run is cut off: everything behind it never happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    BeforeReservation,
    AfterReservation,
    BeforeCreate,
    AfterCreate,
    WhilePolling,
    AfterOutputs,
    BeforeSettle,
    AfterSettle,
}

/// Hangs the run at one point and tells.
#[derive(Debug, Default)]
pub struct Knife {
    at: Mutex<Option<Cut>>,
    pub reached: Notify,
    adds: AtomicUsize,
}

impl Knife {
    pub fn set(&self, cut: Option<Cut>) {
        *self.at.lock().unwrap() = cut;
        self.adds.store(0, Ordering::SeqCst);
    }

    async fn here(&self, cut: Cut) {
        if *self.at.lock().unwrap() == Some(cut) {
            self.reached.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// The answers: good ones, but for prompts that the script names. The nth question with a name gets its nth answer, the
/// last one from then on.
#[derive(Debug, Default)]
pub struct Answers {
    special: HashMap<&'static str, Vec<&'static str>>,
    asked: Mutex<HashMap<&'static str, usize>>,
}

impl Answers {
    pub fn with(mut self, name: &'static str, answers: &[&'static str]) -> Self {
        self.special.insert(name, answers.to_vec());
        self
    }
}

#[async_trait::async_trait]
impl Responder for Answers {
    async fn answer(&self, question: &Question) -> Reply {
        let text = &question.messages[0].text;
        let Some((name, answers)) = self.special.iter().find(|(name, _)| text.contains(**name)) else {
            return Reply::text(question, GOOD);
        };
        let mut asked = self.asked.lock().unwrap();
        let nth = asked.entry(name).or_default();
        let answer = answers[(*nth).min(answers.len() - 1)];
        *nth += 1;
        match answer.strip_suffix("…") {
            // Cut: the model had no more tokens.
            Some(begin) => {
                let short = Question::default();
                let Reply::Answer { text, mut end } = Reply::text(&short, begin) else { unreachable!() };
                end.stop_reason = claude_code_aws::local::StopReason::MaxTokens;
                Reply::Answer { text, end }
            }
            None => Reply::text(question, answer),
        }
    }
}

/// The lane over the twin.
#[derive(Debug)]
pub struct Driven {
    pub inner: BedrockLane,
    twin: Twin,
    knife: Arc<Knife>,
    /// How far the twin's clock moves with each look.
    pub step: Mutex<Duration>,
}

impl BatchLane for Driven {
    fn submit<'a>(&'a self, job: &'a JobSpec) -> BoxFuture<'a, Result<String, LaneError>> {
        async move {
            self.knife.here(Cut::BeforeCreate).await;
            let made = self.inner.submit(job).await;
            self.knife.here(Cut::AfterCreate).await;
            made
        }
        .boxed()
    }

    fn look<'a>(
        &'a self,
        job: &'a JobName,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<JobView>, LaneError>> {
        async move {
            self.knife.here(Cut::WhilePolling).await;
            self.twin.advance_jobs(*self.step.lock().unwrap());
            self.inner.look(job, id).await
        }
        .boxed()
    }

    fn stop<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LaneError>> {
        self.inner.stop(id)
    }

    fn outputs<'a>(
        &'a self,
        job: &'a JobName,
        id: &'a str,
        sink: LineSink<'a>,
    ) -> BoxFuture<'a, Result<(), LaneError>> {
        async move {
            let read = self.inner.outputs(job, id, sink).await;
            self.knife.here(Cut::AfterOutputs).await;
            read
        }
        .boxed()
    }
}

/// State in which the money of a day is a step that can be cut off: a reservation is two additions, a settlement two more.
#[derive(Debug)]
struct CutState {
    inner: Arc<MemoryState>,
    knife: Arc<Knife>,
}

#[async_trait::async_trait]
impl StateStore for CutState {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.inner.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: claude_code_core::UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        self.inner.put(key, value, expires_at, only_if).await
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        let nth = self.knife.adds.fetch_add(1, Ordering::SeqCst);
        match nth {
            0 => self.knife.here(Cut::BeforeReservation).await,
            // Both rows were reserved and then let go of their slots.
            4 => self.knife.here(Cut::BeforeSettle).await,
            _ => {}
        }
        let added = self.inner.add(key, addition).await;
        match nth {
            3 => self.knife.here(Cut::AfterReservation).await,
            5 => self.knife.here(Cut::AfterSettle).await,
            _ => {}
        }
        added
    }
}

pub struct Rig {
    pub dir: TempDir,
    pub twin: Twin,
    pub lane: Arc<Driven>,
    pub knife: Arc<Knife>,
    state: Arc<MemoryState>,
    pub notes: Arc<Mutex<Vec<String>>>,
    pub cap: Option<PicoUsd>,
}

impl Rig {
    pub async fn new() -> Self {
        Rig::answering(Answers::default()).await
    }

    pub async fn answering(answers: Answers) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let twin = Twin::lazy(&dir.path().join("twin"), Arc::new(answers));
        twin.s3_client().create_bucket().bucket(BUCKET).send().await.unwrap();
        let knife = Arc::new(Knife::default());
        let role_arn = "arn:aws:iam::000000000000:role/claude-code-batch".to_owned();
        let place = BatchPlace { bucket: BUCKET.to_owned(), role_arn };
        let lane = Driven {
            inner: BedrockLane::new(&twin.sdk_config(), place),
            twin: twin.clone(),
            knife: knife.clone(),
            step: Mutex::new(Duration::from_secs(1)),
        };
        Rig {
            dir,
            twin,
            lane: Arc::new(lane),
            knife,
            state: Arc::new(MemoryState::default()),
            notes: Arc::default(),
            cap: None,
        }
    }

    /// A client as each process makes one: the state is shared, nothing else.
    pub fn client(&self) -> Client {
        let provider = Arc::new(Bedrock::new(&self.twin.sdk_config()));
        let state = CutState { inner: self.state.clone(), knife: self.knife.clone() };
        let policy = Policy { max_usd_per_day: self.cap, ..Policy::default() };
        ClientBuilder::new(provider, Arc::new(SystemClock), Arc::new(SystemIds))
            .with_state(Arc::new(state))
            .with_policy(policy)
            .build()
    }

    pub fn options(&self) -> Options {
        let wish = Wish { lane: Lane::BedrockBatch, deadline: Some(DAY), ..Wish::default() };
        let notes = self.notes.clone();
        let mut options = Options::new(BatchOptions::new(16))
            .with_lane(wish, Ok(self.lane.clone()))
            .with_notes(move |note| notes.lock().unwrap().push(note.to_owned()));
        options.poll = (Duration::from_millis(1), Duration::from_millis(2));
        options
    }

    /// The entries of a run, in the order of the requests.
    pub async fn run(&self, requests: &[GenerateRequest], options: Options) -> Vec<Entry> {
        let journal = Journal::open(&self.dir.path().join("journal.jsonl")).unwrap();
        let client = self.client();
        let batch = claude_code_aws::batch::run(&client, journal, again(requests), options).await.unwrap();
        let mut entries: Vec<Entry> = batch.collect().await;
        entries.sort_by_key(|entry| entry.item.index);
        entries
    }

    /// A run that is cut off at this point.
    pub async fn run_until(&self, requests: &[GenerateRequest], cut: Cut) {
        self.knife.set(Some(cut));
        tokio::select! {
            _ = self.run(requests, self.options()) => panic!("{cut:?} was not reached"),
            () = self.knife.reached.notified() => {}
        }
        self.knife.set(None);
    }

    pub fn told(&self) -> String {
        self.notes.lock().unwrap().join("\n")
    }

    /// Questions in jobs, and questions on demand.
    pub fn asked(&self) -> (usize, usize) {
        let sent = self.twin.sent();
        let streamed = sent.iter().filter(|question| question.streaming).count();
        (sent.len() - streamed, streamed)
    }

    /// How many jobs the service has.
    pub async fn jobs(&self) -> usize {
        let client = aws_sdk_bedrock::Client::new(&self.twin.sdk_config());
        client.list_model_invocation_jobs().send().await.unwrap().invocation_job_summaries().len()
    }

    /// The input of each job: its bytes, and the ids of its records.
    pub async fn files(&self) -> Vec<(u64, Vec<String>)> {
        let s3 = self.twin.s3_client();
        let listed = s3.list_objects_v2().bucket(BUCKET).prefix("batch/").send().await.unwrap();
        let mut files = Vec::new();
        for key in listed.contents().iter().filter_map(|object| object.key()) {
            if key.ends_with("/records.jsonl") {
                let object = s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
                let body = object.body.collect().await.unwrap().into_bytes();
                let id = |line: &[u8]| {
                    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
                    line["recordId"].as_str().unwrap().to_owned()
                };
                files.push((
                    body.len() as u64,
                    body.trim_ascii_end().split(|byte| *byte == b'\n').map(id).collect(),
                ));
            }
        }
        files
    }

    /// Spent and reserved, in pico-dollars.
    pub async fn budget(&self) -> (u64, u64) {
        let view = self.client().budget().await.unwrap();
        (view.spent.0, view.reserved.0)
    }
}

fn again(requests: &[GenerateRequest]) -> claude_code_aws::batch::Requests {
    let requests = requests.to_vec();
    Arc::new(move || Ok(Box::new(requests.clone().into_iter()) as Box<dyn Iterator<Item = _> + Send>))
}

pub fn task(n: usize) -> GenerateRequest {
    GenerateRequest::new(format!("task {n:04}")).with_model(MODEL).with_max_tokens(900)
}

pub fn tasks(count: usize) -> Vec<GenerateRequest> {
    (0..count).map(task).collect()
}

/// 250 requests, of which 100 repeat one of the others.
pub fn with_repeats() -> Vec<GenerateRequest> {
    (0..250).map(|n| task(n % 150)).collect()
}

pub fn results(entries: &[Entry]) -> Vec<&Generation> {
    entries.iter().map(|entry| entry.item.result.as_ref().unwrap()).collect()
}

pub fn cost(entries: &[Entry]) -> u64 {
    results(entries).iter().map(|answer| answer.receipt.total().priced().unwrap().0).sum()
}
