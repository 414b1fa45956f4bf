//! Bedrock's batch inference as a lane: jobs on the control plane, their files in S3.
//!
//! The service is asked once for each call; whoever drives the lane asks again. A create whose answer was lost is found
//! again by its token, for the service tells the token of every job.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_bedrock::operation::create_model_invocation_job::builders::CreateModelInvocationJobFluentBuilder;
use aws_sdk_bedrock::operation::get_model_invocation_job::GetModelInvocationJobOutput;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig as Input, ModelInvocationJobOutputDataConfig as Output,
    ModelInvocationJobS3InputDataConfig as S3Input, ModelInvocationJobS3OutputDataConfig as S3Output,
    ModelInvocationJobStatus as Status, ModelInvocationJobSummary, ModelInvocationType, S3InputFormat,
};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use claude_code_core::{Error, ErrorKind, Result};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::lane::{BatchLane, JobName, JobSpec, JobStatus, JobView, LaneError, LineSink};

/// The longest that one request to the control plane may take.
const LIMIT: Duration = Duration::from_secs(20);
/// Where the deployment templates let batch files be; they expire there after 30 days.
const ROOT: &str = "batch";
const RECORDS: &str = "records.jsonl";
/// Beside the outputs: figures, no records.
const MANIFEST: &str = "manifest.json.out";

/// What Bedrock needs to run jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPlace {
    /// The bucket of inputs and outputs, in the same account and region.
    pub bucket: String,
    /// The role that Bedrock takes on to read and write there.
    pub role_arn: String,
}

/// Bedrock's batch inference.
#[derive(Clone, Debug)]
pub struct BedrockLane {
    bedrock: Client,
    s3: aws_sdk_s3::Client,
    place: BatchPlace,
}

impl BedrockLane {
    /// Jobs as this configuration reaches them.
    pub fn new(sdk: &SdkConfig, place: BatchPlace) -> Self {
        let bedrock = aws_sdk_bedrock::config::Builder::from(sdk)
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(LIMIT).build())
            .build();
        BedrockLane { bedrock: Client::from_conf(bedrock), s3: crate::storage::s3::client(sdk), place }
    }

    fn uri(&self, job: &JobName, rest: &str) -> String {
        format!("s3://{}/{}", self.place.bucket, key(job, rest))
    }

    async fn create(&self, job: &JobSpec) -> Result<String, LaneError> {
        let body = ByteStream::from_path(&job.records)
            .await
            .map_err(|error| LaneError::Refused(unreadable(job, &error)))?;
        let put = self.s3.put_object().bucket(&self.place.bucket).key(key(&job.name, RECORDS)).body(body);
        put.send().await.map_err(|failed| self.of_s3("written", &failed))?;
        match self.request(job)?.send().await {
            Ok(made) => Ok(made.job_arn),
            Err(failed) => Err(refusal("CreateModelInvocationJob", &failed)),
        }
    }

    fn request(&self, job: &JobSpec) -> Result<CreateModelInvocationJobFluentBuilder, LaneError> {
        let unbuildable = |error: aws_sdk_bedrock::error::BuildError| {
            LaneError::Refused(Error::invalid(format!("the batch job cannot be described: {error}")))
        };
        let input = S3Input::builder()
            .s3_uri(self.uri(&job.name, RECORDS))
            .s3_input_format(S3InputFormat::Jsonl)
            .build()
            .map_err(unbuildable)?;
        let output = S3Output::builder().s3_uri(self.uri(&job.name, "out/")).build().map_err(unbuildable)?;
        Ok(self
            .bedrock
            .create_model_invocation_job()
            .job_name(&job.name.name)
            .role_arn(&self.place.role_arn)
            .model_id(&job.model)
            .client_request_token(&job.name.token)
            .model_invocation_type(ModelInvocationType::Converse)
            .timeout_duration_in_hours(i32::from(job.hours))
            .input_data_config(Input::S3InputDataConfig(input))
            .output_data_config(Output::S3OutputDataConfig(output)))
    }

    /// The job of this token among those with this name.
    async fn find(&self, job: &JobName) -> Result<Option<JobView>, LaneError> {
        let mut pages =
            self.bedrock.list_model_invocation_jobs().name_contains(&job.name).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|failed| refusal("ListModelInvocationJobs", &failed))?;
            let mut found = page.invocation_job_summaries().iter();
            let same = |summary: &&ModelInvocationJobSummary| {
                summary.client_request_token() == Some(job.token.as_str())
            };
            if let Some(summary) = found.find(same) {
                return self.get(summary.job_arn()).await;
            }
        }
        Ok(None)
    }

    async fn get(&self, id: &str) -> Result<Option<JobView>, LaneError> {
        match self.bedrock.get_model_invocation_job().job_identifier(id).send().await {
            Ok(job) => Ok(Some(view(&job))),
            Err(failed) if failed.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(failed) => Err(refusal("GetModelInvocationJob", &failed)),
        }
    }

    async fn read(&self, job: &JobName, id: &str, sink: LineSink<'_>) -> Result<(), LaneError> {
        let id = id.rsplit('/').next().unwrap_or(id);
        let prefix = key(job, &format!("out/{id}/"));
        let mut pages =
            self.s3.list_objects_v2().bucket(&self.place.bucket).prefix(&prefix).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|failed| self.of_s3("listed", &failed))?;
            for key in page.contents().iter().filter_map(|object| object.key()) {
                if key.ends_with(".out") && !key.ends_with(MANIFEST) {
                    self.lines(key, sink).await?;
                }
            }
        }
        Ok(())
    }

    async fn lines(&self, key: &str, sink: LineSink<'_>) -> Result<(), LaneError> {
        let object = self.s3.get_object().bucket(&self.place.bucket).key(key).send().await;
        let object = object.map_err(|failed| self.of_s3("read", &failed))?;
        let mut reader = BufReader::new(object.body.into_async_read());
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line).await;
            let read = read.map_err(|error| {
                let message = format!("the output {key} of a batch job was cut while it was read: {error}");
                LaneError::Busy(Error::new(ErrorKind::Storage, message))
            })?;
            if read == 0 {
                return Ok(());
            }
            sink(line.trim_ascii_end()).map_err(LaneError::Refused)?;
        }
    }

    fn of_s3<E: ProvideErrorMetadata>(&self, what: &str, failed: &SdkError<E>) -> LaneError {
        let bucket = &self.place.bucket;
        match failed.code() {
            Some(code @ ("AccessDenied" | "NoSuchBucket" | "PermanentRedirect")) => {
                LaneError::Refused(Error::new(
                    ErrorKind::AccessDenied,
                    format!(
                        "batch files in bucket {bucket} cannot be {what} ({code}): see CLAUDE_CODE_AWS_BATCH_BUCKET \
                         and `doctor --batch`"
                    ),
                ))
            }
            code => LaneError::Busy(Error::new(
                ErrorKind::Storage,
                format!(
                    "batch files in bucket {bucket} cannot be {what} now ({})",
                    code.unwrap_or("no answer")
                ),
            )),
        }
    }
}

