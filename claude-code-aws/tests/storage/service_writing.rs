//! The six files of a service under failing stores, slow readers and second writers, played in paused time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use claude_code_aws::service_creator::{
    Code, Creator, FILES, MemoryServices, Row, RowKey, ServiceData, ServiceStore, Services, Shown, Writing,
};
use claude_code_aws::state::memory::MemoryState;
use claude_code_aws::state::{OnlyIf, PutError, StateKey, StateKind};
use claude_code_aws::testing::{Script, ScriptedProvider, SeededIds, TestClock};
use claude_code_aws::{
    ClientBuilder, Clock, Cost, Error, ErrorKind, Policy, Result, Scope, StateStore, UtcMillis,
};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

const ID: &str = "c";
const FAR: UtcMillis = UtcMillis(i64::MAX);

/// The six files, as a model would write them.
fn answer(files: &[&str]) -> String {
    files.iter().map(|name| format!("````text {name}\nname = \"{name}\"\n````\n\n")).collect()
}

/// A store in memory that stumbles as often as it is told to.
#[derive(Debug, Default)]
struct Shaky {
    inner: MemoryServices,
    /// Reads of a code's row that come a moment before it.
    early: AtomicU32,
    lost_rows: AtomicU32,
    lost_files: AtomicU32,
    lost_descriptions: AtomicU32,
    /// Reads of files that say neither yes nor no.
    forbidden: AtomicU32,
    /// Files that are gone.
    gone: AtomicU32,
}

/// Whether it stumbles this time.
fn stumbles(times: &AtomicU32) -> bool {
    times.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |times| times.checked_sub(1)).is_ok()
}

fn down() -> Error {
    Error::new(ErrorKind::Storage, "the store is down")
}

#[async_trait::async_trait]
impl ServiceStore for Shaky {
    async fn row(&self, key: &RowKey) -> Result<Option<Row>> {
        if key.sk.starts_with("CODE#") && stumbles(&self.early) {
            return Ok(None);
        }
        self.inner.row(key).await
    }

    async fn put_row(
        &self,
        key: &RowKey,
        of: &Scope,
        body: &Value,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let is_lost = (key.sk.starts_with("CODE#") && stumbles(&self.lost_rows))
            || (key.sk == "METADATA" && stumbles(&self.lost_descriptions));
        if is_lost {
            return Err(PutError::Store(down()));
        }
        self.inner.put_row(key, of, body, only_if).await
    }

    async fn file(&self, key: &str) -> Result<Option<Vec<u8>>> {
        if stumbles(&self.forbidden) {
            return Err(Error::new(ErrorKind::AccessDenied, "forbidden, or not there"));
        }
        if stumbles(&self.gone) { Ok(None) } else { self.inner.file(key).await }
    }

    async fn put_file(&self, key: &str, content: &str) -> Result<()> {
        if stumbles(&self.lost_files) { Err(down()) } else { self.inner.put_file(key, content).await }
    }

    async fn rows(&self, pk: &str, limit: usize, before: Option<&str>) -> Result<Vec<Row>> {
        self.inner.rows(pk, limit, before).await
    }

    async fn delete_row(&self, key: &RowKey) -> Result<()> {
        self.inner.delete_row(key).await
    }

    async fn delete_files(&self, prefix: &str) -> Result<()> {
        self.inner.delete_files(prefix).await
    }
}

/// What the writers of one conversation share.
struct Stage {
    store: Arc<Shaky>,
    state: Arc<MemoryState>,
    services: Services,
    clock: Arc<TestClock>,
    ids: Arc<SeededIds>,
}

impl Stage {
    async fn open() -> Self {
        let store = Arc::new(Shaky::default());
        let clock = Arc::new(TestClock::default());
        let services = Services::new(store.clone(), clock.clone());
        services.start(&Scope::local(), ID).await.unwrap();
        Stage { store, state: Arc::default(), services, clock, ids: Arc::new(SeededIds::new(1)) }
    }

    fn creator(&self, provider: &Arc<ScriptedProvider>) -> Creator {
        let client = ClientBuilder::new(provider.clone(), self.clock.clone(), self.ids.clone());
        Creator::new(client.with_state(self.state.clone()).build(), self.services.clone())
    }

    async fn begin(&self, provider: &Arc<ScriptedProvider>) -> Result<Writing> {
        self.creator(provider).write(ID, Some(ServiceData::sample()), None).await
    }

    /// Writes to the end, read as fast as it comes.
    async fn write(&self, provider: &Arc<ScriptedProvider>) -> Result<Code> {
        let (out, shown) = mpsc::channel(1);
        tokio::spawn(self.begin(provider).await?.run(out));
        end(shown).await
    }

