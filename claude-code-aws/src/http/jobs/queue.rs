//! Job queue between the API and its workers: SQS, where a host is frozen after its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::MessageAttributeValue;
use claude_code_core::{Error, ErrorKind, Result, Scope, TraceContext};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::worker::{self, Left};
use crate::http::app::App;
use crate::http::auth::credentials::Caller;
use crate::model_service::sent_body::trace_headers;

/// A queue of jobs.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

/// What a message says. It names the job; what is to be done stands in the job's row, within its scope. Who may
/// write to the queue decides whose jobs are begun: its policy lets nobody in but the function.
#[derive(Serialize, Deserialize)]
struct Message {
    scope: Scope,
    job: String,
}

impl Queue {
    pub(crate) fn new(sqs: aws_sdk_sqs::Client, url: &str) -> Self {
        Queue { sqs, url: url.to_owned() }
    }

    pub(crate) async fn send(&self, scope: &Scope, job: &str, trace: Option<&TraceContext>) -> Result<()> {
        let failed = || {
            Error::new(
                ErrorKind::Unavailable,
                "the job could not be queued: nothing was sent to a model; try again",
            )
        };
        let message = Message { scope: scope.clone(), job: job.to_owned() };
        let body = serde_json::to_string(&message).map_err(|_| failed())?;
        let mut message = self.sqs.send_message().queue_url(&self.url).message_body(body);
        for (name, value) in trace_headers(trace) {
            let text = MessageAttributeValue::builder().data_type("String").string_value(value);
            message = message.message_attributes(name, text.build().map_err(|_| failed())?);
        }
        match message.send().await {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(code = error.code().unwrap_or("no answer"), "a job could not be queued");
                Err(failed())
            }
        }
    }
}

/// An event that a queue sends to Lambda.
#[derive(Clone, Debug, Deserialize)]
pub struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    body: String,
    event_source: Sqs,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    string_value: Option<String>,
}

impl Record {
    /// The trace of whoever asked for the job.
    fn trace(&self) -> Option<TraceContext> {
        let text = |name: &str| self.message_attributes.get(name)?.string_value.as_deref();
        TraceContext::parse(text("traceparent")?, text("tracestate"))
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Sqs {
    #[serde(rename = "aws:sqs")]
    Sqs,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({}, {:?}, {} bytes)", self.message_id, self.event_source, self.body.len())
    }
}

/// Which messages of a batch shall come again; all others are done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Works on every job of the batch, within this time. A message comes again while another worker has its job, and
/// where state could not be reached; never for what a model or a request did wrong: that is the job's result.
pub async fn batch(app: &App, batch: Batch, within: Duration) -> BatchAnswer {
    let worked = batch.records.iter().map(|record| async move {
        match message(app, record, within).await {
            Ok(Left::Ended) => None,
            Ok(Left::Busy) => Some(record),
            Err(error) => {
                tracing::warn!(%error, message = record.message_id, "a job stopped: its message comes again");
                Some(record)
            }
        }
    });
    let failures = join_all(worked).await.into_iter().flatten();
    BatchAnswer {
        batch_item_failures: failures
            .map(|record| Failure { item_identifier: record.message_id.clone() })
            .collect(),
    }
}

async fn message(app: &App, record: &Record, within: Duration) -> Result<Left> {
    let Ok(message) = serde_json::from_str::<Message>(&record.body) else {
        // It will not read better next time: after the queue's last delivery the dead-letter queue has it, where
        // somebody sees it.
        return Err(Error::new(ErrorKind::Malformed, "the message names no job"));
    };
    let caller = Caller { client: app.client.scoped(message.scope.clone()), scope: message.scope };
    // On the heap: the whole sequence is in this future.
    match Box::pin(worker::work(app, &caller, &message.job, record.trace(), within)).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            tracing::warn!(message = record.message_id, "a message names a job that is gone: it is dropped");
            Ok(Left::Ended)
        }
        left => left,
    }
}
