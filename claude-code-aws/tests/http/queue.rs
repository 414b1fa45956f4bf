//! Jobs over SQS: accepted by one invocation, worked on by another, paid for once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use axum::Router;
use claude_code_aws::http::lambda::{self, Incoming};
use claude_code_aws::http::{App, Settings, router};
use claude_code_core::state::jobs::{Held, Jobs, Taken};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Client, Scope};
use serde_json::{Value, json};

use super::server::{self, Server};
use super::support::{Answer, get, post};

const EVENT: &str = include_str!("events/sqs.json");
pub const ANSWER: &str = "```python a.py\nvalue = 1\n```\n";
pub const URL: &str = "https://sqs.us-east-1.amazonaws.com/123456789012/claude-code-jobs";
pub const KEY: (&str, &str) = ("authorization", "Bearer t");

/// SQS in the process: it takes every message.
#[derive(Clone, Debug, Default)]
pub struct Taker(Arc<Mutex<Vec<Value>>>);

impl Taker {
    pub fn client(&self) -> aws_sdk_sqs::Client {
        let connector = SharedHttpConnector::new(self.clone());
        let http = http_client_fn(move |_, _| connector.clone());
        aws_sdk_sqs::Client::from_conf(sqs().http_client(http).build())
    }
}

impl HttpConnector for Taker {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sent: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        self.0.lock().unwrap().push(sent);
        let answer = json!({ "MessageId": "m" }).to_string();
        let mut response = Response::new(StatusCode::try_from(200).unwrap(), SdkBody::from(answer));
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}

pub(super) fn sqs() -> aws_sdk_sqs::config::Builder {
    aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("AK", "not-a-secret", None, None, "test"))
}

/// A host that is frozen after its answers, its worker, and the messages between them.
pub(super) struct Host {
    pub(super) app: App,
    pub(super) router: Router,
    client: Client,
    messages: Taker,
}

fn host(provider: &Arc<ScriptedProvider>) -> Host {
    Host::over(builder(provider.clone()).build())
}

impl Host {
    pub(super) fn over(client: Client) -> Self {
        let messages = Taker::default();
        let settings = Settings::default().with_tokens(["t".to_owned()]).without_background();
        let app = App::new(client.clone(), settings).with_queue(messages.client(), URL);
        Host { router: router(app.clone()), app, client, messages }
    }

    pub(super) async fn accept(&self) -> Answer {
        self.accept_with(&[]).await
    }

    async fn accept_with(&self, headers: &[(&str, &str)]) -> Answer {
        let body = json!({ "prompt": "a", "model": "sonnet", "cache": "off" });
        let own = [KEY, ("prefer", "respond-async")];
        post(&self.router, "/generate", &[&own, headers].concat(), body).await
    }

    /// The body of the last message.
    pub(super) fn message(&self) -> String {
        let sent = self.messages.0.lock().unwrap();
        sent.last().unwrap()["MessageBody"].as_str().unwrap().to_owned()
    }

    /// The message is delivered; the ids of what shall come again.
    pub(super) async fn deliver(&self, body: &str) -> Value {
        deliver(self.app.clone(), body.to_owned()).await
    }

    pub(super) async fn job(&self, place: &str) -> Value {
        get(&self.router, place, &[KEY]).await.json()
    }
}

pub(super) async fn deliver(app: App, body: String) -> Value {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["Records"][0]["body"] = body.into();
    worked(app, event).await
}

