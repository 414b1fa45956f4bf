//! Receipt of a run: a line for each stage and the total.

use claude_code_aws::{Cost, Generation, PicoUsd};

/// What the stages cost.
#[derive(Debug, Default)]
pub struct Account {
    lines: Vec<[String; 4]>,
    known: PicoUsd,
    is_unpriced: bool,
}

impl Account {
    /// Notes a stage that was paid for, also one that failed.
    pub fn add(&mut self, stage: &str, generation: &Generation) {
        let cost = generation.receipt.total();
        self.known = self.known.saturating_add(cost.known());
        self.is_unpriced |= !cost.is_priced();
        let usage = &generation.usage;
        let tokens = usage.prompt_tokens() + usage.output_tokens;
        let sends = generation.attempts.len();
        let times = if sends == 1 { "1 send".to_owned() } else { format!("{sends} sends") };
        let figures = format!("{times}, {tokens} tokens");
        self.lines.push([stage.to_owned(), generation.model.clone(), figures, told(cost)]);
    }

    /// Notes a stage that an earlier run paid for.
    pub fn kept(&mut self, stage: &str) {
        self.lines.push([stage.to_owned(), "kept from the run before".into(), String::new(), "$0".into()]);
    }

    /// What is known to be spent.
    pub fn spent(&self) -> PicoUsd {
        self.known
    }

    /// The receipt as text.
    pub fn text(&self) -> String {
        let width =
            |column: usize| self.lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let (stage, model, figures) = (width(0), width(1), width(2));
        let mut text = "receipt\n".to_owned();
        for [name, by, about, cost] in &self.lines {
            text.push_str(&format!("  {name:stage$}  {by:model$}  {about:figures$}  {cost}\n"));
        }
        let total = format!("${}", self.known);
        let total = if self.is_unpriced { format!("{total} and an unknown amount") } else { total };
        text.push_str(&format!("  total {total}\n"));
        text
    }
}

fn told(cost: Cost) -> String {
    match cost.priced() {
        Some(usd) => format!("${usd}"),
        None => "unpriced".to_owned(),
    }
}
