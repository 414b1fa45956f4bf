//! Before anything is paid: jobs of earlier runs are looked up, and the rest is shared out between the lanes.

use std::collections::{BTreeMap, HashMap, HashSet};

use claude_code_core::batch::JobCall;
use claude_code_core::{GenerateRequest, Result};
use futures_util::future::join_all;

use super::job::{Job, JobEvent};
use super::plan::{self, Groups};
use super::record;
use super::run::Run;
use super::shard::{Shard, Writer};
use super::watch;
use crate::files::batch_journal::locked;
use crate::files::batch_manifest::Key;

/// Looks into the response cache at a time.
const AT_ONCE: usize = 32;

/// How the requests are shared out.
pub(super) struct Prepared {
    /// The work that each request waits for; none: it goes on demand, or is answered.
    pub(super) places: Vec<Option<usize>>,
    /// Further places of requests that share an answer.
    pub(super) repeats: HashMap<Key, Vec<usize>>,
    pub(super) works: Vec<Work>,
}

/// A job to be waited for.
pub(super) enum Work {
    /// One of an earlier run.
    Known(Job),
    /// One that is to be submitted.
    New(Shard),
}

pub(super) async fn prepare(run: &Run) -> Result<Prepared> {
    recover(run).await?;
    let known: Vec<Job> =
        locked(&run.journal).jobs().iter().filter(|job| job.dropped.is_none()).cloned().collect();
    let of_known: HashMap<&str, usize> = known
        .iter()
        .enumerate()
        .flat_map(|(number, job)| job.records.iter().map(move |record| (record.as_str(), number)))
        .collect();
    let mut first = HashMap::new();
    let mut prepared = Prepared { places: Vec::new(), repeats: HashMap::new(), works: Vec::new() };
    if known.is_empty() && !run.options.wish.wants_jobs() {
        return Ok(prepared);
    }
    let mut open: HashSet<Key> = HashSet::new();
    let (mut groups, mut waiting) = (Groups::default(), Vec::new());
    for (index, key, shared, request) in run.items()? {
        prepared.places.push(None);
        if locked(&run.journal).has(&key) || locked(&run.journal).has(&shared) {
            continue;
        }
        if first.contains_key(&shared) {
            prepared.repeats.entry(shared).or_default().push(index);
            continue;
        }
        if let Some(number) = of_known.get(record::id(&shared).as_str()) {
            first.insert(shared, index);
            prepared.places[index] = Some(*number);
            continue;
        }
        if !run.options.wish.wants_jobs() {
            continue;
        }
        if let Ok(call) = run.client.job_call(request.clone()) {
            first.insert(shared, index);
            waiting.push((shared, call, request));
        }
        if waiting.len() >= AT_ONCE {
            look_up(run, &mut waiting, &mut open, &mut groups).await;
        }
    }
    look_up(run, &mut waiting, &mut open, &mut groups).await;
    let shards = share_out(run, &groups, &open, &mut prepared, known.len())?;
    prepared.works = known.into_iter().map(Work::Known).chain(shards.into_iter().map(Work::New)).collect();
    for (key, places) in &prepared.repeats {
        let leader = first.get(key).and_then(|index| prepared.places[*index]);
        places.iter().for_each(|index| prepared.places[*index] = leader);
    }
    Ok(prepared)
}

/// Counts the requests that the response cache has no answer to.
async fn look_up(
    run: &Run,
    waiting: &mut Vec<(Key, JobCall, GenerateRequest)>,
    open: &mut HashSet<Key>,
    groups: &mut Groups,
) {
    let mut looks = Vec::with_capacity(waiting.len());
    for (_, _, request) in waiting.iter() {
        looks.push(run.client.has_cached(request.clone()));
    }
    let hits = join_all(looks).await;
    for ((key, call, _), is_hit) in waiting.drain(..).zip(hits) {
        if !is_hit {
            open.insert(key);
            groups.note(&call);
        }
    }
}

/// Tells the lanes with their reasons, and writes the records of those that go in jobs.
fn share_out(
    run: &Run,
    groups: &Groups,
    open: &HashSet<Key>,
    prepared: &mut Prepared,
    known: usize,
) -> Result<Vec<Shard>> {
    let journal = locked(&run.journal);
    let (path, jobs) = (journal.path().to_owned(), journal.jobs().to_vec());
    drop(journal);
    let hours = plan::hours(run.options.wish.deadline);
    let mut writers = BTreeMap::new();
    for (name, group) in &groups.0 {
        let choice = plan::choose(group, &run.options.wish);
        let (worst, lane) = (choice.worst(group), choice.lane());
        run.note(&format!(
            "{} {}: {} requests by {lane}, at most {worst}: {}",
            name.0, name.1, group.requests, choice.why
        ));
        if choice.in_jobs {
            writers
                .insert(name, Writer::new(&run.id, &path, &jobs, group.requests, run.options.limits, hours));
        }
    }
    if writers.is_empty() {
        return Ok(Vec::new());
    }
    // Each group's shards are numbered from 0; afterwards they stand behind one another.
    let mut placed: Vec<(usize, (String, String), usize)> = Vec::new();
    let mut seen = HashSet::new();
    for (index, _, shared, request) in run.items()? {
        if !open.contains(&shared) || !seen.insert(shared) {
            continue;
        }
        let call = run.client.job_call(request)?;
        let name = plan::name(&call);
        if let Some(writer) = writers.get_mut(&name) {
            let number = writer.add(&shared, &call)?;
            placed.push((index, name, number));
        }
    }
    let mut shards = Vec::new();
    let mut begins = HashMap::new();
    for (name, writer) in writers {
        begins.insert(name.clone(), known + shards.len());
        shards.extend(writer.finish()?);
    }
    for (index, name, number) in placed {
        let at = begins.get(&name).copied().unwrap_or_default() + number;
        let is_enough =
            shards.get(at - known).is_some_and(|shard: &Shard| shard.records.len() >= plan::MINIMUM);
        prepared.places[index] = is_enough.then_some(at);
    }
    Ok(shards)
}

/// Finds the jobs that an earlier run was about to submit when it ended. What was not made is nobody's any more.
async fn recover(run: &Run) -> Result<()> {
    let lost: Vec<Job> = locked(&run.journal)
        .jobs()
        .iter()
        .filter(|job| job.id.is_none() && job.dropped.is_none())
        .cloned()
        .collect();
    for job in lost {
        let token = job.name.token.clone();
        let event = match watch::find(run, &job.name).await? {
            Some(view) => JobEvent::Created(view.id),
            None => JobEvent::Dropped("it was not made".to_owned()),
        };
        let is_dropped = matches!(event, JobEvent::Dropped(_));
        locked(&run.journal).note_job(&token, event)?;
        if is_dropped {
            run.client.settle_job(&job.held, claude_code_core::PicoUsd::ZERO).await;
        }
    }
    Ok(())
}
