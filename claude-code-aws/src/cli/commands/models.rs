//! `models`: lists the catalogue, and checks that the configured models are still available. Nothing is sent to a
//! model.

use claude_code_core::model::catalogue::{ModelCard, Status};
use claude_code_core::money::rates::PriceClass;
use claude_code_core::money::usage::Usage;
use claude_code_core::select::Reach;
use claude_code_core::{Cost, Policy, ProfileScope, Result};

use crate::cli::args::{Global, ModelsCommand};
use crate::cli::output::exit;
use crate::cli::output::figures::{self, count};
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::setup;
use crate::connect::config::Provider;
use crate::doctor;

pub(crate) async fn run(global: Global, command: ModelsCommand) -> Result<u8> {
    match command {
        ModelsCommand::List => list(global),
        ModelsCommand::Check => check(global).await,
    }
}

fn list(global: Global) -> Result<u8> {
    let Policy { reach, catalogue, .. } = setup::config(global)?.policy;
    if global.json {
        let models: Vec<serde_json::Value> =
            catalogue.models().iter().map(|card| value(card, reach)).collect();
        let value = serde_json::json!({ "as_of": catalogue.as_of(), "models": models });
        show::out(&json::text(&value)?)?;
        return Ok(exit::OK);
    }
    let head = ["model", "id", "in/out per M tokens", "context", "status"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(catalogue.models().iter().map(|card| {
        let [input, output] = prices(card, reach).map(|price| price.map_or("-".to_owned(), dollars));
        vec![
            figures::short(card.name),
            id(card, reach),
            format!("{input} / {output}"),
            count(card.context_window.into()),
            status(card),
        ]
    }));
    show::out(&show::table(&rows))?;
    show::note(&format!("prices and dates as of {}", catalogue.as_of()));
    Ok(exit::OK)
}

fn value(card: &ModelCard, reach: Reach) -> serde_json::Value {
    let [input, output] = prices(card, reach);
    serde_json::json!({
        "name": card.name, "id": id(card, reach), "family": card.family,
        "usd_per_million_input_tokens": input, "usd_per_million_output_tokens": output,
        "context_window": card.context_window, "max_output_tokens": card.max_output_tokens,
        "status": word(card.lifecycle.status), "end_of_life": card.lifecycle.eol,
        "successor": card.lifecycle.successor,
    })
}

/// The id by which it is asked for, or the bare one where it cannot be reached so.
fn id(card: &ModelCard, reach: Reach) -> String {
    reach.id(card).map_or_else(|| card.bedrock_id.to_owned(), |id| id.to_string())
}

/// Dollars for a million tokens in and out.
fn prices(card: &ModelCard, reach: Reach) -> [Option<Cost>; 2] {
    let class = match reach {
        Reach::AnthropicApi => PriceClass::of_scope(ProfileScope::Global),
        Reach::BedrockMessages => PriceClass::Regional,
        Reach::Profile(scope) => PriceClass::of_scope(scope),
    };
    // A thousand tokens stay below every price step for long prompts.
    let thousand = [Usage::new(1_000, 0), Usage::new(0, 1_000)];
    thousand.map(|usage| {
        let cost = card.rates(class)?.cost(&usage, false).priced()?;
        Some(Cost::Priced(claude_code_core::PicoUsd(cost.0.saturating_mul(1_000))))
    })
}

fn dollars(cost: Cost) -> String {
    cost.priced().map_or_else(|| "-".to_owned(), |amount| format!("${amount}"))
}

fn status(card: &ModelCard) -> String {
    let ends = card.lifecycle.eol.map_or_else(String::new, |day| format!(", ends {day}"));
    match card.lifecycle.status {
        Status::Retired => {
            format!("retired{}", card.lifecycle.eol.map_or_else(String::new, |day| format!(" {day}")))
        }
        status => format!("{}{ends}", word(status)),
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Active => "active",
        Status::Legacy => "legacy",
        Status::Retired => "retired",
        Status::Limited => "by invitation",
        _ => "other",
    }
}

async fn check(global: Global) -> Result<u8> {
    let config = setup::config(global)?;
    let found = doctor::in_use(&config.policy);
    let told = match config.provider {
        Provider::Bedrock => doctor::ask_bedrock(&config).await,
        Provider::Anthropic | Provider::Samples => Vec::new(),
    };
    let fatal = found.iter().any(|finding| finding.fatal) || told.iter().any(|finding| !finding.ok);
    if global.json {
        let values: Vec<serde_json::Value> = found
            .iter()
            .map(|f| serde_json::json!({ "role": f.role, "model": f.model, "ok": !f.fatal, "note": f.trouble }))
            .collect();
        show::out(&json::text(
            &serde_json::json!({ "as_of": config.policy.catalogue.as_of(), "models": values, "checks": told }),
        )?)?;
    } else {
        let mut rows: Vec<Vec<String>> = found
            .iter()
            .map(|f| {
                let mark = if f.fatal { "fix" } else { "ok" };
                vec![mark.to_owned(), f.role.clone(), f.model.clone(), f.trouble.clone().unwrap_or_default()]
            })
            .collect();
        rows.extend(told.into_iter().map(|finding| {
            let [mark, name, text] = super::doctor::row(finding);
            vec![mark, name, String::new(), text]
        }));
        show::out(&show::table(&rows))?;
        let day = config.policy.catalogue.as_of();
        show::note(&match config.provider {
            Provider::Bedrock => format!("by the catalogue of {day} and by Bedrock; no model was asked"),
            _ => format!("by the catalogue of {day}"),
        });
    }
    Ok(if fatal { exit::FAILED } else { exit::OK })
}
