//! Local twin: opens the engines, and makes the AWS SDK's clients over them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use claude_code_core::{IdSource, Result};

use super::bedrock::{Front, Recorded};
use super::responder::batch_fault::BatchFault;
use super::responder::{Question, Reply, Responder};
#[cfg(feature = "cli")]
use super::samples::Paced;
use super::samples::Samples;
use super::server::connector::InProcess;
use super::server::endpoint::{Engines, Service};
use super::server::keys::Keys;
use crate::clock::SystemIds;

/// The engines that clients of a process share, by process and directory: a forked child opens its own.
static SHARED: Mutex<Vec<(Place, Weak<Engines>)>> = Mutex::new(Vec::new());

/// A process, and a directory of its.
type Place = (u32, PathBuf);

/// Bedrock, S3 and DynamoDB in this process. Cheap to clone; the last clone closes the engines.
///
/// ```no_run
/// # async fn example() -> claude_code_aws::Result<()> {
/// use claude_code_aws::local::Twin;
///
/// let twin = Twin::open("/tmp/twin".as_ref())?;
/// let s3 = aws_sdk_s3::Client::new(&twin.sdk_config());
/// # drop(s3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Twin {
    engines: Arc<Engines>,
    /// Empty for the sample answers.
    answers_from: Arc<str>,
    /// Whether a model answers, behind the twin: then answers are no samples.
    asks_model: bool,
}

impl Twin {
    /// Opens the twin whose state is in `directory`, answering with the sample answers.
    ///
    /// Fails with [`ErrorKind::Storage`](claude_code_core::ErrorKind::Storage) if the directory cannot be written. The databases themselves open on first use.
    pub fn open(directory: &Path) -> Result<Self> {
        let twin = Twin::of_samples(directory);
        twin.engines.directory()?;
        Ok(twin)
    }

    /// A twin that answers with `responder` and touches its directory only when S3 or DynamoDB are first used.
    /// Until then a directory that cannot be written is no error: Bedrock answers without it.
    pub fn lazy(directory: &Path, responder: Arc<dyn Responder>) -> Self {
        Twin::with_keys(directory, responder, Keys::default())
    }

    /// As [`lazy`](Self::lazy), with the keys that requests from outside may be signed with.
    pub fn with_keys(directory: &Path, responder: Arc<dyn Responder>, keys: Keys) -> Self {
        Twin::over(Engines::new(directory.to_owned(), responder).with_keys(keys))
    }

    /// A twin of which nobody knows what it answers: until it is named it is like no other one.
    fn over(engines: Engines) -> Self {
        let answers_from = claude_code_core::answer::file::hex(&SystemIds.random()).into();
        Twin { engines: Arc::new(engines), answers_from, asks_model: false }
    }

    /// The same twin with its answers named by what they are made from: twins of the same script are one to the
    /// response cache, those of two scripts are not.
    pub fn answering_from(self, script: &[u8]) -> Self {
        Twin { answers_from: claude_code_core::answer::file::sha256_hex(script).into(), ..self }
    }

    /// Who answers, by a name for [`Policy::answers_from`](claude_code_core::Policy::answers_from).
    pub fn answers_from(&self) -> &str {
        &self.answers_from
    }

    /// A twin that plays recorded exchanges, byte for byte; what was not recorded is refused.
    pub fn of_recorded(directory: &Path, recorded: Recorded) -> Self {
        Twin::fronted(directory, Keys::default(), Front::Replay(recorded))
    }

    /// A twin with this in the place of its models.
    pub(crate) fn fronted(directory: &Path, keys: Keys, front: Front) -> Self {
        let engines = Engines::new(directory.to_owned(), Arc::new(Samples::built_in()));
        Twin::over(engines.with_keys(keys).with_front(Some(front)))
    }

    /// A twin with the sample answers that touches `directory` only when S3 or DynamoDB are first used.
    pub fn of_samples(directory: &Path) -> Self {
        let twin = Twin::lazy(directory, Arc::new(Samples::built_in()));
        Twin { answers_from: "".into(), ..twin }
    }

