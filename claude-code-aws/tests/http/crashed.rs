//! What a server leaves behind that was killed: keys, jobs and leases are taken up within fifteen seconds.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use claude_code_aws::http::{App, Settings, bind, router};
use claude_code_core::answer::file::sha256_hex;
use claude_code_core::state::idempotency::{Entry, Idempotency};
use claude_code_core::state::jobs::Jobs;
use claude_code_core::state::memory::MemoryState;
use claude_code_core::store::memory::MemoryStore;
use claude_code_core::testing::{Script, ScriptedProvider, SeededIds, TestClock};
use claude_code_core::{Client, ClientBuilder, GenerateRequest, Scope};
use serde_json::json;

use super::support::{get, post};

const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";
/// Every promise of this file.
const SOON: Duration = Duration::from_secs(15);

/// A client of a process of its own over what its predecessors left behind.
fn client(provider: &Arc<ScriptedProvider>, state: &Arc<MemoryState>, store: &Arc<MemoryStore>) -> Client {
    static PROCESSES: AtomicU64 = AtomicU64::new(1);
    let ids = SeededIds::new(PROCESSES.fetch_add(1, Ordering::Relaxed));
    let builder = ClientBuilder::new(provider.clone(), Arc::new(TestClock::default()), Arc::new(ids));
    builder.with_state(state.clone()).with_store(store.clone()).build()
}

/// The life of a process: when it is over, everything in it is gone, and nothing was given back.
fn process<T>(life: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.unwrap().block_on(life)
}

/// A server that looks after jobs, for as long as its process lives.
async fn serving(app: &App) {
    let server = bind(app.clone(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    tokio::spawn(server.until(std::future::pending()));
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[test]
fn a_key_whose_owner_was_killed_is_free_within_fifteen_seconds() {
    let (state, store) = (Arc::default(), Arc::default());
    let (key, body) = ([("idempotency-key", "k")], json!({ "prompt": "a", "model": "sonnet" }));
    process(async {
        let provider = ScriptedProvider::new([Script::default().hang()]);
        let router = router(App::new(client(&provider, &state, &store), Settings::default()));
        let asked = post(&router, "/generate", &key, body.clone());
        assert!(tokio::time::timeout(Duration::from_secs(60), asked).await.is_err(), "it works on it");
        assert_eq!(
            post(&router, "/generate", &key, body.clone()).await.status,
            409,
            "and shows that it lives"
        );
    });
    process(async {
        let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
        let router = router(App::new(client(&provider, &state, &store), Settings::default()));
        // The clock of this process begins anew: the minute that the other one lived comes first.
        tokio::time::sleep(Duration::from_secs(60) + SOON).await;
        assert_eq!(post(&router, "/generate", &key, body.clone()).await.status, 200);
    });
}

#[tokio::test(start_paused = true)]
async fn a_freed_key_finds_the_result_that_its_owner_stored_before_it_died() {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let client = client(&provider, &Arc::default(), &Arc::default());
    let body = json!({ "prompt": "a", "model": "sonnet", "cache": "off" });
    let keys = Idempotency::new(client.state().clone(), client.clock().clone(), client.ids().clone());
    let hash = format!("generate/{}", sha256_hex(body.to_string().as_bytes()));
    let Entry::Lead(claim) = keys.enter(&Scope::local(), "k", &hash).await.unwrap() else { panic!("taken") };
    let request = GenerateRequest::new("a").with_model("sonnet").with_id(claim.result_id());
    let paid = client.generate(request).await.unwrap();
    tokio::time::sleep(SOON).await;
    let router = router(App::new(client, Settings::default()));
    for accept in ["application/json", "text/event-stream"] {
        let headers = [("idempotency-key", "k"), ("accept", accept)];
        let again = post(&router, "/generate", &headers, body.clone()).await;
        assert_eq!(again.status, 200, "{}", again.text());
        assert!(again.text().contains(&paid.id), "{accept}: the same result");
    }
    assert_eq!(provider.calls().len(), 1, "paid once");
}

#[test]
fn jobs_of_a_killed_server_are_taken_up_by_another_within_fifteen_seconds() {
    let (state, store) = (Arc::default(), Arc::default());
    let prefer = [("prefer", "respond-async")];
    let places: Vec<String> = process(async {
        let provider =
            ScriptedProvider::new([Script::text("```python a.py\n").hang(), Script::default().hang()]);
        let app = App::new(client(&provider, &state, &store), Settings::default().with_concurrency(1));
        serving(&app).await;
        let router = router(app);
        let mut places = Vec::new();
        // One is worked on, the others wait for their turn.
        for n in 0..3 {
            let body = json!({ "prompt": format!("job {n}"), "model": "sonnet" });
            let accepted = post(&router, "/generate", &prefer, body).await;
            assert_eq!(accepted.status, 202, "{}", accepted.text());
            places.push(accepted.header("location").to_owned());
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(get(&router, &places[0], &[]).await.json()["state"], "running");
        assert_eq!(get(&router, &places[2], &[]).await.json()["state"], "queued");
        places
    });
    process(async {
        let provider = ScriptedProvider::new((0..3).map(|_| Script::answer(ANSWER)));
        let app = App::new(client(&provider, &state, &store), Settings::default());
        let client = client(&provider, &state, &store);
        let jobs = Jobs::new(client.state().clone(), client.clock().clone(), client.ids().clone());
        serving(&app).await;
        tokio::time::sleep(Duration::from_secs(5) + SOON).await;
        for place in &places {
            // Read past the router: whoever asks it for a job keeps that one going.
            let job = jobs.get(&Scope::local(), place.trim_start_matches("/jobs/")).await.unwrap();
            assert!(job.is_ended() && job.result.is_some(), "{place}: {job:?}");
        }
        assert_eq!(provider.calls().len(), 3, "each once");
    });
}

#[tokio::test(start_paused = true)]
async fn two_servers_that_live_leave_each_others_jobs_alone() {
    let (state, store) = (Arc::default(), Arc::default());
    let mut slow = Script(vec![]).wait(Duration::from_secs(120));
    slow.0.extend(Script::answer(ANSWER).0);
    let (one, other) = (ScriptedProvider::new([slow]), ScriptedProvider::new([]));
    let first = App::new(client(&one, &state, &store), Settings::default());
    let second = App::new(client(&other, &state, &store), Settings::default());
    serving(&first).await;
    serving(&second).await;
    let body = json!({ "prompt": "a", "model": "sonnet" });
    let router = router(first);
    let accepted = post(&router, "/generate", &[("prefer", "respond-async")], body).await;
    tokio::time::sleep(Duration::from_secs(180)).await;
    assert_eq!(get(&router, accepted.header("location"), &[]).await.json()["state"], "done");
    assert_eq!((one.calls().len(), other.calls().len()), (1, 0));
}
