//! The plan of a batch, before anything is sent: by which model and lane each request would go, why, and what it can cost.

use std::collections::BTreeMap;

use claude_code_core::{Cost, PicoUsd, Result};

use super::input::{Input, Requests};
use crate::cli::args::Global;
use crate::cli::output::{exit, figures, json, show};
use crate::cli::setup;

/// The requests of one model and tier.
#[derive(Default)]
struct Group {
    requests: usize,
    worst: u64,
    unpriced: bool,
}

/// Prints the plan. Nothing is sent, no credentials are looked for.
pub(crate) async fn show(global: Global, input: &Input) -> Result<u8> {
    let client = setup::planner(global).await?;
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut refused = 0;
    for request in Requests::open(input)? {
        let Ok(estimate) = client.estimate(request) else {
            refused += 1;
            continue;
        };
        let group = groups.entry((estimate.model, estimate.tier.to_string())).or_default();
        group.requests += 1;
        group.worst = group.worst.saturating_add(estimate.worst_usd.known().0);
        group.unpriced |= estimate.worst_usd.priced().is_none();
    }
    let why = "the only lane that this build has";
    if global.json {
        let lanes: Vec<_> = groups
            .iter()
            .map(|((model, tier), group)| {
                serde_json::json!({
                    "model": model, "tier": tier, "requests": group.requests, "lane": "on-demand", "why": why,
                    "worst_usd": (!group.unpriced).then_some(PicoUsd(group.worst)),
                })
            })
            .collect();
        show::out(&json::text(&serde_json::json!({
            "requests": input.len(), "repeats": input.repeats(), "bad_lines": input.bad().count(),
            "refused": refused, "lanes": lanes,
        }))?)?;
        return Ok(exit::OK);
    }
    let head = ["model", "tier", "requests", "lane", "at most"].map(str::to_owned).to_vec();
    let rows = groups.iter().map(|((model, tier), group)| {
        let worst = PicoUsd(group.worst);
        let cost = if group.unpriced { Cost::Unpriced { known: worst } } else { Cost::Priced(worst) };
        let requests = group.requests.to_string();
        vec![figures::model(model), tier.clone(), requests, "on-demand".to_owned(), figures::cost(cost)]
    });
    show::out(&show::table(&[head].into_iter().chain(rows).collect::<Vec<_>>()))?;
    show::note(&format!(
        "{}, {} of them equal to an earlier one and not sent again; at most: one send each, before cache hits",
        figures::some(input.len(), "request"),
        input.repeats()
    ));
    input.bad().for_each(|why| show::note(&format!("warning: {why}")));
    Ok(exit::OK)
}
