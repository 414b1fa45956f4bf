//! What stands beside the sequence over shared state: idempotency keys and jobs.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use claude_code_core::provider::message::Message;
use claude_code_core::state::idempotency::{Claim, Entry, Idempotency};
use claude_code_core::state::jobs::{Held, JobState, Jobs, Taken};
use claude_code_core::state::lease;
use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::store::ResultRow;
use claude_code_core::testing::{SeededIds, TestClock};
use claude_code_core::{Error, ErrorKind, Scope, StateStore, UtcMillis, edit, read_answer};
use serde_json::json;

/// Every public value that holds words or code of the user, with a mark planted in it.
#[tokio::test]
async fn debug_shows_nothing_that_user_or_model_wrote() {
    let mark = || "canary-7f3a".to_owned();
    let files = [("a.py".to_owned(), mark())].into();
    let edit = edit::Edit { search: mark(), replace: "x".into(), ..edit::Edit::default() };
    let changed = edit::apply(&files, std::slice::from_ref(&edit)).unwrap();
    let jobs = jobs_in_memory();
    let job = jobs.create(&Scope::local(), "id", json!({ "prompt": mark() })).await.unwrap();
    let row = json!({
        "id": "1", "prompt": mark(), "language": "python", "generated_at": "", "code_length": 1, "s3_key": "",
        "model": "", "stop_reason": ""
    });
    let shown = [
        format!("{edit:?} {changed:?} {job:?}"),
        format!("{:?}", serde_json::from_value::<ResultRow>(row).unwrap()),
        format!("{:?}", Entry::Replay(json!(mark()))),
        format!("{:?}", Versioned { value: vec![b'c'; 3], version: 1, expires_at: UtcMillis::default() }),
        format!("{:?} {:?}", Message::user(mark()), read_answer(&format!("```a.py\n{}\n```", mark()))),
    ]
    .concat();
    assert!(!shown.contains("canary") && !shown.contains("99, 99"), "{shown}");
}

const LEASE: Duration = lease::TTL;

fn jobs_in_memory() -> Jobs {
    let ids = Arc::new(SeededIds::new(1));
    Jobs::new(Arc::new(MemoryState::default()), Arc::new(TestClock::default()), ids)
}

fn keys() -> Idempotency {
    over(Arc::new(MemoryState::default()))
}

fn over(state: Arc<dyn StateStore>) -> Idempotency {
    Idempotency::new(state, Arc::new(TestClock::default()), Arc::new(SeededIds::new(1)))
}