async fn worked(app: App, event: Value) -> Value {
    let Incoming::Jobs(batch) = serde_json::from_str(&event.to_string()).unwrap() else {
        panic!("not taken for jobs");
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let deadline = (now + Duration::from_secs(300)).as_millis() as u64;
    serde_json::to_value(lambda::work(&app, batch, deadline).await).unwrap()
}

pub(super) fn done() -> Value {
    json!({ "batchItemFailures": [] })
}

fn again() -> Value {
    json!({ "batchItemFailures": [{ "itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d" }] })
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_over_the_queue_and_a_message_that_comes_twice_is_paid_once() {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let host = host(&provider);
    let accepted = host.accept().await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    let place = accepted.header("location").to_owned();
    assert_eq!(host.job(&place).await["state"], "queued");
    assert_eq!(provider.calls().len(), 0, "nothing goes on after the answer");
    for _ in 0..2 {
        assert_eq!(host.deliver(&host.message()).await, done());
    }
    let job = host.job(&place).await;
    assert_eq!((&job["state"], &job["result"]["accepted"]), (&json!("done"), &json!(true)), "{job:#}");
    assert_eq!(provider.calls().len(), 1);
    assert_eq!(host.messages.0.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_trace_of_whoever_asks_for_a_job_goes_with_its_message_to_the_worker() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let host = host(&provider);
    host.accept_with(&[("traceparent", parent), ("tracestate", "vendor=1")]).await;
    let sent = host.messages.0.lock().unwrap()[0]["MessageAttributes"].clone();
    assert_eq!(sent["traceparent"]["StringValue"], parent, "{sent}");
    // Lambda's event has the same attributes under names in lower case.
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    event["Records"][0]["body"] = host.message().into();
    for name in ["traceparent", "tracestate"] {
        let text = &sent[name]["StringValue"];
        event["Records"][0]["messageAttributes"][name] = json!({ "stringValue": text, "dataType": "String" });
    }
    assert_eq!(worked(host.app.clone(), event).await, done());
    let told = provider.calls()[0].trace.clone().unwrap();
    assert_eq!((told.traceparent().as_str(), told.tracestate()), (parent, Some("vendor=1")));
}

#[tokio::test(start_paused = true)]
async fn a_message_comes_again_while_a_worker_lives_and_a_dead_one_is_followed() {
    let half = Script::text("```python a.py\nvalue = 1\n").hang();
    let provider = ScriptedProvider::new([half, Script::answer(ANSWER)]);
    let host = host(&provider);
    let place = host.accept().await.header("location").to_owned();
    let worker = tokio::spawn(deliver(host.app.clone(), host.message()));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(host.deliver(&host.message()).await, again());
    worker.abort();
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(host.deliver(&host.message()).await, done());
    assert_eq!(host.job(&place).await["state"], "done");
    assert_eq!(provider.calls().len(), 2);
    let log = get(&host.router, &format!("{place}/events"), &[KEY]).await.events();
    let revisions: Vec<u64> = log.iter().filter_map(|(_, data)| data["revision"].as_u64()).collect();
    assert!(revisions.is_sorted() && revisions.last() >= Some(&1_000_000), "{revisions:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_over_which_three_workers_died_is_given_up() {
    let provider = ScriptedProvider::new([Script::text("```python a.py\n").hang()]);
    let host = host(&provider);
    let place = host.accept().await.header("location").to_owned();
    for _ in 0..3 {
        let worker = tokio::spawn(deliver(host.app.clone(), host.message()));
        tokio::time::sleep(Duration::from_secs(1)).await;
        worker.abort();
        tokio::time::sleep(Duration::from_secs(15)).await;
    }
    assert_eq!(host.deliver(&host.message()).await, done(), "it does not come again");
    let job = host.job(&place).await;
    assert_eq!(
        (&job["state"], &job["problem"]["kind"]),
        (&json!("failed"), &json!("unavailable")),
        "{job:#}"
    );
    assert_eq!(provider.calls().len(), 3, "no fourth one was paid");
}

/// The last job in a worker's hands, its end in the log and not in its row.
async fn ended_in_its_log(host: &Host) -> (Jobs, Held) {
    let jobs = Jobs::new(host.client.state().clone(), host.client.clock().clone(), host.client.ids().clone());
    let message: Value = serde_json::from_str(&host.message()).unwrap();
    let scope: Scope = serde_json::from_value(message["scope"].clone()).unwrap();
    let id = message["job"].as_str().unwrap();
    let Taken::Held(mut held) = jobs.take(&scope, id).await.unwrap() else {
        panic!("not held");
    };
    let last = json!({ "event": "finished", "data": { "generation": { "id": "what was paid for" } } });
    jobs.log(&mut held, &last).await.unwrap();
    (jobs, *held)
}

#[tokio::test(start_paused = true)]
async fn whoever_has_read_the_end_of_a_log_finds_the_job_ended() {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let host = host(&provider);
    let place = host.accept().await.header("location").to_owned();
    let (jobs, held) = ended_in_its_log(&host).await;
    let (router, path) = (host.router.clone(), format!("{place}/events"));
    let reader = tokio::spawn(async move { get(&router, &path, &[KEY]).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!reader.is_finished());
    jobs.finish(held, None, Ok(json!({}))).await.unwrap();
    assert_eq!(reader.await.unwrap().events().last().unwrap().0, "finished");
    assert_eq!(host.job(&place).await["state"], "done");
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_end_a_dead_worker_had_logged_is_not_paid_again() {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let host = host(&provider);
    let place = host.accept().await.header("location").to_owned();
    drop(ended_in_its_log(&host).await);
    let log = get(&host.router, &format!("{place}/events"), &[KEY]).await;
    assert_eq!(log.events().last().unwrap().0, "finished", "nobody waits for a dead worker's row for ever");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(host.deliver(&host.message()).await, done());
    let job = host.job(&place).await;
    assert_eq!((&job["state"], &job["result"]["id"]), (&json!("done"), &json!("what was paid for")));
    assert_eq!(provider.calls().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_a_result_and_its_message_is_done() {
    let provider = ScriptedProvider::new([Script::default().hang()]);
    let host = host(&provider);
    let place = host.accept().await.header("location").to_owned();
    assert_eq!(host.deliver(&host.message()).await, done());
    let job = host.job(&place).await;
    assert_eq!((&job["state"], &job["problem"]["status"]), (&json!("failed"), &json!(504)));
}

#[tokio::test(start_paused = true)]
async fn messages_that_cannot_be_read_come_again_until_the_dead_letter_queue_has_them() {
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let host = host(&provider);
    for body in ["", "{", "{\"job\":1}"] {
        assert_eq!(host.deliver(body).await, again(), "{body}");
    }
    let gone = "{\"scope\":\"local\",\"job\":\"0199\"}";
    assert_eq!(host.deliver(gone).await, done(), "a job that is gone has nobody who waits for it");
    assert_eq!(provider.calls().len(), 0);
}

#[test]
fn events_of_gateways_are_no_jobs_and_a_batch_is_no_request() {
    let rest = include_str!("events/rest_v1.json");
    for event in [rest, include_str!("events/http_v2.json"), include_str!("events/function_url.json")] {
        assert!(matches!(serde_json::from_str(event).unwrap(), Incoming::Http(_)));
    }
    assert!(matches!(serde_json::from_str(EVENT).unwrap(), Incoming::Jobs(_)));
    let other = EVENT.replace("aws:sqs", "aws:s3");
    assert!(!matches!(serde_json::from_str(&other), Ok(Incoming::Jobs(_))), "another service's records");
    assert!(serde_json::from_str::<Incoming>("[]").is_err());
}

/// On the wire, against a stand-in on loopback.
#[tokio::test]
async fn a_message_is_sent_to_the_queue_and_a_refused_one_ends_its_job() {
    let taken = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 17\r\nconnection: close\r\n\r\n{\"MessageId\":\"m\"}";
    let refused = "HTTP/1.1 400 Bad Request\r\nx-amzn-errortype: QueueDoesNotExist\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let stand_in = Server::start([server::Script::new(taken), server::Script::new(refused)]).await;
    let provider = ScriptedProvider::new([Script::answer(ANSWER)]);
    let mut host = host(&provider);
    let sqs = aws_sdk_sqs::Client::from_conf(sqs().endpoint_url(&stand_in.url).build());
    host.app = host.app.with_queue(sqs, URL);
    host.router = router(host.app.clone());
    assert_eq!(host.accept().await.status, 202);
    let sent = stand_in.request(0);
    assert!(sent.to_lowercase().contains("x-amz-target: amazonsqs.sendmessage"), "{sent}");
    let body: Value = serde_json::from_str(sent.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["QueueUrl"], URL);
    let message: Value = serde_json::from_str(body["MessageBody"].as_str().unwrap()).unwrap();
    assert!(message["job"].is_string() && message["scope"].is_string(), "{message}");
    assert_eq!(message.as_object().unwrap().len(), 2, "prompts stay out of the queue");

    let refused = host.accept().await;
    assert_eq!((refused.status.as_u16(), refused.header("location")), (503, ""));
    let lost: Value = serde_json::from_str(stand_in.request(1).split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(host.deliver(lost["MessageBody"].as_str().unwrap()).await, done());
    assert_eq!(provider.calls().len(), 0, "a message that arrived after all is not worked on");
}

#[tokio::test]
async fn a_queue_without_shared_state_is_refused_before_anything_is_lost() {
    let vars = [("CLAUDE_CODE_AWS_JOBS_QUEUE_URL", URL), ("CLAUDE_CODE_AWS_PROVIDER", "samples")];
    let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = claude_code_aws::Config::from_vars(vars).unwrap();
    assert_eq!(config.jobs_queue_url.as_deref(), Some(URL));
    let config =
        claude_code_aws::Config { store: Some(claude_code_aws::connect::config::Store::None), ..config };
    let refused = App::connect(&config, Settings::default()).await.unwrap_err();
    assert!(refused.message().contains("CLAUDE_CODE_AWS_STORE"), "{refused}");
}
