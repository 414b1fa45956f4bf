//! The plan of a batch, before anything is sent: by which model and lane each request would go, why, and what it can cost.

use claude_code_core::Result;

use super::input::{Input, Requests};
use crate::batch::plan::{Groups, Wish, choose};
use crate::cli::args::Global;
use crate::cli::output::{exit, figures, json, show};
use crate::cli::setup;
use crate::files::batch_manifest::Repeats;

/// Prints the plan. Nothing is sent, no credentials are looked for.
pub(crate) async fn show(global: Global, input: &Input, wish: Wish) -> Result<u8> {
    let client = setup::planner(global).await?;
    let (mut groups, mut repeats, mut refused) = (Groups::default(), Repeats::default(), 0);
    for request in Requests::open(input)? {
        repeats.key(&request);
        if repeats.is_shared(&request) {
            continue;
        }
        match client.job_call(request) {
            Ok(call) => groups.note(&call),
            Err(_) => refused += 1,
        }
    }
    let groups: Vec<_> = groups.0.iter().map(|(name, group)| (name, group, choose(group, &wish))).collect();
    if global.json {
        let lanes: Vec<_> = groups
            .iter()
            .map(|((model, tier), group, choice)| {
                serde_json::json!({
                    "model": model, "tier": tier, "requests": group.requests, "lane": choice.lane(),
                    "why": choice.why, "worst_usd": choice.worst(group),
                })
            })
            .collect();
        show::out(&json::text(&serde_json::json!({
            "requests": input.len(), "repeats": input.repeats(), "bad_lines": input.bad().count(),
            "refused": refused, "lanes": lanes,
        }))?)?;
        return Ok(exit::OK);
    }
    let head = ["model", "tier", "requests", "lane", "at most", "why"].map(str::to_owned).to_vec();
    let rows = groups.iter().map(|((model, tier), group, choice)| {
        vec![
            figures::model(model),
            tier.clone(),
            group.requests.to_string(),
            choice.lane().to_owned(),
            figures::cost(choice.worst(group)),
            choice.why.clone(),
        ]
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
