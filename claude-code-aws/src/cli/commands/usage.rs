//! `usage`: cost, success and response times of the last days, from the counters in the state table.

use claude_code_core::Result;
use claude_code_core::budget::usage_report::{By, Group};

use crate::cli::args::Global;
use crate::cli::output::exit;
use crate::cli::output::figures::{count, usd};
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::report_args::UsageArgs;
use crate::cli::setup;

pub(crate) async fn run(global: Global, args: UsageArgs) -> Result<u8> {
    let by: By = args.by.parse()?;
    let client = setup::result_writer(global).await?;
    let report = match by {
        By::Scope => client.usage_of_all(args.days).await?,
        _ => client.usage(args.days).await?,
    };
    if global.json {
        show::out(&json::text(&report.json(by))?)?;
        return Ok(exit::OK);
    }
    let total = report.total();
    if total.requests == 0 {
        show::note(&format!("no requests in the last {} days", args.days));
        return Ok(exit::OK);
    }
    let heads =
        [args.by.as_str(), "requests", "accepted", "from cache", "spent", "saved", "average", "90 % within"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(report.groups(by).iter().map(row));
    if by != By::Scope {
        rows.push(row(&total));
    }
    show::out(&show::table(&rows))?;
    Ok(exit::OK)
}

fn row(group: &Group) -> Vec<String> {
    let accepted = group.accepted.saturating_mul(100) / group.requests.max(1);
    vec![
        group.name.clone(),
        count(group.requests),
        format!("{accepted} %"),
        count(group.cached),
        usd(group.spent),
        usd(group.saved_by_cache.saturating_add(group.saved_by_tier)),
        format!("{:.1} s", group.average_seconds()),
        format!("{:.1} s", group.p90_seconds()),
    ]
}