    async fn code_id(&self) -> String {
        let (conversation, _) = self.services.conversation(&Scope::local(), ID).await.unwrap();
        conversation.code.unwrap().code_id
    }
}

async fn end(mut shown: mpsc::Receiver<Result<Shown>>) -> Result<Code> {
    while let Some(next) = shown.recv().await {
        if let Shown::Written(code) = next? {
            return Ok(*code);
        }
    }
    panic!("no end was shown");
}

fn names(code: &Code) -> Vec<&str> {
    code.files.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn half_a_service_is_shown_and_the_next_run_writes_the_rest() {
    let stage = Stage::open().await;
    let half = stage.write(&ScriptedProvider::new([Script::answer(&answer(&FILES[..2]))])).await.unwrap();
    assert_eq!((half.accepted, names(&half)), (false, FILES[..2].to_vec()));
    let kept = stage.services.code(&Scope::local(), &half.service_id, &half.code_id).await.unwrap();
    assert_eq!(kept, half, "what was paid for can be downloaded");
    let rest = ScriptedProvider::new([Script::answer(&answer(&FILES[2..]))]);
    let whole = stage.write(&rest).await.unwrap();
    assert_eq!((names(&whole), &whole.code_id), (FILES.to_vec(), &half.code_id));
    let task = &rest.calls()[0].messages[0].blocks[0].text;
    let wanted = task.split("Write only these").nth(1).unwrap().split("</task>").next().unwrap();
    assert!(wanted.contains(FILES[2]) && !wanted.contains(FILES[1]), "{wanted}");
    stage.write(&rest).await.unwrap();
    assert_eq!(rest.calls().len(), 1, "six files are final");
}

/// Who named a model for the client gets no other one; where its price is above a question's worth, none is asked.
#[tokio::test(start_paused = true)]
async fn the_clients_own_model_writes_the_files_and_no_other_one_is_asked() {
    let haiku = "us.anthropic.claude-haiku-4-5-20251001-v1:0";
    for (own, questions, files) in
        [(None, "haiku-5-5", "sonnet"), (Some("opus"), "", "opus"), (Some(haiku), "", haiku)]
    {
        let stage = Stage::open().await;
        let provider = ScriptedProvider::new([
            Script::answer("```text question.txt\nWhich tenants?\n```\n"),
            Script::answer(&answer(&FILES)),
        ]);
        let policy = Policy { model: own.map(str::to_owned), ..Policy::default() };
        let client = ClientBuilder::new(provider.clone(), stage.clock.clone(), stage.ids.clone());
        let creator = Creator::new(client.with_policy(policy).build(), stage.services.clone());
        creator.message(ID, Some(1), "vFirewall").await.unwrap();
        let asked: Vec<String> = provider.calls().iter().map(|call| call.model.to_string()).collect();
        assert_eq!(asked.len(), usize::from(own.is_none()), "{own:?}: {asked:?}");
        assert!(asked.iter().all(|model| model.contains(questions)), "{asked:?}");
        let (out, shown) = mpsc::channel(64);
        tokio::spawn(creator.write(ID, Some(ServiceData::sample()), None).await.unwrap().run(out));
        drop(end(shown).await.unwrap());
        let last = provider.calls().last().unwrap().model.to_string();
        assert!(last.contains(files), "{own:?}: {last}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_looked_before_another_ended_takes_its_row_over_as_it_is() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    let paid = stage.write(&provider).await.unwrap();
    assert!(matches!(paid.receipt.total(), Cost::Priced(usd) if usd.0 > 0), "{:?}", paid.receipt);
    stage.store.early.store(1, Ordering::Relaxed);
    assert_eq!(stage.write(&provider).await.unwrap(), paid);
    let kept = stage.services.code(&Scope::local(), &paid.service_id, &paid.code_id).await.unwrap();
    assert_eq!(kept, paid, "a paid row is not written over");
    stage.store.early.store(1, Ordering::Relaxed);
    assert_eq!(stage.write(&provider).await.unwrap(), paid, "the lease was given back");
}

#[tokio::test(start_paused = true)]
async fn files_whose_run_died_before_its_row_have_an_unknown_cost_and_no_free_one() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    stage.store.lost_rows.store(1, Ordering::Relaxed);
    assert_eq!(stage.write(&provider).await.unwrap_err().kind(), ErrorKind::Storage);
    let code = stage.write(&provider).await.unwrap();
    assert_eq!((names(&code), code.model.as_deref()), (FILES.to_vec(), None));
    assert!(!code.receipt.total().is_priced(), "{:?}", code.receipt);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_does_not_let_a_second_writer_in() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    let (out, shown) = mpsc::channel(1);
    tokio::spawn(stage.begin(&provider).await.unwrap().run(out));
    for _ in 0..4 {
        sleep(Duration::from_secs(40)).await;
        assert_eq!(stage.begin(&provider).await.unwrap_err().kind(), ErrorKind::Conflict);
    }
    assert_eq!(names(&end(shown).await.unwrap()), FILES);
    assert_eq!(provider.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_was_taken_over_leaves_the_row_alone() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    let writing = stage.begin(&provider).await.unwrap();
    let id = stage.code_id().await;
    let key = StateKey::new(StateKind::Lease, &Scope::local(), format!("service/{id}"));
    stage.state.put(&key, b"another".to_vec(), FAR, OnlyIf::Any).await.unwrap();
    let (out, shown) = mpsc::channel(1);
    tokio::spawn(writing.run(out));
    assert_eq!(end(shown).await.unwrap_err().kind(), ErrorKind::Conflict);
    let (conversation, _) = stage.services.conversation(&Scope::local(), ID).await.unwrap();
    let code = conversation.code.unwrap();
    let row = stage.services.code(&Scope::local(), &code.service_id, &code.code_id).await;
    assert_eq!(row.unwrap_err().kind(), ErrorKind::NotFound);
    let lease = stage.state.get(&key).await.unwrap().unwrap();
    assert_eq!(lease.value, b"another");
}

/// A renewal whose answer was lost is no other writer's.
#[tokio::test(start_paused = true)]
async fn a_renewal_that_was_written_unseen_is_the_writers_own() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    let writing = stage.begin(&provider).await.unwrap();
    let id = stage.code_id().await;
    let key = StateKey::new(StateKind::Lease, &Scope::local(), format!("service/{id}"));
    let own = stage.state.get(&key).await.unwrap().unwrap();
    stage.state.put(&key, own.value, own.expires_at, OnlyIf::Version(own.version)).await.unwrap();
    let (out, shown) = mpsc::channel(1);
    tokio::spawn(writing.run(out));
    assert_eq!(names(&end(shown).await.unwrap()), FILES);
    let now = stage.clock.now();
    assert!(stage.state.get(&key).await.unwrap().unwrap().expires_at <= now, "and it is given back");
}

/// The rows of a conversation and of what it describes are two writes: the second is made up for.
#[tokio::test(start_paused = true)]
async fn a_description_whose_row_was_lost_is_written_by_the_next_run() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    stage.store.lost_descriptions.store(1, Ordering::Relaxed);
    assert_eq!(stage.begin(&provider).await.unwrap_err().kind(), ErrorKind::Storage);
    let code = stage.write(&provider).await.unwrap();
    let key = RowKey { pk: format!("SERVICE#{}", code.service_id), sk: "METADATA".into() };
    let row = stage.store.row(&key).await.unwrap().expect("the service is described");
    assert_eq!(row.body["service_data"]["service_type"], ServiceData::sample().service_type.as_str());
    stage.write(&provider).await.unwrap();
    assert_eq!(stage.store.row(&key).await.unwrap().unwrap(), row, "and not written again");
}

#[tokio::test(start_paused = true)]
async fn files_that_cannot_be_read_are_an_error_where_they_must_be_there_and_are_never_paid_again() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES[..2]))]);
    stage.store.forbidden.store(6, Ordering::Relaxed);
    let half = stage.write(&provider).await.unwrap();
    assert_eq!(names(&half), FILES[..2], "before there is a row, what is forbidden is not there");
    let paid = provider.calls().len();
    stage.store.forbidden.store(6, Ordering::Relaxed);
    assert_eq!(stage.begin(&provider).await.unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(provider.calls().len(), paid, "the row lists them");
    for stumble in [&stage.store.forbidden, &stage.store.gone] {
        stage.store.forbidden.store(0, Ordering::Relaxed);
        stumble.store(6, Ordering::Relaxed);
        assert_eq!(
            stage.services.files(&half).await.unwrap_err().kind(),
            ErrorKind::Storage,
            "no empty archive"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_kept_on_the_way_does_not_end_a_paid_answer() {
    let stage = Stage::open().await;
    let provider = ScriptedProvider::new([Script::answer(&answer(&FILES))]);
    stage.store.lost_files.store(3, Ordering::Relaxed);
    let code = stage.write(&provider).await.unwrap();
    assert_eq!(names(&code), FILES);
    let kept = stage.services.files(&code).await.unwrap();
    assert_eq!(kept.len(), FILES.len(), "they are put again at the end");
}
