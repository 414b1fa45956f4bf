//! The place of results: the local directory, or tables and bucket.

use std::path::Path;

use claude_code_core::Kind;

use super::Check;
use crate::config::{Config, Store};
use crate::local::Twin;

pub(super) async fn checks(config: &Config) -> Vec<Check> {
    match config.store.unwrap_or(config.default_store) {
        Store::None => vec![Check::note("results", "kept nowhere (CLAUDE_CODE_AWS_STORE=none)")],
        Store::Disk => match config.local_dir() {
            Ok(dir) => disk(config, &dir).await,
            Err(error) => vec![Check::fix("results", error.message)],
        },
        Store::Aws => aws(config).await,
    }
}

async fn disk(config: &Config, dir: &Path) -> Vec<Check> {
    let twin = Twin::of_samples(dir);
    let mut checks = match crate::local::prepare(&twin, config).await {
        Ok(_) => vec![Check::ok("results", format!("in {}", dir.display()))],
        // Somebody else's being at work is no fault: results are given and not stored meanwhile.
        Err(error) if error.kind == Kind::Storage && error.message.contains("in use by") => {
            vec![Check::note("results", error.message)]
        }
        Err(error) => vec![Check::fix("results", error.message)],
    };
    checks.extend(twin.notices().into_iter().map(|notice| Check::note("results", notice)));
    checks
}

async fn aws(config: &Config) -> Vec<Check> {
    let sdk = crate::connect::load(config).await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let mut checks = Vec::new();
    for name in [&config.table_name, &config.state_table] {
        checks.push(match dynamodb.describe_table().table_name(name).send().await {
            Ok(_) => Check::ok("table", name.as_str()),
            Err(failed) => lacking("table", name, &crate::dynamodb::error("read", name, &failed)),
        });
    }
    match crate::connect::bucket(&sdk, config).await {
        Ok(bucket) => checks.push(match crate::s3::client(&sdk).head_bucket().bucket(&bucket).send().await {
            Ok(_) => Check::ok("bucket", bucket),
            Err(failed) => lacking("bucket", &bucket, &crate::s3::error("read", &bucket, "", &failed)),
        }),
        Err(error) => checks.push(Check::fix("bucket", error.message)),
    }
    checks
}

fn lacking(what: &'static str, name: &str, error: &claude_code_core::Error) -> Check {
    Check::fix(what, format!("{name}: {}; the templates in claude-code-aws/infra create it", error.message))
}
