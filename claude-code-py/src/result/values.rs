//! Figures of a result: tokens, money, sends, findings, estimates, budgets.

use claude_code_aws::doctor;
use claude_code_aws::generation::{self, Cached as CachedAge};
use claude_code_aws::money::price::SignedPicoUsd;
use claude_code_aws::money::receipt::{self, Item};
use claude_code_aws::plan;
use claude_code_aws::{BudgetView, Cost, PicoUsd, answer::diagnostic, money::usage};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::convert::money::{Usd, usd};
use crate::convert::record::record;
use crate::notebook::table::table;

record! {
    /// Tokens of all sends of a request together.
    Usage(usage::Usage) {
        /// Prompt tokens that were neither read from nor written to the prompt cache.
        input_tokens: u64 = |u| u.input_tokens;
        /// Tokens that the model wrote, thinking included.
        output_tokens: u64 = |u| u.output_tokens;
        /// Prompt tokens read from the prompt cache.
        cache_read_input_tokens: u64 = |u| u.cache_read_input_tokens;
        /// Prompt tokens stored in the prompt cache.
        cache_creation_input_tokens: u64 = usage::Usage::cache_creation_input_tokens;
        /// How many of the output tokens were thinking, where the service says so.
        thinking_tokens: Option<u64> = |u| u.thinking_tokens;
    }
}

record! {
    /// One line of a receipt.
    ReceiptItem(Item) {
        /// Which send of the request, from 0.
        attempt: u32 = |i| i.attempt;
        /// The model's bare name, or its id where it is unknown.
        model: &str = |i| i.model.as_str();
        /// What it is for: input, output, cache_read, cache_write_5m, long_prompt, …
        what: String = |i| word(&i.what);
        /// How many tokens; None on lines that change a price.
        tokens: Option<u64> = |i| i.tokens;
        /// The price that the tokens are billed at, in dollars per million.
        usd_per_million_tokens: Option<Usd> = |i| i.usd_per_million_tokens.map(Usd::from);
        /// The amount in dollars; None: no known price.
        usd: Option<Usd> = |i| i.usd.map(Usd::from);
    }
}

record! {
    /// Everything that a request cost.
    Receipt(receipt::Receipt) {
        /// The sum in dollars, exact; None where a part has no known price.
        total_usd: Option<Usd> = |r| usd(r.total());
        /// What is known of the sum in dollars: all of it where `priced`, else the least that it cost.
        known_usd: Usd = |r| r.total().known().into();
        /// Whether every part has a known price.
        priced: bool = |r| r.total().is_priced();
        /// The lines, in the order of the sends.
        items: Vec<ReceiptItem> = |r| r.items.iter().cloned().map(ReceiptItem).collect();
        /// The day of the price table, `YYYY-MM-DD`; empty where nothing was billed.
        price_table: &str = |r| r.price_table.as_str();
        /// What the response cache saved, in dollars.
        saved_by_response_cache_usd: Usd = |r| r.saved.by_response_cache_usd.into();
        /// What the prompt cache saved, in dollars; below zero where it cost more.
        saved_by_prompt_cache_usd: Usd = |r| r.saved.by_prompt_cache_usd.into();
        /// What the tier saved against the complex tier's model, in dollars.
        saved_by_tier_usd: Usd = |r| r.saved.by_tier_usd.into();
    }

    fn __str__(&self) -> String {
        let line = |item: &Item| format!("{}: {}", item.what, amount(item.usd));
        let lines: Vec<String> = self.0.items.iter().map(line).collect();
        format!("{} ({})", self.0.total(), lines.join(", "))
    }

    fn _repr_html_(&self) -> String {
        let row = |item: &Item| {
            let tokens = item.tokens.map_or_else(String::new, |tokens| tokens.to_string());
            [item.attempt.to_string(), item.model.clone(), item.what.to_string(), tokens, amount(item.usd)]
        };
        let rows: Vec<_> = self.0.items.iter().map(row).collect();
        let total = format!("total {}, prices of {}", self.0.total(), self.0.price_table);
        table(&total, ["#attempt", "model", "for", "#tokens", "#dollars"], &rows)
    }
}

record! {
    /// One send, with why it was made and what became of it.
    Attempt(generation::Attempt) {
        /// The model, as sent.
        model: &str = |a| a.model.as_str();
        /// first, retry, repeat, fallback, resume, repair, escalate, …
        why: &str = |a| a.why.as_str();
        /// complete, or the kind of what went wrong.
        outcome: &str = |a| a.outcome.as_str();
        /// What it cost in dollars; None: no known price.
        cost: Option<Usd> = |a| usd(a.cost);
        /// Whether the cost is the ceiling because the true figure never arrived.
        unknown: bool = |a| a.unknown;
        /// Milliseconds waited before the send.
        waited_ms: u64 = |a| a.waited_ms;
        /// The service's id of the request, where it gave one.
        request_id: Option<&str> = |a| a.request_id.as_deref();
    }
}

