//! Batch inference jobs, asked by the AWS SDK: their states by a clock that the test moves, and their files in S3.

use std::time::Duration;

use aws_sdk_bedrock::Client;
use aws_sdk_bedrock::operation::create_model_invocation_job::builders::CreateModelInvocationJobFluentBuilder;
use aws_sdk_bedrock::operation::get_model_invocation_job::GetModelInvocationJobOutput;
use aws_sdk_bedrock::types::{
    ModelInvocationJobInputDataConfig, ModelInvocationJobOutputDataConfig,
    ModelInvocationJobS3InputDataConfig, ModelInvocationJobS3OutputDataConfig,
    ModelInvocationJobStatus as Status, ModelInvocationType,
};
use claude_code_aws::local::{BatchFault, Twin};
use serde_json::{Value, json};

use crate::support::{Temporary, code, put, read, twin};

const MODEL: &str = "global.anthropic.claude-haiku-5-5";
const REVERSE: &str = "Write a Python function that reverses a string.";
const BUCKET: &str = "batches";

fn client(twin: &Twin) -> Client {
    // One try: a second one would hide what the first was told.
    let once = aws_smithy_types::retry::RetryConfig::disabled();
    Client::from_conf(aws_sdk_bedrock::config::Builder::from(&twin.sdk_config()).retry_config(once).build())
}

async fn begun(count: usize) -> Temporary {
    let twin = twin();
    let s3 = twin.bucket(BUCKET).await;
    put(&s3, BUCKET, "in/a.jsonl", records(0..count).as_bytes()).await;
    twin
}

fn records(of: std::ops::Range<usize>) -> String {
    of.map(|n| {
        let content = json!([{ "text": REVERSE }]);
        let input = json!({ "messages": [{ "role": "user", "content": content }], "inferenceConfig": { "maxTokens": 900 } });
        json!({ "recordId": format!("{n:032x}"), "modelInput": input }).to_string() + "\n"
    })
    .collect()
}

fn create(twin: &Twin, token: &str) -> CreateModelInvocationJobFluentBuilder {
    let input =
        ModelInvocationJobS3InputDataConfig::builder().s3_uri(format!("s3://{BUCKET}/in/")).build().unwrap();
    let output = ModelInvocationJobS3OutputDataConfig::builder()
        .s3_uri(format!("s3://{BUCKET}/out/"))
        .build()
        .unwrap();
    client(twin)
        .create_model_invocation_job()
        .job_name("batch-1")
        .role_arn("arn:aws:iam::000000000000:role/batch")
        .model_id(MODEL)
        .client_request_token(token)
        .model_invocation_type(ModelInvocationType::Converse)
        .input_data_config(ModelInvocationJobInputDataConfig::S3InputDataConfig(input))
        .output_data_config(ModelInvocationJobOutputDataConfig::S3OutputDataConfig(output))
}

async fn get(twin: &Twin, arn: &str) -> GetModelInvocationJobOutput {
    client(twin).get_model_invocation_job().job_identifier(arn).send().await.unwrap()
}

async fn status(twin: &Twin, arn: &str) -> Status {
    get(twin, arn).await.status.unwrap()
}

/// Creates a job and moves the clock until it has ended.
async fn ended(twin: &Twin) -> GetModelInvocationJobOutput {
    let arn = create(twin, "t1").send().await.unwrap().job_arn;
    twin.advance_jobs(Duration::from_secs(60));
    for _ in 0..8 {
        twin.advance_jobs(Duration::from_secs(2));
        let _ = get(twin, &arn).await;
    }
    get(twin, &arn).await
}

async fn output(twin: &Temporary, job: &GetModelInvocationJobOutput) -> String {
    let id = job.job_arn.rsplit('/').next().unwrap();
    let bytes = read(&twin.twin.s3_client(), BUCKET, &format!("out/{id}/a.jsonl.out")).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_job_goes_through_its_states_and_leaves_an_answer_for_each_record() {
    let twin = begun(100).await;
    let arn = create(&twin.twin, "t1").send().await.unwrap().job_arn;
    let mut seen = Vec::new();
    for _ in 0..30 {
        let now = status(&twin.twin, &arn).await;
        if seen.last() != Some(&now) {
            seen.push(now);
        }
        twin.twin.advance_jobs(Duration::from_millis(500));
    }
    assert_eq!(
        seen,
        [Status::Submitted, Status::Validating, Status::Scheduled, Status::InProgress, Status::Completed]
    );
    let job = get(&twin.twin, &arn).await;
    assert_eq!((job.total_record_count, job.success_record_count), (Some(100), Some(100)));
    assert_eq!(job.client_request_token.as_deref(), Some("t1"));
    let lines: Vec<Value> =
        output(&twin, &job).await.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 100);
    assert!(lines[0]["recordId"] == format!("{:032x}", 99), "their order means nothing");
    let text = lines[7]["modelOutput"]["output"]["message"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("def reverse"), "{text}");
    let id = job.job_arn.rsplit('/').next().unwrap();
    let manifest = read(&twin.twin.s3_client(), BUCKET, &format!("out/{id}/manifest.json.out")).await;
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["successRecordCount"], 100);
    assert!(manifest["outputTokenCount"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn the_same_token_makes_one_job_and_a_lost_reply_is_found_again_by_it() {
    let twin = begun(100).await;
    twin.twin.script_job(BatchFault::LostReply);
    let lost = create(&twin.twin, "t1").send().await;
    assert_eq!(code(lost), "InternalServerException");
    let listed =
        client(&twin.twin).list_model_invocation_jobs().name_contains("batch-").send().await.unwrap();
    let jobs = listed.invocation_job_summaries();
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].client_request_token(), Some("t1"));
    assert_eq!(create(&twin.twin, "t1").send().await.unwrap().job_arn, jobs[0].job_arn);
    assert_ne!(create(&twin.twin, "t2").send().await.unwrap().job_arn, jobs[0].job_arn);
}

