//! `doctor`: is everything there? Each line is ok or says what to do. Nothing is sent to a model.

use claude_code_core::{Catalogue, Result};
use serde::Serialize;

use super::args::Global;
use super::{exit, json, models, setup, show};
use crate::anthropic::Anthropic;
use crate::config::{Config, Provider};

mod aws;
mod store;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works; something should be known.
    Note,
    /// It does not work until this is done.
    Fix,
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    name: &'static str,
    state: State,
    text: String,
}

impl Check {
    fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Check { name, state: State::Ok, text: text.into() }
    }

    fn note(name: &'static str, text: impl Into<String>) -> Self {
        Check { name, state: State::Note, text: text.into() }
    }

    fn fix(name: &'static str, text: impl Into<String>) -> Self {
        Check { name, state: State::Fix, text: text.into() }
    }
}

/// Checks and tells. Exit code 1 if anything has to be done.
pub(super) async fn run(global: Global) -> Result<u8> {
    let config = setup::config(global)?;
    let mut checks = vec![Check::ok("version", version())];
    checks.extend(provider(&config).await);
    checks.extend(model(global)?);
    checks.extend(store::checks(&config).await);
    checks.push(budget(&config));
    let broken = checks.iter().any(|check| check.state == State::Fix);
    if global.json {
        show::out(&json::text(&serde_json::json!({ "ok": !broken, "checks": checks }))?)?;
    } else {
        let rows: Vec<Vec<String>> = checks.into_iter().map(row).collect();
        show::out(&show::table(&rows))?;
        if broken {
            show::note(
                "without an account: claude-code-aws generate --offline \"Write a Python function that reverses a string.\"",
            );
        }
    }
    Ok(if broken { exit::FAILED } else { exit::OK })
}

fn version() -> String {
    format!("{}, models and prices as of {}", env!("CARGO_PKG_VERSION"), Catalogue::builtin().as_of())
}

async fn provider(config: &Config) -> Vec<Check> {
    match config.provider {
        Provider::Bedrock => aws::checks(config).await,
        Provider::Samples => {
            let count = crate::local::Samples::built_in().prompts().len();
            vec![Check::ok("answers", format!("{count} sample answers of the local twin; no model is asked"))]
        }
        Provider::Anthropic => vec![messages_api(config)],
    }
}

/// Whether the settings of the Messages API can be used. Nothing is sent.
fn messages_api(config: &Config) -> Check {
    let strict = !config.allow_endpoint_override;
    match Anthropic::new(&config.anthropic, crate::connection::connector(), strict) {
        Ok(_) if config.anthropic.base_url.is_some() => {
            Check::ok("credentials", "the Messages API at ANTHROPIC_BASE_URL answers")
        }
        Ok(_) => Check::ok("credentials", "ANTHROPIC_API_KEY is set; the Anthropic API answers"),
        Err(error) => Check::fix("credentials", error.message),
    }
}

/// The models in use: one line if all live, else a line each.
fn model(global: Global) -> Result<Vec<Check>> {
    let found = models::findings(global)?;
    let names: Vec<String> = found.iter().map(|f| super::figures::model(&f.model)).collect();
    let mut checks: Vec<Check> = found
        .into_iter()
        .filter_map(|f| {
            let text = format!("{}: {}", f.role, f.trouble?);
            Some(if f.fatal { Check::fix("models", text) } else { Check::note("models", text) })
        })
        .collect();
    if checks.is_empty() {
        let text = format!("{}; whether the account may call them the first call tells", names.join(", "));
        checks.push(Check::ok("models", text));
    }
    Ok(checks)
}

fn budget(config: &Config) -> Check {
    let policy = &config.policy;
    let request = format!("${} a request", policy.max_usd_per_request);
    match policy.max_usd_per_day {
        Some(day) => Check::ok("caps", format!("{request}, ${day} a day")),
        None => {
            Check::note("caps", format!("{request}, none a day (CLAUDE_CODE_AWS_MAX_USD_PER_DAY sets one)"))
        }
    }
}

fn row(check: Check) -> Vec<String> {
    let state = match check.state {
        State::Ok => "ok",
        State::Note => "note",
        State::Fix => "fix",
    };
    vec![state.to_owned(), check.name.to_owned(), super::plain::line(&check.text)]
}
