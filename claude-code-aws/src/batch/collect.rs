//! The items of a job: submitted, waited for, read, and made into results. Cut answers are resumed and rejected ones
//! repaired on demand; what a job leaves over is sent on demand.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use claude_code_core::batch::Room;
use claude_code_core::{
    BatchItem, CacheMode, Cost, Error, GenerateRequest, Generation, ModelId, PicoUsd, Result,
};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::answers::Answers;
use super::job::{Job, JobEvent};
use super::lane::JobStatus;
use super::prepare::Work;
use super::run::Run;
use super::shard::Shard;
use super::watch::{self, Submitted};
use super::{plan, record};
use crate::files::batch_journal::{Entry, locked};
use crate::files::batch_manifest::Key;

/// What a job came to.
struct Done {
    answers: Mutex<Answers>,
    /// What the cap holds for it, and the part of one record.
    room: Mutex<Option<Room>>,
    share: PicoUsd,
    /// The model that answered.
    model: Option<String>,
    /// Nobody can tell what became of it.
    lost: Option<Error>,
}

impl Done {
    /// Nothing: everything is sent on demand.
    fn nothing() -> Self {
        Done {
            answers: Mutex::default(),
            room: Mutex::default(),
            share: PicoUsd::ZERO,
            model: None,
            lost: None,
        }
    }
}

/// The entries of a piece of work.
pub(super) fn entries(
    run: Arc<Run>,
    number: usize,
    work: Work,
    places: Arc<[Option<usize>]>,
    repeats: Arc<HashMap<Key, Vec<usize>>>,
) -> BoxStream<'static, Entry> {
    if let Work::New(shard) = &work
        && shard.records.len() < plan::MINIMUM
    {
        return stream::empty().boxed();
    }
    let concurrency = run.options.batch.concurrency.max(1);
    let made = async move {
        let done = Arc::new(match work {
            Work::New(shard) => new(&run, shard).await,
            Work::Known(job) => known(&run, job).await,
        });
        let items = match run.items() {
            Ok(items) => items,
            // They were read before: the file is gone, and so is the way to the requests.
            Err(error) => return failed(&error, number, &places).boxed(),
        };
        let mut led = HashSet::new();
        let leaders = items.filter(move |(index, _, shared, _)| {
            places.get(*index) == Some(&Some(number)) && led.insert(*shared)
        });
        stream::iter(leaders)
            .map(move |(index, key, shared, request)| {
                let (run, done) = (run.clone(), done.clone());
                let others = repeats.get(&shared).cloned().unwrap_or_default();
                async move {
                    let result = result(&run, &done, &key, &shared, request).await;
                    stream::iter(shared_out(&run, index, others, result))
                }
            })
            .buffer_unordered(concurrency)
            .flatten()
            .boxed()
    };
    stream::once(made).flatten().boxed()
}

fn failed(
    error: &Error,
    number: usize,
    places: &[Option<usize>],
) -> impl futures_util::Stream<Item = Entry> + Send + use<> {
    let mine: Vec<usize> = (0..places.len()).filter(|index| places[*index] == Some(number)).collect();
    let error = error.clone();
    stream::iter(mine)
        .map(move |index| Entry { item: BatchItem { index, result: Err(error.clone()) }, resumed: false })
}

/// The leader's result, and the same for those that share it.
fn shared_out(run: &Run, index: usize, others: Vec<usize>, result: Result<Generation>) -> Vec<Entry> {
    let merged = |index: usize| {
        let result = match &result {
            Ok(answer) => Ok(run.client.merged(answer)),
            Err(error) => Err(Error::new(error.kind(), error.message().to_owned())),
        };
        Entry { item: BatchItem { index, result }, resumed: false }
    };
    let mut entries: Vec<Entry> = others.into_iter().map(merged).collect();
    entries.push(Entry { item: BatchItem { index, result }, resumed: false });
    entries
}

/// Submits a job and waits for it. A refusal leaves everything to be sent on demand.
async fn new(run: &Run, shard: Shard) -> Done {
    let (spec, count) = (shard.spec.clone(), shard.records.len());
    let fall_back = |why: &str| {
        run.note(&format!("job {}: {why}: its {count} requests are sent on demand", spec.name.name));
        Done::nothing()
    };
    let refusals = || run.refused.lock().unwrap_or_else(PoisonError::into_inner);
    let refused = refusals().get(&spec.model).cloned();
    if let Some(why) = refused {
        return fall_back(&why);
    }
    if run.is_late() {
        return fall_back("the deadline is near");
    }
    let room = match run.scheduler.cap() {
        Some(cap) => match cap.reserve_job(shard.ceiling).await {
            Ok(room) => Some(room),
            Err(error) => return fall_back(&error.to_string()),
        },
        None => None,
    };
    match submit(run, &shard).await {
        Ok(Submitted::Yes(_)) => {}
        Ok(Submitted::No(why)) => {
            refusals().insert(spec.model.clone(), why.clone());
            return fall_back(&why);
        }
        Err(error) => return Done { lost: Some(error), ..Done::nothing() },
    }
    let job = locked(&run.journal).jobs().iter().rfind(|job| job.name == spec.name).cloned();
    run.note(&format!("job {} is submitted: {count} records", spec.name.name));
    drop(shard);
    match job {
        Some(job) => finish(run, job, room).await,
        None => Done::nothing(),
    }
}