#[tokio::test]
async fn a_job_below_the_minimum_fails_after_it_was_created() {
    let twin = begun(3).await;
    let job = ended(&twin.twin).await;
    assert_eq!(job.status, Some(Status::Failed));
    let message = "Batch job contains less records (3) than the required minimum of: 100";
    assert_eq!((job.message.as_deref(), job.total_record_count), (Some(message), Some(0)));
}

#[tokio::test]
async fn a_job_all_of_whose_records_failed_is_completed() {
    let twin = begun(100).await;
    twin.twin.script_job(BatchFault::RecordErrors("anthropic_version: Field required".into()));
    let job = ended(&twin.twin).await;
    assert_eq!((job.status.clone(), job.error_record_count), (Some(Status::Completed), Some(100)));
    let first: Value = serde_json::from_str(output(&twin, &job).await.lines().next().unwrap()).unwrap();
    assert_eq!(first["error"]["errorCode"], 400);
}

#[tokio::test]
async fn what_a_model_refuses_is_the_error_of_its_record() {
    let twin = begun(99).await;
    let bad = json!({ "recordId": "bad", "modelInput": { "messages": [], "toolConfig": {} } }).to_string();
    put(&twin.twin.s3_client(), BUCKET, "in/b.jsonl", bad.as_bytes()).await;
    let job = ended(&twin.twin).await;
    assert_eq!((job.status.clone(), job.error_record_count), (Some(Status::Completed), Some(1)));
    let id = job.job_arn.rsplit('/').next().unwrap();
    let other = read(&twin.twin.s3_client(), BUCKET, &format!("out/{id}/b.jsonl.out")).await;
    assert!(String::from_utf8(other).unwrap().contains("errorMessage"));
}

#[tokio::test]
async fn a_stopped_job_has_what_was_done_and_cannot_be_stopped_again() {
    let twin = begun(100).await;
    twin.twin.script_job(BatchFault::Slow);
    let arn = create(&twin.twin, "t1").send().await.unwrap().job_arn;
    for _ in 0..8 {
        twin.twin.advance_jobs(Duration::from_secs(1));
        status(&twin.twin, &arn).await;
    }
    assert_eq!(status(&twin.twin, &arn).await, Status::InProgress);
    client(&twin.twin).stop_model_invocation_job().job_identifier(&arn).send().await.unwrap();
    assert_eq!(status(&twin.twin, &arn).await, Status::Stopping);
    twin.twin.advance_jobs(Duration::from_secs(2));
    let job = get(&twin.twin, &arn).await;
    assert_eq!((job.status.clone(), job.processed_record_count), (Some(Status::Stopped), Some(50)));
    assert_eq!(output(&twin, &job).await.lines().count(), 50);
    let again = client(&twin.twin).stop_model_invocation_job().job_identifier(&arn).send().await;
    assert_eq!(code(again), "ConflictException");
}

#[tokio::test]
async fn a_job_that_does_not_end_in_time_is_partial_or_expired() {
    for (fault, end) in [(BatchFault::Slow, Status::PartiallyCompleted), (BatchFault::Hold, Status::Expired)]
    {
        let twin = begun(100).await;
        twin.twin.script_job(fault);
        let arn = create(&twin.twin, "t1").send().await.unwrap().job_arn;
        for _ in 0..8 {
            twin.twin.advance_jobs(Duration::from_secs(1));
            status(&twin.twin, &arn).await;
        }
        twin.twin.advance_jobs(Duration::from_secs(25 * 3_600));
        assert_eq!(status(&twin.twin, &arn).await, end);
    }
}

#[tokio::test]
async fn outputs_are_damaged_as_the_script_says() {
    type Holds = fn(&str) -> bool;
    let faults: [(BatchFault, Holds); 4] = [
        (BatchFault::Missing(10), |text| text.lines().count() == 90),
        (BatchFault::Repeated, |text| text.lines().count() == 101),
        (BatchFault::Unknown, |text| text.contains("unheard-of")),
        (BatchFault::Torn, |text| serde_json::from_str::<Value>(text.lines().next().unwrap_or("")).is_err()),
    ];
    for (fault, holds) in faults {
        let twin = begun(100).await;
        twin.twin.script_job(fault.clone());
        let job = ended(&twin.twin).await;
        assert!(holds(&output(&twin, &job).await), "{fault:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_a_job_is_refused_at_once() {
    let twin = begun(100).await;
    let unknown = create(&twin.twin, "t1").model_id("anthropic.claude-none").send().await;
    assert_eq!(code(unknown), "ValidationException");
    let name = create(&twin.twin, "t1").job_name("-a b").send().await;
    assert_eq!(code(name), "ValidationException");
    let missing = client(&twin.twin).get_model_invocation_job().job_identifier("000000000000").send().await;
    assert_eq!(code(missing), "ResourceNotFoundException");
    for n in 0..20 {
        create(&twin.twin, &format!("n{n}")).send().await.unwrap();
    }
    assert_eq!(code(create(&twin.twin, "one-more").send().await), "ServiceQuotaExceededException");
}
