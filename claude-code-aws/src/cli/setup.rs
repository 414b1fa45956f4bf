//! Client setup from the environment and the global options.

use crate::service_creator::{Creator, Services};
use claude_code_core::{Client, Error, GenerationStore, Result};

use super::args::Global;
use super::commands::twin;
use super::settings_file::SettingsFile;
use crate::connect::config::{Config, Provider, Store};
use crate::local;
use crate::metrics::request_log::LogForm;
use crate::storage::results::AwsResults;

/// The settings of this run: the environment's, results on the disk by default, nothing of AWS with `--offline`.
pub(super) fn config(global: Global) -> Result<Config> {
    let mut config = Config::from_vars_os(SettingsFile::read()?.below(std::env::vars_os()))?;
    config.default_store = Store::Disk;
    if global.verbose && config.log == LogForm::Off {
        config.log = LogForm::Text;
    }
    if let Some(url) = global.answers.filter(|answers| local::is_url(answers)) {
        config = local::with_model_server(config, None, url, global.answers_model)?;
    } else if global.is_offline() {
        config.answers = twin::answered(global, &config)?;
        config = local::offline(config);
    }
    Ok(config)
}

/// A client that answers prompts.
pub(super) async fn client(global: Global) -> Result<Client> {
    Box::pin(crate::connect(config(global)?)).await
}

/// The service creator with its client, the services that it writes, and whether these are kept.
pub(super) async fn creator(global: Global) -> Result<(Creator, Client, Services, bool)> {
    let config = config(global)?;
    let connected = crate::connect::Connected::open(&config).await?;
    let is_kept = connected.places.is_some();
    let services = crate::storage::services::of(&connected, &config);
    let client = connected.client;
    Ok((Creator::new(client.clone(), services.clone()), client, services, is_kept))
}

/// A client that plans and never sends: no provider is reached, no store opened, no credential looked for.
pub(super) async fn planner(global: Global) -> Result<Client> {
    let config = Config { provider: Provider::Samples, store: Some(Store::None), ..config(global)? };
    Box::pin(crate::connect(config)).await
}

/// A client for what is kept. Here the store is asked for, so one that cannot be had is an error.
pub(super) async fn result_writer(global: Global) -> Result<Client> {
    let config = config(global)?;
    let store = Some(config.store.unwrap_or(config.default_store));
    Box::pin(crate::connect(Config { provider: Provider::Samples, store, ..config })).await
}

/// The results themselves, for what looks after their bucket.
pub(super) async fn stored(global: Global) -> Result<AwsResults> {
    let config = config(global)?;
    let store = Some(config.store.unwrap_or(config.default_store));
    let config = Config { provider: Provider::Samples, store, ..config };
    let places = crate::connect::Connected::open(&config).await?.places.ok_or_else(no_results)?;
    let dynamodb = crate::storage::dynamodb::client(&places.sdk);
    Ok(AwsResults::new(dynamodb, crate::storage::s3::client(&places.sdk), &config.table_name, &places.bucket))
}

/// The results of a client, or how to have some.
pub(super) fn results(client: &Client) -> Result<&dyn GenerationStore> {
    client.results().map(AsRef::as_ref).ok_or_else(no_results)
}

fn no_results() -> Error {
    Error::invalid("results are kept nowhere: CLAUDE_CODE_AWS_STORE is none; set it to disk or aws")
}
