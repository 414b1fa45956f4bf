//! `budget`: shows today's spending and sets the kill switch.

use claude_code_core::{BudgetScope, Clock, Error, PicoUsd, Result, UtcMillis};

use crate::cli::args::{BudgetAction, Global};
use crate::cli::output::exit;
use crate::cli::output::figures::usd;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::setup;
use crate::clock::SystemClock;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

pub(crate) async fn run(global: Global, action: Option<BudgetAction>) -> Result<u8> {
    let client = setup::result_writer(global).await?;
    if action.is_some() && client.results().is_none() {
        return Err(Error::invalid(
            "no other process would see it: CLAUDE_CODE_AWS_STORE is none; set it to disk or aws, as the processes that are to stop have it",
        ));
    }
    match action {
        Some(BudgetAction::Stop) => client.stop_budget(BudgetScope::Everybody).await?,
        Some(BudgetAction::Resume) => client.resume_budget(BudgetScope::Everybody).await?,
        None => {}
    }
    let view = client.budget().await?;
    let now = SystemClock.now().0;
    let resets_at = UtcMillis(now - now.rem_euclid(DAY) + DAY).iso();
    if global.json {
        let value = serde_json::json!({
            "cap": view.cap, "spent": view.spent, "reserved": view.reserved, "unknown": view.unknown,
            "stopped": view.stopped, "resets_at": resets_at,
        });
        show::out(&json::text(&value)?)?;
        return Ok(exit::OK);
    }
    let cap = view.cap.map_or_else(|| "none (CLAUDE_CODE_AWS_MAX_USD_PER_DAY sets one)".to_owned(), usd);
    let mut rows =
        vec![row("spent today", usd(view.spent)), row("reserved", usd(view.reserved)), row("cap", cap)];
    if let Some(cap) = view.cap {
        rows.push(row("left", usd(PicoUsd(cap.0.saturating_sub(view.spent.0 + view.reserved.0)))));
    }
    if view.unknown > PicoUsd::ZERO {
        rows.insert(
            2,
            row("of it unknown", format!("{}: sends whose end nobody saw stay charged", usd(view.unknown))),
        );
    }
    if view.stopped {
        rows.push(row("stopped", "nothing is sent; `budget resume` ends it".to_owned()));
    }
    rows.push(row("resets at", resets_at));
    show::out(&show::table(&rows))?;
    Ok(exit::OK)
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}