impl BatchLane for BedrockLane {
    fn submit<'a>(&'a self, job: &'a JobSpec) -> BoxFuture<'a, Result<String, LaneError>> {
        async move {
            match self.create(job).await {
                Err(LaneError::Unknown(lost)) => match self.find(&job.name).await {
                    Ok(Some(job)) => Ok(job.id),
                    _ => Err(LaneError::Unknown(lost)),
                },
                made => made,
            }
        }
        .boxed()
    }

    fn look<'a>(
        &'a self,
        job: &'a JobName,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<JobView>, LaneError>> {
        async move {
            match id {
                Some(id) => self.get(id).await,
                None => self.find(job).await,
            }
        }
        .boxed()
    }

    fn stop<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LaneError>> {
        async move {
            match self.bedrock.stop_model_invocation_job().job_identifier(id).send().await {
                Ok(_) => Ok(()),
                Err(failed) if failed.code() == Some("ConflictException") => Ok(()),
                Err(failed) => Err(refusal("StopModelInvocationJob", &failed)),
            }
        }
        .boxed()
    }

    fn outputs<'a>(
        &'a self,
        job: &'a JobName,
        id: &'a str,
        sink: LineSink<'a>,
    ) -> BoxFuture<'a, Result<(), LaneError>> {
        self.read(job, id, sink).boxed()
    }
}

fn key(job: &JobName, rest: &str) -> String {
    format!("{ROOT}/{}/{rest}", job.folder)
}

fn unreadable(job: &JobSpec, error: &dyn std::fmt::Display) -> Error {
    let path = job.records.display();
    Error::new(ErrorKind::Storage, format!("the batch's records {path} cannot be read: {error}"))
}

fn view(job: &GetModelInvocationJobOutput) -> JobView {
    JobView {
        id: job.job_arn.clone(),
        status: status(job.status.as_ref()),
        message: job.message.clone().filter(|message| !message.is_empty()),
        succeeded: job.success_record_count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0),
    }
}

fn status(status: Option<&Status>) -> JobStatus {
    match status {
        Some(Status::InProgress) => JobStatus::Running,
        Some(Status::Stopping) => JobStatus::Stopping,
        Some(Status::Completed) => JobStatus::Completed,
        Some(Status::PartiallyCompleted) => JobStatus::Partial,
        Some(Status::Stopped) => JobStatus::Stopped,
        Some(Status::Expired) => JobStatus::Expired,
        Some(Status::Failed) => JobStatus::Failed,
        _ => JobStatus::Waiting,
    }
}

/// What a refusal of the control plane means for the job.
fn refusal<E: ProvideErrorMetadata>(action: &str, failed: &SdkError<E>) -> LaneError {
    let said = failed.message().unwrap_or("no reason is given").lines().next().unwrap_or_default();
    let error = |kind, code: &str, fix: &str| Error::new(kind, format!("{action}: {code}: {said}{fix}"));
    match failed.code() {
        Some(code @ "AccessDeniedException") => LaneError::Refused(error(
            ErrorKind::AccessDenied,
            code,
            " (role, iam:PassRole or bucket; see `doctor --batch`)",
        )),
        Some(code @ ("ValidationException" | "ResourceNotFoundException" | "ConflictException")) => {
            LaneError::Refused(error(ErrorKind::InvalidRequest, code, ""))
        }
        Some(code @ ("ServiceQuotaExceededException" | "ThrottlingException")) => {
            LaneError::Busy(error(ErrorKind::Throttled, code, ""))
        }
        Some(code) => LaneError::Unknown(error(ErrorKind::Unavailable, code, "")),
        None if matches!(failed, SdkError::ConstructionFailure(_)) => {
            LaneError::Refused(error(ErrorKind::Credentials, "not sent", ""))
        }
        None => LaneError::Unknown(Error::new(
            ErrorKind::Connection,
            format!("{action}: Bedrock's control plane did not answer: check network and credentials"),
        )),
    }
}
