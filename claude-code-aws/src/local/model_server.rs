//! Model servers: which API a URL speaks, and the settings of a client that asks it. One rule for `--answers` of the command
//! line and `Client.local(answers=…)` of Python.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::provider::ModelProvider;
use claude_code_core::select::Reach;
use claude_code_core::{ModelId, ProfileScope, Result};

use crate::anthropic::Anthropic;
use crate::connect::config::{Config, Provider, Store};
use crate::local::responder::openai::OpenAi;
use crate::local::{Relay, Responder, Twin};
use crate::secret::Secret;

/// Whether answers are named by a URL, and not by a path.
pub fn is_url(answers: &str) -> bool {
    answers.starts_with("http://") || answers.starts_with("https://")
}

/// The settings of a client that asks this server: `…/v1` and `…/chat/completions` are OpenAI's API, behind a twin with its
/// state in `directory` (by default the local one); any other address is the Messages API. `model` is the name that the
/// server is asked for.
pub fn with_model_server(
    config: Config,
    directory: Option<&Path>,
    url: &str,
    model: Option<&str>,
) -> Result<Config> {
    let store = config.store.filter(|store| *store != Store::Aws);
    let mut config = Config { store, ..config };
    if OpenAi::is_url(url) {
        let directory = directory.map_or_else(|| config.local_dir(), |given| Ok(given.to_owned()))?;
        let twin = Twin::lazy(&directory, relay(url, model, &config)?);
        let named = format!("{url} {}", model.unwrap_or_default());
        config.answers = Some(twin.answering_from(named.as_bytes()).of_a_model());
        return Ok(offline(config));
    }
    config.anthropic = config.anthropic.only(url);
    config.provider = Provider::Anthropic;
    config.policy.reach = config.anthropic.reach();
    config.policy.places.clear();
    config.policy.model = model.map(str::to_owned).or(config.policy.model);
    Ok(config)
}

/// The settings of a client that a twin answers: nothing of AWS.
pub(crate) fn offline(mut config: Config) -> Config {
    config.provider = Provider::Samples;
    if config.policy.reach.is_messages() {
        config.policy.reach = Reach::Profile(ProfileScope::Global);
    }
    Config { store: config.store.filter(|store| *store != Store::Aws), ..config }
}

/// The server at a URL as it answers in the twin.
pub(crate) fn relay(url: &str, model: Option<&str>, config: &Config) -> Result<Arc<dyn Responder>> {
    let model = model.map(ModelId::new).transpose()?;
    Ok(Arc::new(Relay::new(server(url, config)?, model)))
}

fn server(url: &str, config: &Config) -> Result<Arc<dyn ModelProvider>> {
    let connector = crate::connect::transport::connector(&config.network);
    if OpenAi::is_url(url) {
        let key = std::env::var("OPENAI_API_KEY").ok().filter(|key| !key.is_empty());
        return Ok(Arc::new(OpenAi::new(url, key.map(Secret::new), connector)?));
    }
    Ok(Arc::new(Anthropic::new(&config.anthropic.only(url), connector, false)?))
}
