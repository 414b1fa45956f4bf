//! The twin's connector with faults in front of it: each write is a step, and a step can fail before or after it
//! was done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use claude_code_aws::local::{BUCKET, Twin};
use claude_code_aws::storage::dynamodb::DynamoState;
use claude_code_aws::storage::results::AwsResults;

use super::{STATE, TABLE};

/// What happens to the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the request arrives.
    Before,
    /// The request is done and its answer lost.
    After,
    /// The service refuses with this status and does nothing.
    Status(u16),
    /// DynamoDB says that it is too busy, and has done nothing.
    Throttled,
}

/// Which step, how, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub step: usize,
    pub fault: Fault,
    pub times: usize,
}

/// What was written, and what is to fail.
#[derive(Debug, Default)]
struct Record {
    steps: Vec<String>,
    plan: Option<Plan>,
    puts: usize,
    most_puts: usize,
}

#[derive(Clone, Debug)]
pub struct Faulty {
    inner: SharedHttpClient,
    record: Arc<Mutex<Record>>,
}

impl Faulty {
    pub fn new(twin: &Twin) -> Self {
        Faulty { inner: twin.http_client(), record: Arc::default() }
    }

    /// Begins anew with this plan.
    pub fn plan(&self, plan: Option<Plan>) {
        *self.record.lock().unwrap() = Record { plan, ..Record::default() };
    }

    /// The steps so far: each object or row once, in the order of the first try.
    pub fn steps(&self) -> Vec<String> {
        self.record.lock().unwrap().steps.clone()
    }

    /// The most objects that were put at the same time.
    pub fn most_puts(&self) -> usize {
        self.record.lock().unwrap().most_puts
    }

    /// Results through this connector, with the SDK's own retries and hardly any waits between them.
    pub fn results(&self, twin: &Twin) -> AwsResults {
        let sdk = self.sdk(twin);
        AwsResults::new(aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_s3::Client::new(&sdk), TABLE, BUCKET)
    }

    /// Shared state through this connector.
    pub fn state(&self, twin: &Twin) -> Arc<DynamoState> {
        Arc::new(DynamoState::new(aws_sdk_dynamodb::Client::new(&self.sdk(twin)), STATE))
    }

    fn sdk(&self, twin: &Twin) -> SdkConfig {
        let quick = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        twin.sdk_config().into_builder().http_client(self.clone()).retry_config(quick).build()
    }

    /// What is to happen to this request.
    fn fault(&self, request: &HttpRequest) -> Option<Fault> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let path = request.uri().split('?').next().unwrap_or_default();
        let step = match (request.method(), target.rsplit('.').next()) {
            ("PUT", _) => path.rsplit("generated-code").next().unwrap_or_default().to_owned(),
            (_, Some("PutItem")) => "row".to_owned(),
            ("GET", _) if request.uri().contains("versions") => "versions".to_owned(),
            // Of the state each call is a step of its own; the SDK repeats one with the same body.
            (_, Some(verb)) => {
                let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
                if !body.contains(&format!("\"{STATE}\"")) {
                    return None;
                }
                format!("{verb} {body}")
            }
            _ => return None,
        };
        let mut record = self.record.lock().unwrap();
        let at = record.steps.iter().position(|known| *known == step).unwrap_or_else(|| {
            record.steps.push(step);
            record.steps.len() - 1
        });
        let plan = record.plan.as_mut().filter(|plan| plan.step == at && plan.times > 0)?;
        plan.times -= 1;
        Some(plan.fault)
    }
}

impl HttpClient for Faulty {
    fn http_connector(&self, s: &HttpConnectorSettings, c: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector { inner: self.inner.http_connector(s, c), faulty: self.clone() })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    faulty: Faulty,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let under_way = (request.method() == "PUT").then(|| UnderWay::begun(&self.faulty.record));
        let answered = self.answered(request);
        HttpConnectorFuture::new(async move {
            let answer = answered.await;
            drop(under_way);
            answer
        })
    }
}

/// A put, counted until it is answered.
struct UnderWay(Arc<Mutex<Record>>);

impl UnderWay {
    fn begun(record: &Arc<Mutex<Record>>) -> Self {
        let mut now = record.lock().unwrap();
        now.puts += 1;
        now.most_puts = now.most_puts.max(now.puts);
        UnderWay(record.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut record = self.0.lock().unwrap();
        record.puts = record.puts.saturating_sub(1);
    }
}

impl Connector {
    fn answered(&self, request: HttpRequest) -> HttpConnectorFuture {
        let broken = || ConnectorError::io("the connection broke".into());
        match self.faulty.fault(&request) {
            None => self.inner.call(request),
            Some(Fault::Before) => HttpConnectorFuture::ready(Err(broken())),
            Some(Fault::After) => {
                let done = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    done.await?;
                    Err(broken())
                })
            }
            Some(Fault::Status(status)) => {
                let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(""));
                response.headers_mut().insert("content-length", "0");
                HttpConnectorFuture::ready(Ok(response))
            }
            Some(Fault::Throttled) => {
                let body =
                    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"busy"}"#;
                HttpConnectorFuture::ready(Ok(HttpResponse::new(
                    400.try_into().unwrap(),
                    SdkBody::from(body),
                )))
            }
        }
    }
}
