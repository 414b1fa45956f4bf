//! Storage check: the local directory, or tables and bucket.

use std::path::Path;

use aws_config::SdkConfig;

use super::Finding;
use crate::connect::config::{Config, Store};
use crate::local::Twin;

/// What to create where a table or the bucket is missing.
const RESULTS: &str = "create it: key id (S), index language-index on language (S) and generated_at (S), TTL on \
                       expires_at; or allow dynamodb:DescribeTable";
const STATE: &str = "create it: keys pk (S) and sk (S), TTL on expires_at; or allow dynamodb:DescribeTable";
const SERVICES: &str = "create it: keys pk (S) and sk (S); or allow dynamodb:DescribeTable";
const BUCKET: &str = "create it, private and versioned; or allow s3:ListBucket on it";

pub(super) async fn findings(config: &Config) -> Vec<Finding> {
    match config.store.unwrap_or(config.default_store) {
        Store::None => {
            vec![Finding::note("results", "kept nowhere", "CLAUDE_CODE_AWS_STORE=disk or aws keeps them")]
        }
        Store::Disk => match config.local_dir() {
            Ok(dir) => disk(config, &dir).await,
            Err(error) => vec![Finding::failed("results", error)],
        },
        Store::Aws => aws(config).await,
    }
}

async fn disk(config: &Config, dir: &Path) -> Vec<Finding> {
    let twin = Twin::shared(dir);
    let mut findings = match crate::connect::local::prepare(&twin, config).await {
        Ok(_) => vec![Finding::ok("results", format!("in {}", dir.display()))],
        Err(error) => vec![Finding::failed("results", error)],
    };
    findings.extend(twin.notices().into_iter().map(|notice| Finding::ok("results", notice)));
    findings
}

async fn aws(config: &Config) -> Vec<Finding> {
    let sdk = match crate::connect::load(config).await {
        Ok(sdk) => sdk,
        Err(error) => return vec![Finding::failed("endpoints", error)],
    };
    let mut findings =
        vec![table(&sdk, &config.table_name, RESULTS).await, table(&sdk, &config.state_table, STATE).await];
    findings.push(match crate::connect::bucket(&sdk, config).await {
        Ok(name) => bucket(&sdk, &name).await,
        Err(error) => Finding::failed("bucket", error),
    });
    // Only the service creator needs these.
    let services =
        [table(&sdk, &config.service_table, SERVICES).await, bucket(&sdk, &config.service_bucket).await];
    findings.extend(services.map(|found| Finding { ok: true, ..found }));
    findings
}

async fn table(sdk: &SdkConfig, name: &str, fix: &str) -> Finding {
    match crate::storage::dynamodb::client(sdk).describe_table().table_name(name).send().await {
        Ok(_) => Finding::ok("table", name),
        Err(failed) => lacking("table", name, fix, &crate::storage::dynamodb::error("read", name, &failed)),
    }
}

async fn bucket(sdk: &SdkConfig, name: &str) -> Finding {
    match crate::storage::s3::client(sdk).head_bucket().bucket(name).send().await {
        Ok(_) => Finding::ok("bucket", name),
        Err(failed) => lacking("bucket", name, BUCKET, &crate::storage::s3::error("read", name, "", &failed)),
    }
}

fn lacking(what: &str, name: &str, fix: &str, error: &claude_code_core::Error) -> Finding {
    Finding::fix(what, format!("{name}: {}", error.message()), fix)
}