record! {
    /// One finding in one file.
    Diagnostic(diagnostic::Diagnostic) {
        /// The file; None for an unnamed block.
        path: Option<&str> = |d| d.path.as_deref();
        /// Line, from 1; 0 for the whole file.
        line: u32 = |d| d.line;
        /// Column in characters, from 1; 0 for the whole line or file.
        column: u32 = |d| d.column;
        /// error or warning; an answer with an error is not accepted.
        severity: String = |d| word(&d.severity);
        /// A plain sentence without its place.
        message: &str = |d| d.message.as_str();
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }
}

record! {
    /// How an answer came from the response cache.
    Cached(CachedAge) {
        /// Seconds since it was generated.
        age_seconds: u64 = |c| c.age_seconds;
    }
}

/// The core's estimate in a schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EstimateFields {
    tier: String,
    tier_reason: String,
    model: String,
    input_tokens: u64,
    worst_usd: Cost,
    #[serde(default)]
    warnings: Vec<String>,
}

record! {
    /// What a request would come to; nothing was sent for it.
    Estimate(EstimateFields) {
        /// simple, medium or complex.
        tier: &str = |e| e.tier.as_str();
        /// Why this tier.
        tier_reason: &str = |e| e.tier_reason.as_str();
        /// The model that would be asked first.
        model: &str = |e| e.model.as_str();
        /// Tokens of the prompt, estimated from above.
        input_tokens: u64 = |e| e.input_tokens;
        /// The most that one send can cost, in dollars; None: no known price.
        worst_usd: Option<Usd> = |e| usd(e.worst_usd);
        /// What the caller should know, in plain sentences.
        warnings: Vec<String> = |e| e.warnings.clone();
    }

    fn _repr_html_(&self) -> String {
        let e = &self.0;
        let row = [e.tier.clone(), e.tier_reason.clone(), e.model.clone(), e.input_tokens.to_string(), e.worst_usd.to_string()];
        table("estimate; nothing was sent", ["tier", "why", "model", "#prompt tokens", "#at most"], &[row])
    }
}

impl From<plan::Estimate> for Estimate {
    fn from(estimate: plan::Estimate) -> Self {
        let plan::Estimate { tier, tier_reason, model, input_tokens, worst_usd, warnings, .. } = estimate;
        let tier = tier.to_string();
        Estimate(EstimateFields { tier, tier_reason, model, input_tokens, worst_usd, warnings })
    }
}

/// The core's figures of a day in a schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BudgetFields {
    cap: Option<PicoUsd>,
    spent: PicoUsd,
    reserved: PicoUsd,
    #[serde(default)]
    stopped: bool,
}

record! {
    /// The spending of the current UTC day, in dollars.
    Budget(BudgetFields) {
        /// The day's cap; None: there is none.
        cap: Option<Usd> = |b| b.cap.map(Usd::from);
        /// Settled.
        spent: Usd = |b| b.spent.into();
        /// Held by sends under way, and by those whose outcome is unknown.
        reserved: Usd = |b| b.reserved.into();
        /// Whether sending was stopped: stop_budget, or `budget stop` of the command line.
        stopped: bool = |b| b.stopped;
    }
}

impl From<BudgetView> for Budget {
    fn from(view: BudgetView) -> Self {
        Budget(BudgetFields {
            cap: view.cap,
            spent: view.spent,
            reserved: view.reserved,
            stopped: view.stopped,
        })
    }
}

record! {
    /// What the doctor found, and what to do about it.
    Finding(doctor::Finding) {
        /// What was looked at: version, credentials, region, models, results, caps, …
        name: &str = |f| f.name.as_str();
        /// Whether it works.
        ok: bool = |f| f.ok;
        /// What was found.
        detail: &str = |f| f.detail.as_str();
        /// What to do, or what could be otherwise; None: nothing.
        fix: Option<&str> = |f| f.fix.as_deref();
    }

    fn _repr_html_(&self) -> String {
        findings(std::slice::from_ref(self))
    }

    fn __str__(&self) -> String {
        let doctor::Finding { name, ok, detail, fix } = &self.0;
        let state = if *ok { "ok" } else { "fix" };
        let fix = fix.as_ref().map_or_else(String::new, |fix| format!(" ({fix})"));
        format!("{state:4} {name}: {detail}{fix}")
    }
}

/// What the doctor found, as a table.
#[pyo3::pyfunction(name = "_findings")]
pub(crate) fn findings_table(found: Vec<pyo3::Bound<'_, Finding>>) -> String {
    let found: Vec<Finding> = found.iter().map(|finding| finding.get().clone()).collect();
    findings(&found)
}

fn findings(found: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let doctor::Finding { name, ok, detail, fix } = &finding.0;
        let state = if *ok { "ok" } else { "fix" };
        [state.to_owned(), name.clone(), detail.clone(), fix.clone().unwrap_or_default()]
    };
    let rows: Vec<_> = found.iter().map(row).collect();
    let wrong = found.iter().filter(|finding| !finding.0.ok).count();
    table(&format!("doctor: {wrong} to fix"), ["state", "what", "found", "to do"], &rows)
}

fn amount(usd: Option<SignedPicoUsd>) -> String {
    usd.map_or_else(|| "unpriced".to_owned(), |usd| usd.to_string())
}

/// A name of the schema, as JSON has it.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}