/// The intent is noted first, then money is held, then the job is made: a run that is killed anywhere is followed by one
/// that knows what it has to look for.
async fn submit(run: &Run, shard: &Shard) -> Result<Submitted> {
    let token = &shard.spec.name.token;
    let note = |event| locked(&run.journal).note_job(token, event);
    note(JobEvent::Intent {
        name: shard.spec.name.clone(),
        model: shard.spec.model.clone(),
        priced_as: shard.priced_as.clone(),
        records: shard.records.clone(),
    })?;
    let held = match run.client.reserve_job(shard.ceiling).await {
        Ok(held) => held,
        Err(error) => {
            note(JobEvent::Dropped(error.to_string()))?;
            return Ok(Submitted::No(error.to_string()));
        }
    };
    note(JobEvent::Reserved(held.clone()))?;
    let submitted = watch::submit(run, &shard.spec).await?;
    match &submitted {
        Submitted::Yes(id) => note(JobEvent::Created(id.clone()))?,
        Submitted::No(why) => {
            note(JobEvent::Dropped(why.clone()))?;
            run.client.settle_job(&held, PicoUsd::ZERO).await;
        }
    }
    Ok(submitted)
}

/// Takes up a job of an earlier run.
async fn known(run: &Run, job: Job) -> Done {
    let room = match (run.scheduler.cap(), job.ended) {
        // It is under way whatever the cap says; without room its repairs have what is left.
        (Some(cap), None) => cap.reserve_job(Cost::Priced(job.held.amount())).await.ok(),
        _ => None,
    };
    finish(run, job, room).await
}

/// Waits for the job's end, reads its outputs and settles what is held.
async fn finish(run: &Run, job: Job, room: Option<Room>) -> Done {
    match ended(run, &job).await {
        Ok(answers) => {
            let records = u64::try_from(job.records.len().max(1)).unwrap_or(u64::MAX);
            let share = room.as_ref().map_or(PicoUsd::ZERO, |room| PicoUsd(room.limit().0 / records));
            Done {
                answers: Mutex::new(answers),
                room: Mutex::new(room),
                share,
                model: Some(job.model),
                lost: None,
            }
        }
        Err(error) => Done { lost: Some(error), ..Done::nothing() },
    }
}

async fn ended(run: &Run, job: &Job) -> Result<Answers> {
    let id = job.id.clone().ok_or_else(|| Error::invalid("a job without an id cannot be looked at"))?;
    let view = watch::end(run, &job.name, &id).await?;
    let answers = read(run, job, &id).await?;
    let (count, all) = (answers.count(), job.records.len());
    let (failed, reason) = answers.failed();
    let mut told =
        format!("job {} is {}: {count} of {all} records answered", job.name.name, view.status.as_str());
    if let Some(reason) = view.message.as_deref().filter(|_| view.status == JobStatus::Failed).or(reason) {
        told.push_str(&format!(" ({failed} failed; {reason})"));
    }
    if count < all {
        told.push_str("; the others are sent on demand");
    }
    run.note(&told);
    if job.ended.is_none() {
        // Answers that the engine counts and the outputs lack are paid for too: at most what was held for them.
        let lacking = view.succeeded.saturating_sub(count as u64) + answers.without_usage() as u64;
        let each = job.held.amount().0 / u64::try_from(all.max(1)).unwrap_or(1);
        let spent = answers.cost().saturating_add(PicoUsd(each.saturating_mul(lacking)));
        locked(&run.journal).note_job(&job.name.token, JobEvent::Ended(view.status))?;
        run.client.settle_job(&job.held, spent).await;
    }
    Ok(answers)
}

async fn read(run: &Run, job: &Job, id: &str) -> Result<Answers> {
    let asked: HashSet<&str> = job.records.iter().map(String::as_str).collect();
    let model = ModelId::new(&job.priced_as)?;
    let journal = locked(&run.journal).path().to_owned();
    let path = journal.with_extension(format!("answers-{}", &job.name.token[..16.min(job.name.token.len())]));
    watch::outputs(
        run,
        &job.name,
        id,
        || Answers::new(&path),
        |answers, line| answers.take(line, &asked, |usage| run.client.job_cost(&model, usage)),
    )
    .await
}

/// The result of a record's request.
async fn result(
    run: &Run,
    done: &Done,
    key: &Key,
    shared: &Key,
    mut request: GenerateRequest,
) -> Result<Generation> {
    if let Some(lost) = &done.lost {
        return Err(lost.clone());
    }
    let answer = {
        let mut answers = done.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.get(&record::id(shared))?
    };
    let room = {
        let mut room = done.room.lock().unwrap_or_else(PoisonError::into_inner);
        room.as_mut().map(|room| room.split(done.share))
    };
    let answered = match answer {
        Some(answer) => {
            request.job_answer = Some(Arc::new(answer));
            request.batch_id.get_or_insert_with(|| run.id.clone());
            // The same over every restart: a result that was stored by a run that died is not stored twice.
            request.id.get_or_insert_with(|| Key::of_text(&format!("{} {key}", run.id)).uuid());
            if request.cache == CacheMode::Use {
                request.cache = CacheMode::Refresh;
            }
            if let Some(model) = &done.model
                && run.client.estimate(request.clone()).is_ok_and(|estimate| estimate.model != *model)
            {
                request.model = Some(model.clone());
            }
            run.scheduler.finish(request, room).await
        }
        None => {
            drop(room);
            run.scheduler.generate(request).await
        }
    };
    answered.and_then(|answer| locked(&run.journal).keep(key, answer))
}
