//! What batch jobs need: a role, a bucket, the right to list jobs, and models that jobs take.

use aws_config::SdkConfig;
use aws_sdk_bedrock::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::retry::RetryConfig;
use claude_code_core::model::catalogue::BatchSupport;

use super::Finding;
use super::models::in_use;
use crate::batch::BatchPlace;
use crate::connect::batch::{no_jobs, place};
use crate::connect::config::{Config, Provider};

/// An object of no bytes: that it can be written shows that inputs can be.
const PROBE: &str = "batch/doctor";

/// Looks at everything that batch jobs need. An object of no bytes is written to the bucket; no job is made.
pub async fn examine_batch(config: &Config) -> Vec<Finding> {
    if let Some(why) = no_jobs(config) {
        let fix = match config.provider {
            Provider::Anthropic => "set CLAUDE_CODE_AWS_PROVIDER=bedrock for batch jobs",
            _ => "set it to BatchRoleArn of the deployed templates (docs/operations/iam.md)",
        };
        return vec![Finding::fix("batch role", why, fix)];
    }
    if config.provider != Provider::Bedrock {
        return vec![Finding::ok("batch", "jobs run on the local twin")];
    }
    let sdk = match crate::connect::load(config).await {
        Ok(sdk) => sdk,
        Err(error) => return vec![Finding::failed("endpoints", error)],
    };
    let place = match place(config, &sdk).await {
        Ok(Some(place)) => place,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![Finding::failed("batch bucket", error)],
    };
    let mut findings = vec![role(&place)];
    findings.extend(bucket(&sdk, &place).await);
    findings.push(jobs(&sdk).await);
    findings.extend(models(config));
    findings
}

/// By its form: whether Bedrock may take it on, Bedrock tells at the first job.
fn role(place: &BatchPlace) -> Finding {
    let role = &place.role_arn;
    match role.starts_with("arn:") && role.contains(":iam::") && role.contains(":role/") {
        true => Finding::ok("batch role", format!("{role}; Bedrock checks its trust at the first job")),
        false => Finding::fix(
            "batch role",
            format!("CLAUDE_CODE_AWS_BATCH_ROLE_ARN={role:?} is no role's ARN"),
            "set it to arn:aws:iam::ACCOUNT:role/NAME",
        ),
    }
}

async fn bucket(sdk: &SdkConfig, place: &BatchPlace) -> Vec<Finding> {
    let (s3, bucket) = (crate::storage::s3::client(sdk), &place.bucket);
    let put = s3.put_object().bucket(bucket).key(PROBE).body(ByteStream::from_static(b"")).send().await;
    let list = s3.list_objects_v2().bucket(bucket).prefix(PROBE).max_keys(1).send().await;
    let failed = [
        put.err().map(|failed| ("s3:PutObject", code(&failed))),
        list.err().map(|failed| ("s3:ListBucket", code(&failed))),
    ];
    let failed: Vec<Finding> = failed
        .into_iter()
        .flatten()
        .map(|(action, code)| {
            Finding::fix(
                "batch bucket",
                format!("{bucket}/batch/: {code}"),
                format!("allow {action} there, or set CLAUDE_CODE_AWS_BATCH_BUCKET"),
            )
        })
        .collect();
    match failed.is_empty() {
        true => vec![Finding::ok("batch bucket", format!("{bucket}/batch/ can be written and listed"))],
        false => failed,
    }
}

async fn jobs(sdk: &SdkConfig) -> Finding {
    let once = aws_sdk_bedrock::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
    match aws_sdk_bedrock::Client::from_conf(once).list_model_invocation_jobs().max_results(1).send().await {
        Ok(_) => Finding::ok("batch jobs", "they can be listed"),
        Err(failed) => Finding::fix(
            "batch jobs",
            format!("they cannot be listed ({})", code(&failed)),
            "attach the policy claude-code-batch-submitter of the templates",
        ),
    }
}

/// Which of the models in use jobs are known to take.
fn models(config: &Config) -> Vec<Finding> {
    let catalogue = config.policy.catalogue;
    let mut names: Vec<(&str, bool)> = in_use(&config.policy)
        .iter()
        .filter_map(|found| catalogue.find(&found.id()?))
        .map(|card| (card.name, card.batch == BatchSupport::Yes))
        .collect();
    names.dedup();
    let found = names.into_iter().map(|(name, known)| match known {
        true => Finding::ok("batch model", format!("{name}: at half the price")),
        false => Finding::note(
            "batch model",
            format!("{name}: no batch price is known"),
            "--lane bedrock-batch tries a job, --lane auto sends it on demand",
        ),
    });
    found.collect()
}

fn code<E: ProvideErrorMetadata>(failed: &SdkError<E>) -> String {
    failed.code().unwrap_or("no answer").to_owned()
}