    /// The same, with answers that come at the pace of a model.
    #[cfg(feature = "cli")]
    pub(crate) fn of_paced_samples(directory: &Path) -> Self {
        let twin = Twin::lazy(directory, Arc::new(Paced(Samples::built_in())));
        Twin { answers_from: "".into(), ..twin }
    }

    /// The same twin, whose answers are a model's and no samples.
    pub fn of_a_model(self) -> Self {
        Twin { asks_model: true, ..self }
    }

    /// Whether a model answers behind this twin.
    pub fn asks_model(&self) -> bool {
        self.asks_model
    }

    /// The twin with the sample answers of a directory, one for all clients of this process: they share its connections
    /// and their group commit.
    pub(crate) fn shared(directory: &Path) -> Self {
        let place = place(directory);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|(_, engines)| engines.strong_count() > 0);
        let open =
            shared.iter().find(|(other, _)| *other == place).and_then(|(_, engines)| engines.upgrade());
        if let Some(engines) = open {
            return Twin { engines, answers_from: "".into(), asks_model: false };
        }
        let twin = Twin::of_samples(directory);
        shared.push((place, Arc::downgrade(&twin.engines)));
        twin
    }

    /// This twin, whose engines are from now on those of every client of this process that keeps its results in the same
    /// directory.
    pub fn sharing(self) -> Self {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.push((place(self.engines.path()), Arc::downgrade(&self.engines)));
        self
    }

    /// The engines, for listeners that mount [`handle`](super::handle).
    pub fn engines(&self) -> &Arc<Engines> {
        &self.engines
    }

    /// An HTTP client for any AWS SDK client whose endpoints are this twin's.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(InProcess::new(Arc::clone(&self.engines)))
    }

    /// A configuration for the AWS SDK's clients: this twin's endpoints, keys of its own, `us-east-1`.
    pub fn sdk_config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials()))
            .http_client(self.http_client())
            .service_config(Endpoints)
            .build()
    }

    /// S3 in this process.
    pub fn s3_client(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.sdk_config())
    }

    /// DynamoDB in this process.
    pub fn dynamodb_client(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.sdk_config())
    }

    /// Bedrock's runtime in this process. The SDK's own retries are off: there is exactly one loop.
    pub fn bedrock_client(&self) -> aws_sdk_bedrockruntime::Client {
        let config = aws_sdk_bedrockruntime::config::Builder::from(&self.sdk_config())
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_bedrockruntime::Client::from_conf(config)
    }

    /// The questions that Bedrock's endpoint received, oldest first (the last thousand of them).
    pub fn sent(&self) -> Vec<Question> {
        self.engines.bedrock().sent()
    }

    /// Answers the next calls of an operation of Bedrock's control plane, such as `GetInferenceProfile`, with this
    /// refusal. Only a [`Reply::Error`] can be one; anything else lets the call pass.
    pub fn refuse_control(&self, operation: &str, times: usize, reply: &Reply) {
        self.engines.bedrock().script_control(operation, times, reply);
    }

    /// Moves the clock of the batch jobs on: each of their states takes a second of it.
    pub fn advance_jobs(&self, by: std::time::Duration) {
        self.engines.bedrock().advance_jobs(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// The next batch job that is created meets this.
    pub fn script_job(&self, fault: BatchFault) {
        self.engines.bedrock().script_job(fault);
    }

    /// What was noticed on opening the engines so far: every damaged database that was set aside.
    pub fn notices(&self) -> Vec<String> {
        self.engines.notices()
    }
}

fn place(directory: &Path) -> Place {
    (std::process::id(), std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned()))
}

fn credentials() -> Credentials {
    Credentials::new(Keys::ACCESS_KEY, Keys::SECRET_KEY, None, None, "the local twin")
}

/// The endpoint of each service, where the SDK looks for `AWS_ENDPOINT_URL_…`.
#[derive(Debug)]
struct Endpoints;

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        let service = match key.service_id() {
            "Bedrock Runtime" | "Bedrock" => Service::Bedrock,
            "DynamoDB" => Service::DynamoDb,
            "S3" => Service::S3,
            "STS" => Service::Sts,
            // No endpoint of ours: the connector refuses the real host by name.
            _ => return None,
        };
        Some(format!("http://{}", service.host()))
    }
}
