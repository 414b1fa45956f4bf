//! Client construction over the local twin: engines inside the process.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::{Client, ClientBuilder, Error, ErrorKind, Result};

use crate::bedrock::Bedrock;
use crate::connect::config::{Config, Store};
use crate::local::SqliteState;
use crate::local::Twin;
use crate::local::storage::results::DiskResults;
use crate::local::storage::schema;

/// The bucket that local results are in: the account of the twin is `000000000000`.
pub const BUCKET: &str = "claude-code-workshop-000000000000";

/// A client that needs no AWS account: sample answers from the twin, results, cache and budgets in `directory`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> claude_code_aws::Result<()> {
/// # let directory = tempfile::tempdir().unwrap();
/// let client = claude_code_aws::local::open(directory.path()).await?;
/// let generation = client.generate("reverse a string, in python").await?;
/// assert!(generation.accepted && generation.sample);
/// # Ok(())
/// # }
/// ```
///
/// Fails with [`ErrorKind::Storage`] if the directory cannot be written.
pub async fn open(directory: impl AsRef<Path>) -> Result<Client> {
    let twin = Twin::open(directory.as_ref())?;
    let config = Config { store: Some(Store::Disk), ..Config::default() };
    crate::connect::connect_to(&twin, config).await
}

/// Bedrock as the twin plays it, or another twin that has the answers.
pub(crate) fn samples(twin: Option<&Twin>, answers: Option<&Twin>) -> Bedrock {
    // Without a state directory of its own a twin still answers: it would be touched by S3 and DynamoDB only.
    let config = match answers.or(twin) {
        Some(twin) => twin.sdk_config(),
        None => Twin::of_samples(Path::new("")).sdk_config(),
    };
    Bedrock::new(&config).named("samples")
}

/// The client with its results and state in the twin's engines. If they were only the default and cannot be had, it
/// goes on without them and each result says why; not under a cap for the day, which this process would count alone.
pub(crate) async fn stored(builder: ClientBuilder, twin: Option<&Twin>, config: &Config) -> Result<Client> {
    let Some(twin) = twin else { return Ok(builder.build()) };
    let asked = config.store.is_some();
    match stores(twin, config).await {
        Ok((state, results)) => Ok(builder.with_state(Arc::new(state)).with_store(Arc::new(results)).build()),
        Err(error) if asked || error.kind() != ErrorKind::Storage => Err(error),
        Err(error) if is_capped(config) => Err(Error::new(
            error.kind(),
            format!("{}; without it the day's cap would be this process's own", error.message()),
        )),
        Err(error) => Ok(builder.without_store(error.message()).build()),
    }
}

/// The builder with results and state in the twin's directory, which other processes may use too. Tables and buckets that
/// are not there yet are made.
///
/// Fails with [`ErrorKind::Storage`] if the directory cannot be used.
pub async fn with_disk(builder: ClientBuilder, twin: &Twin) -> Result<ClientBuilder> {
    let (state, results) = stores(twin, &Config::default()).await?;
    Ok(keeping(builder, state, results))
}

fn keeping(builder: ClientBuilder, state: SqliteState, results: DiskResults) -> ClientBuilder {
    builder.with_state(Arc::new(state)).with_store(Arc::new(results))
}

/// State and results of the twin's directory, without the wire in between.
async fn stores(twin: &Twin, config: &Config) -> Result<(SqliteState, DiskResults)> {
    let bucket = prepare(twin, config).await?;
    let state = twin.engines().state().await?.clone();
    let reading = crate::connect::results(&twin.sdk_config(), config, &bucket);
    let results = DiskResults::new(Arc::clone(twin.engines()), reading).recovered().await?;
    Ok((state, results))
}

fn is_capped(config: &Config) -> bool {
    config.policy.max_usd_per_day.or(config.policy.max_usd_per_day_per_scope).is_some()
}

/// Opens the engines and creates the tables and buckets that are not there yet; gives the results bucket.
pub(crate) async fn prepare(twin: &Twin, config: &Config) -> Result<String> {
    twin.engines().directory()?;
    let bucket = config.bucket_name.clone().unwrap_or_else(|| BUCKET.to_owned());
    schema::create(twin, config, &bucket).await?;
    Ok(bucket)
}
