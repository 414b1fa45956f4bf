//! Diagnostics of the installation: each finding is ok or says what to do. Nothing is sent to a model.

use claude_code_core::Catalogue;
use serde::{Deserialize, Serialize};

use crate::anthropic::{Anthropic, Reached};
use crate::connect::config::{Config, Provider};

mod access;
mod aws;
mod batch;
mod models;
mod route;
mod store;

pub use batch::examine_batch;
pub use models::{InUse, in_use};

/// What Bedrock itself says of the models in use, where it is the provider: one finding or more for each. Nothing is sent
/// to a model.
pub async fn ask_bedrock(config: &Config) -> Vec<Finding> {
    match crate::connect::load(config).await {
        Ok(sdk) => access::findings(&sdk, &config.policy).await,
        Err(error) => vec![Finding::failed("endpoints", error)],
    }
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at: version, credentials, clock, region, models, results, table, bucket, caps, …
    pub name: String,
    /// Whether it works. What works may still have something to know in `fix`.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, or what can be done; none: nothing.
    pub fix: Option<String>,
}

impl Finding {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Finding { name: name.to_owned(), ok: true, detail: detail.into(), fix: None }
    }

    /// It works; `advice` says what could be otherwise.
    fn note(name: &str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Finding { fix: Some(advice.into()), ..Finding::ok(name, detail) }
    }

    /// It does not work until `fix` is done.
    fn fix(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Finding { ok: false, ..Finding::note(name, detail, fix) }
    }

    /// It does not work, as this error says.
    fn failed(name: &str, error: claude_code_core::Error) -> Self {
        Finding { ok: false, ..Finding::ok(name, error.message()) }
    }
}

/// Looks at everything that a client of these settings needs. Never fails: what fails is a finding.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("version", version(config.policy.catalogue))];
    findings.extend(provider(config).await);
    findings.extend(models::findings(&config.policy));
    findings.extend(store::findings(config).await);
    findings.push(caps(config));
    findings
}

fn version(catalogue: &Catalogue) -> String {
    format!("{}, models and prices as of {}", env!("CARGO_PKG_VERSION"), catalogue.as_of())
}

async fn provider(config: &Config) -> Vec<Finding> {
    match config.provider {
        Provider::Bedrock => aws::findings(config).await,
        Provider::Samples => {
            let count = crate::local::Samples::built_in().prompts().len();
            vec![Finding::ok(
                "answers",
                format!("{count} sample answers of the local twin; no model is asked"),
            )]
        }
        Provider::Anthropic => {
            let url = config.anthropic.base_url.as_deref().unwrap_or(crate::anthropic::endpoint::DEFAULT);
            let mut found = route::findings(url, &config.network).await;
            // A key that is missing is told whatever the route is like.
            if found.iter().all(|finding| finding.ok) || config.anthropic.api_key.is_none() {
                found.push(messages_api(config).await);
            }
            found
        }
    }
}

/// Whether the Messages API answers and takes the key. It is asked for its list of models.
async fn messages_api(config: &Config) -> Finding {
    let strict = !config.allow_endpoint_override;
    let settings = &config.anthropic;
    let api = match Anthropic::new(settings, crate::connect::transport::connector(&config.network), strict) {
        Ok(api) => api,
        Err(error) => return Finding::failed("credentials", error),
    };
    let server =
        if settings.base_url.is_some() { "the server at ANTHROPIC_BASE_URL" } else { "the Anthropic API" };
    let key = if settings.api_key.is_some() { " and takes ANTHROPIC_API_KEY" } else { "; no key is set" };
    match api.reach().await {
        Ok(Reached::Taken) => Finding::ok("credentials", format!("{server} answers{key}")),
        Ok(Reached::Untried) => Finding::note(
            "credentials",
            format!("{server} answers, and has no list of models"),
            "the first request will tell whether it takes the key",
        ),
        Ok(Reached::Refused(status)) => Finding::fix(
            "credentials",
            format!("{server} refuses the key (HTTP {status})"),
            "check ANTHROPIC_API_KEY and what it may do",
        ),
        Ok(Reached::Ailing(status)) => Finding::note(
            "credentials",
            format!("{server} answers HTTP {status}"),
            "see its status, ask again",
        ),
        Err(error) => Finding::failed("network", error),
    }
}

fn caps(config: &Config) -> Finding {
    let policy = &config.policy;
    let request = format!("${} a request", policy.max_usd_per_request);
    match policy.max_usd_per_day {
        Some(day) => Finding::ok("caps", format!("{request}, ${day} a day")),
        None => Finding::note(
            "caps",
            format!("{request}, none a day"),
            "CLAUDE_CODE_AWS_MAX_USD_PER_DAY sets one",
        ),
    }
}
