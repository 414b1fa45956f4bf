//! The twin's connector with faults in front of it: each write is a step, and a step can fail before or after it
//! was done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use claude_code_aws::results::AwsResults;

use super::TABLE;

/// What happens to the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the request arrives.
    Before,
    /// The request is done and its answer lost.
    After,
    /// The service refuses with this status and does nothing.
    Status(u16),
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
        *self.record.lock().unwrap() = Record { steps: Vec::new(), plan };
    }

    /// The steps so far: each object or row once, in the order of the first try.
    pub fn steps(&self) -> Vec<String> {
        self.record.lock().unwrap().steps.clone()
    }

    /// Results through this connector, with the SDK's own retries and hardly any waits between them.
    pub fn results(&self, twin: &Twin) -> AwsResults {
        let quick = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let sdk = twin.sdk_config().into_builder().http_client(self.clone()).retry_config(quick).build();
        AwsResults::new(aws_sdk_dynamodb::Client::new(&sdk), aws_sdk_s3::Client::new(&sdk), TABLE, BUCKET)
    }

    /// What is to happen to this request.
    fn fault(&self, request: &HttpRequest) -> Option<Fault> {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let path = request.uri().split('?').next().unwrap_or_default();
        let step = match (request.method(), target.rsplit('.').next()) {
            ("PUT", _) => path.rsplit("generated-code").next().unwrap_or_default().to_owned(),
            (_, Some("PutItem")) => "row".to_owned(),
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
        }
    }
}
