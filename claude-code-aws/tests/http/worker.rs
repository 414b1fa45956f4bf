//! Jobs whose store or queue stumbles while their answer is being paid for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use claude_code_aws::http::{App, router};
use claude_code_core::state::memory::MemoryState;
use claude_code_core::state::{
    AddError, Addition, Counters, OnlyIf, PutError, StateKey, StateKind, Versioned,
};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Error, ErrorKind, StateStore, UtcMillis};
use serde_json::{Value, json};

use super::queue::{ANSWER, Host, KEY, URL, deliver, done, sqs};
use super::support::get;

/// What becomes of a write to a job.
#[derive(Clone, Copy, Debug)]
enum Write {
    Done,
    /// Nothing is written.
    Lost,
    /// It is written, and the answer says otherwise.
    Unseen,
}

/// State in memory that stumbles over jobs as it is told, then no more.
#[derive(Debug, Default)]
struct Shaky {
    inner: MemoryState,
    next: Mutex<VecDeque<Write>>,
}

impl Shaky {
    fn left(&self) -> usize {
        self.next.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl StateStore for Shaky {
    async fn get(&self, key: &StateKey) -> Result<Option<Versioned>, Error> {
        self.inner.get(key).await
    }

    async fn put(
        &self,
        key: &StateKey,
        value: Vec<u8>,
        expires_at: UtcMillis,
        only_if: OnlyIf,
    ) -> Result<u64, PutError> {
        let of_job = key.kind == StateKind::Job;
        let next = if of_job { self.next.lock().unwrap().pop_front() } else { None };
        match next.unwrap_or(Write::Done) {
            Write::Done => return self.inner.put(key, value, expires_at, only_if).await,
            Write::Lost => {}
            Write::Unseen => drop(self.inner.put(key, value, expires_at, only_if).await?),
        }
        Err(PutError::Store(Error::new(ErrorKind::Storage, "the table is down")))
    }

    async fn add(&self, key: &StateKey, addition: Addition) -> Result<Counters, AddError> {
        self.inner.add(key, addition).await
    }
}

/// Whatever write fails while an answer comes, and however: it is paid once, and its job ends with it.
#[tokio::test(start_paused = true)]
async fn a_store_that_stumbles_does_not_throw_a_paid_answer_away() {
    use Write::{Done, Lost, Unseen};
    // The first write takes the job; two are of the log's last event and of the row at the end.
    for writes in [
        vec![Done, Lost, Lost, Lost, Lost, Lost, Lost],
        vec![Done, Unseen, Unseen, Unseen, Unseen, Unseen, Unseen, Unseen],
        vec![Done, Unseen, Lost, Unseen, Lost, Unseen, Done, Lost, Unseen],
        vec![Done, Done, Done, Done, Done, Lost, Unseen, Unseen, Lost],
    ] {
        let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
        let state = Arc::new(Shaky::default());
        let host = Host::over(builder(provider.clone()).with_state(state.clone()).build());
        let place = host.accept().await.header("location").to_owned();
        state.next.lock().unwrap().extend(&writes);
        assert_eq!(host.deliver(&host.message()).await, done(), "{writes:?}");
        assert_eq!(state.left(), 0, "all of them happened: {writes:?}");
        let job = host.job(&place).await;
        assert_eq!((&job["state"], &job["result"]["accepted"]), (&json!("done"), &json!(true)), "{writes:?}");
        assert_eq!(provider.calls().len(), 1, "{writes:?}");
        let log = get(&host.router, &format!("{place}/events"), &[KEY]).await.events();
        let ends = log.iter().filter(|(name, _)| name == "finished").count();
        assert_eq!((ends, log.last().unwrap().0.as_str()), (1, "finished"), "{writes:?}: {log:?}");
    }
}

/// SQS that delivers a message and says that it did not.
#[derive(Clone, Debug, Default)]
struct Unsure(Arc<OnceLock<App>>);

impl HttpConnector for Unsure {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let app = self.0.get().unwrap().clone();
        tokio::spawn(deliver(app, sent["MessageBody"].as_str().unwrap().to_owned()));
        HttpConnectorFuture::new(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut refused = Response::new(StatusCode::try_from(400).unwrap(), SdkBody::from("{}"));
            refused.headers_mut().insert("x-amzn-errortype", "RequestCanceled");
            Ok(refused)
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_a_worker_has_is_accepted_whatever_the_queue_said() {
    for script in [Script::answer(ANSWER), Script::text("```python a.py\n").hang()] {
        let provider = ScriptedProvider::new([script]);
        let queue = Unsure::default();
        let connector = SharedHttpConnector::new(queue.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        let sqs = aws_sdk_sqs::Client::from_conf(sqs().http_client(http).build());
        let mut host = Host::over(builder(provider.clone()).build());
        host.app = host.app.with_queue(sqs, URL);
        host.router = router(host.app.clone());
        queue.0.set(host.app.clone()).unwrap();
        let answer = host.accept().await;
        assert_eq!(answer.status, 202, "it is being paid for: {}", answer.text());
        let job = host.job(answer.header("location")).await;
        assert!(job["state"] == "done" || job["state"] == "running", "{job:#}");
        assert_eq!(provider.calls().len(), 1);
    }
}
