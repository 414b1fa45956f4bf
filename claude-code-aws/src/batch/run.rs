//! The run of a batch over all of its lanes: what can go in jobs goes in jobs, the rest on demand meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_core::batch::{BatchOptions, Scheduler};
use claude_code_core::{Client, GenerateRequest, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::time::Instant;

use super::collect;
use super::lane::BatchLane;
use super::plan::{self, Wish};
use super::prepare::{self, Prepared};
use super::shard::Limits;
use crate::files::batch_journal::{self, Entry, Journal};
use crate::files::batch_manifest::{Key, Repeats};

/// The requests of a batch, from the first one on as often as they are read.
pub type Requests = Arc<dyn Fn() -> Result<Box<dyn Iterator<Item = GenerateRequest> + Send>> + Send + Sync>;

/// Where lines for a person go: lanes with reasons, what becomes of jobs.
pub type Notes = Arc<dyn Fn(&str) + Send + Sync>;

/// How a batch is run.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How its requests are sent on demand; its id groups the results.
    pub batch: BatchOptions,
    /// The lane that is asked for, and the deadline.
    pub wish: Wish,
    /// The engine that takes jobs, where there is one.
    pub lane: Option<Arc<dyn BatchLane>>,
    /// What one job takes.
    pub limits: Limits,
    /// How long until a job is looked at for the first time, and at most between looks.
    pub poll: (Duration, Duration),
    /// When jobs are stopped; none: so long before the deadline as the rest takes on demand.
    pub cutoff_after: Option<Duration>,
    /// Where lines for a person go.
    pub notes: Notes,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("batch", &self.batch)
            .field("wish", &self.wish)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// These options for requests on demand, without jobs and without notes.
    pub fn new(batch: BatchOptions) -> Self {
        Options {
            batch,
            wish: Wish::default(),
            lane: None,
            limits: Limits::default(),
            poll: (Duration::from_secs(2), Duration::from_secs(60)),
            cutoff_after: None,
            notes: Arc::new(|_| {}),
        }
    }

    /// With the lane that is asked for and the engine that takes jobs, or why there is none.
    pub fn with_lane(
        mut self,
        mut wish: Wish,
        lane: std::result::Result<Arc<dyn BatchLane>, String>,
    ) -> Self {
        match lane {
            Ok(lane) => self.lane = Some(lane),
            Err(why) => wish.no_jobs = Some(why),
        }
        self.wish = wish;
        self
    }

    /// With notes going here.
    pub fn with_notes(mut self, notes: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.notes = Arc::new(notes);
        self
    }
}

/// What every part of a run needs.
pub(super) struct Run {
    pub(super) client: Client,
    pub(super) scheduler: Scheduler,
    pub(super) journal: Arc<Mutex<Journal>>,
    pub(super) id: String,
    pub(super) requests: Requests,
    pub(super) options: Options,
    /// Models that jobs were refused, and why.
    pub(super) refused: Mutex<HashMap<String, String>>,
    /// When jobs are stopped, so that what they leave over is done in time.
    pub(super) cutoff: Option<Instant>,
}

impl Run {
    pub(super) fn note(&self, text: &str) {
        (self.options.notes)(text);
    }

    pub(super) fn is_late(&self) -> bool {
        self.cutoff.is_some_and(|cutoff| Instant::now() >= cutoff)
    }

    /// The requests with their places and keys.
    pub(super) fn items(&self) -> Result<impl Iterator<Item = batch_journal::Item> + Send + use<>> {
        let mut repeats = Repeats::default();
        Ok((self.requests)()?.enumerate().map(move |(index, request)| {
            let key = repeats.key(&request);
            (index, key, repeats.shared_key(&request, key), request)
        }))
    }
}

/// Runs a batch with this journal: what it has is given, the plan of the rest is told, and then paid for. Fails before
/// anything is paid where requests cannot be read, or where nobody can tell what became of an earlier run's job.
pub async fn run(
    client: &Client,
    journal: Journal,
    requests: Requests,
    mut options: Options,
) -> Result<BoxStream<'static, Entry>> {
    let began = Instant::now();
    let path = std::path::absolute(journal.path()).unwrap_or_else(|_| journal.path().to_owned());
    let id = options.batch.id.get_or_insert_with(|| Key::of_text(&path.to_string_lossy()).uuid()).clone();
    let scheduler = Scheduler::new(client, options.batch.clone(), journal.spent());
    let mut run = Run {
        client: client.clone(),
        scheduler,
        journal: Arc::new(Mutex::new(journal)),
        id,
        requests,
        options,
        refused: Mutex::default(),
        cutoff: None,
    };
    let Prepared { places, repeats, works } = prepare::prepare(&run).await?;
    let in_jobs = places.iter().filter(|place| place.is_some()).count();
    let concurrency = run.options.batch.concurrency.max(1);
    let usual = |deadline: Duration| deadline.saturating_sub(plan::drain(deadline, in_jobs, concurrency));
    let cutoff = run.options.cutoff_after.or(run.options.wish.deadline.map(usual));
    run.cutoff = cutoff.map(|time| began + time);
    let places: Arc<[Option<usize>]> = places.into();
    let alone = {
        let places = places.clone();
        run.items()?.filter(move |(index, ..)| places.get(*index).is_none_or(Option::is_none))
    };
    let on_demand = batch_journal::entries(run.journal.clone(), client, &run.scheduler, alone, concurrency);
    if works.is_empty() {
        return Ok(on_demand);
    }
    let (run, repeats) = (Arc::new(run), Arc::new(repeats));
    let jobs = works
        .into_iter()
        .enumerate()
        .map(|(number, work)| collect::entries(run.clone(), number, work, places.clone(), repeats.clone()));
    let jobs: Vec<BoxStream<'static, Entry>> = jobs.chain([on_demand]).collect();
    Ok(stream::select_all(jobs).boxed())
}