async fn lead(keys: &Idempotency) -> Claim {
    match keys.enter(&Scope::local(), "k", "hash").await.unwrap() {
        Entry::Lead(claim) => claim,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_and_the_others_wait_or_get_its_answer() {
    let keys = keys();
    let claim = lead(&keys).await;
    let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
    assert!(matches!(entry, Entry::InProgress(wait) if wait <= LEASE));
    let other = keys.enter(&Scope::local(), "k", "other hash").await.unwrap();
    assert!(matches!(other, Entry::OtherRequest));
    let stranger = keys.enter(&Scope::authenticated("b"), "k", "other hash").await.unwrap();
    assert!(matches!(stranger, Entry::Lead(_)), "keys of two scopes never meet");
    assert!(keys.finish(&claim, json!(1)).await.unwrap());
    let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
    assert!(matches!(entry, Entry::Replay(answer) if answer == json!(1)));
    tokio::time::advance(Duration::from_secs(86_401)).await;
    lead(&keys).await;
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_owner_died_is_free_within_fifteen_seconds_and_one_whose_owner_lives_is_not() {
    let keys = keys();
    let alive = lead(&keys).await;
    let renewed = tokio::spawn({
        let alive = alive.clone();
        async move { alive.lost().await }
    });
    tokio::time::sleep(Duration::from_secs(120)).await;
    let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
    assert!(matches!(entry, Entry::InProgress(_)), "two minutes of work: {entry:?}");
    renewed.abort();
    tokio::time::sleep(Duration::from_secs(15)).await;
    let follower = lead(&keys).await;
    assert_eq!(follower.result_id(), alive.result_id(), "the follower finds what the dead one stored");
    assert!(!keys.finish(&alive, json!("late")).await.unwrap());
}

/// A slow owner and its follower, in both orders of finishing: the follower's answer stands.
#[tokio::test(start_paused = true)]
async fn a_late_owner_never_overwrites_its_follower() {
    for slow_first in [true, false] {
        let keys = keys();
        let slow = lead(&keys).await;
        tokio::time::advance(LEASE + Duration::from_secs(2)).await;
        let follower = lead(&keys).await;
        let (first, second) = if slow_first { (&slow, &follower) } else { (&follower, &slow) };
        let answer = |claim: &Claim| json!(std::ptr::eq(claim, &follower));
        let wrote = [
            keys.finish(first, answer(first)).await.unwrap(),
            keys.finish(second, answer(second)).await.unwrap(),
        ];
        assert_eq!(wrote, [!slow_first, slow_first]);
        let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
        assert!(matches!(entry, Entry::Replay(answer) if answer == json!(true)));
        assert!(!keys.release(&slow).await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_given_back_is_free_at_once_and_a_bad_key_is_refused() {
    let keys = keys();
    let claim = lead(&keys).await;
    assert!(keys.release(&claim).await.unwrap());
    lead(&keys).await;
    for bad in ["", "two words", "ä", &"a".repeat(256)] {
        let error = keys.enter(&Scope::local(), bad, "hash").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
}

/// State that has removed a row begins its versions anew, and a put whose reply was lost is made again.
#[derive(Debug, Default)]
struct Forgetful {
    inner: Mutex<HashMap<StateKey, Versioned>>,
    repeats: bool,
}

#[async_trait::async_trait]
impl StateStore for Forgetful {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        Ok(self.inner.lock().unwrap().get(key).cloned())
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        until: UtcMillis,
        if_: OnlyIf,
    ) -> Result<u64, PutError> {
        let mut rows = self.inner.lock().unwrap();
        let mut version = 0;
        for _ in 0..=usize::from(self.repeats) {
            let old = rows.get(key);
            version = match (if_, old) {
                (OnlyIf::AbsentAt(now), Some(old)) if now >= old.expires_at => 1,
                (OnlyIf::AbsentAt(_) | OnlyIf::Any, None) => 1,
                (OnlyIf::Version(wanted), Some(old)) if old.version == wanted => wanted + 1,
                _ => return Err(PutError::Conflict),
            };
            rows.insert(key.clone(), Versioned { value: value.clone(), version, expires_at: until });
        }
        Ok(version)
    }

    async fn add(&self, _: &StateKey, _: Addition) -> Result<Counters, AddError> {
        Ok(Counters::new())
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_owner_is_known_even_where_versions_began_anew() {
    let keys = over(Arc::new(Forgetful::default()));
    let slow = lead(&keys).await;
    tokio::time::advance(LEASE + Duration::from_secs(2)).await;
    let follower = lead(&keys).await;
    assert!(!keys.finish(&slow, json!("late")).await.unwrap());
    assert!(!keys.release(&slow).await.unwrap());
    assert!(keys.finish(&follower, json!("right")).await.unwrap());
    let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
    assert!(matches!(entry, Entry::Replay(answer) if answer == json!("right")));
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_reply_was_lost_is_its_callers_all_the_same() {
    let keys = over(Arc::new(Forgetful { repeats: true, ..Forgetful::default() }));
    let claim = lead(&keys).await;
    assert!(keys.finish(&claim, json!(1)).await.unwrap());
    let entry = keys.enter(&Scope::local(), "k", "hash").await.unwrap();
    assert!(matches!(entry, Entry::Replay(answer) if answer == json!(1)));
}

#[tokio::test(start_paused = true)]
async fn values_in_memory_that_have_expired_make_room() {
    let state = MemoryState::default();
    let key = |n: usize| StateKey::new(StateKind::Idem, &Scope::local(), n.to_string());
    let (now, later) = (UtcMillis(1_000), UtcMillis(2_000));
    for n in 0..3_000 {
        state.put(&key(n), vec![0], now, OnlyIf::AbsentAt(later)).await.unwrap();
    }
    let mut kept = 0;
    for n in 0..3_000 {
        kept += usize::from(state.get(&key(n)).await.unwrap().is_some());
    }
    assert!(kept <= 1_024, "{kept}");
}

async fn held(jobs: &Jobs) -> Held {
    match jobs.take(&Scope::local(), "j").await.unwrap() {
        Taken::Held(held) => *held,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_worker_died_is_taken_over_and_the_dead_one_writes_nothing() {
    let jobs = jobs_in_memory();
    let scope = Scope::local();
    jobs.create(&scope, "j", json!({ "a": 1 })).await.unwrap();
    let mut dead = held(&jobs).await;
    assert_eq!(jobs.last_event(&dead).await.unwrap(), None);
    jobs.log(&mut dead, &json!("one")).await.unwrap();
    let busy = jobs.take(&scope, "j").await.unwrap();
    assert!(matches!(busy, Taken::Busy(wait) if wait == LEASE), "its worker lives: {busy:?}");
    tokio::time::advance(LEASE).await;
    let mut next = held(&jobs).await;
    assert_eq!((next.job.workers, next.job.progress.events), (2, 1), "the log goes on behind what is there");
    assert_eq!(jobs.last_event(&next).await.unwrap(), Some(json!("one")), "the dead one's last word");
    jobs.log(&mut next, &json!("two")).await.unwrap();
    assert_eq!(jobs.log(&mut dead, &json!("late")).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(jobs.finish(dead, None, Ok(json!("late"))).await.unwrap_err().kind(), ErrorKind::Conflict);
    jobs.finish(next, None, Ok(json!("done"))).await.unwrap();
    let job = jobs.get(&scope, "j").await.unwrap();
    assert_eq!((job.state, job.result), (JobState::Done, Some(json!("done"))));
    assert!(matches!(jobs.take(&scope, "j").await.unwrap(), Taken::Ended));
    assert_eq!(jobs.event(&scope, "j", 2).await.unwrap(), Some(json!("two")));
    assert_eq!(jobs.get(&Scope::authenticated("b"), "j").await.unwrap_err().kind(), ErrorKind::NotFound);
}
