//! `cost`: estimates the monthly cost of a number of generations.

use claude_code_core::model::ModelId;
use claude_code_core::money::forecast::{Load, monthly};
use claude_code_core::select::Reach;
use claude_code_core::{Catalogue, Cost, Error, Family, Policy, Result};

use crate::cli::args::{CostArgs, Global};
use crate::cli::output::exit;
use crate::cli::output::figures::{self, count};
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::setup;

pub(crate) fn run(global: Global, args: &CostArgs) -> Result<u8> {
    let Policy { reach, catalogue, .. } = setup::config(global)?.policy;
    let model = model(&args.model, reach, catalogue)?;
    let load = Load {
        generations: args.per_month,
        input_tokens: args.input_tokens,
        output_tokens: args.output_tokens,
        ..Load::default()
    };
    let bill = monthly(&load, &model, catalogue);
    if global.json {
        show::out(&json::text(&bill)?)?;
        return Ok(exit::OK);
    }
    let mut rows: Vec<Vec<String>> =
        bill.lines.iter().map(|line| vec![line.what.clone(), dollars(line.usd), line.how.clone()]).collect();
    rows.push(vec![
        "total".to_owned(),
        dollars(bill.total),
        format!("for {} generations a month", load.generations),
    ]);
    show::out(&show::table(&rows))?;
    show::out(&others(&load, reach, catalogue, &model))?;
    show::out(&format!("\nassumed: {}\n", bill.assumptions.join("; ")))?;
    Ok(exit::OK)
}

/// The same month with each family's current model.
fn others(load: &Load, reach: Reach, catalogue: &Catalogue, chosen: &ModelId) -> String {
    let of = |family: Family| {
        let model = id_of(family, reach, catalogue).filter(|model| model != chosen)?;
        let bill = monthly(load, &model, catalogue);
        Some(format!("{} {}", figures::model(model.as_str()), dollars(bill.total)))
    };
    let told: Vec<String> =
        [Family::Haiku, Family::Sonnet, Family::Opus].into_iter().filter_map(of).collect();
    format!(
        "\nthe same with {} ({} tokens in, {} out)\n",
        told.join(", "),
        count(load.input_tokens),
        count(load.output_tokens)
    )
}

fn model(name: &str, reach: Reach, catalogue: &Catalogue) -> Result<ModelId> {
    match name.parse::<Family>() {
        Ok(family) => id_of(family, reach, catalogue).ok_or_else(|| {
            Error::invalid(format!("{family} has no profile of that scope: set PROFILE_SCOPE"))
        }),
        Err(_) => ModelId::new(name),
    }
}

fn id_of(family: Family, reach: Reach, catalogue: &Catalogue) -> Option<ModelId> {
    reach.id(catalogue.for_family(family))
}

/// To the cent: a forecast is not more exact.
fn dollars(cost: Cost) -> String {
    let cents = |pico: u64| (pico + 5_000_000_000) / 10_000_000_000;
    let text = |pico: u64| format!("${}.{:02}", cents(pico) / 100, cents(pico) % 100);
    match cost {
        Cost::Priced(amount) if amount.0 > 0 && cents(amount.0) == 0 => "<$0.01".to_owned(),
        Cost::Priced(amount) => text(amount.0),
        Cost::Unpriced { known } if known.0 == 0 => "price unknown".to_owned(),
        Cost::Unpriced { known } => format!("{} and the model", text(known.0)),
    }
}
