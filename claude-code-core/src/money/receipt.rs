//! Receipt of a request: every attempt, line by line, to the last pico-dollar.

use serde::{Deserialize, Serialize};

use crate::model::catalogue::Catalogue;
use crate::model::{ModelId, Tier};
use crate::money::price::{Cost, PicoUsd, SignedPicoUsd};
use crate::money::rates::{PriceClass, Rates, Sum, lines};
use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;

/// Purpose of a receipt's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineItem {
    /// Prompt tokens outside the prompt cache.
    Input,
    /// Tokens that the model wrote, thinking included.
    Output,
    /// Prompt tokens read from the prompt cache.
    CacheRead,
    /// Prompt tokens stored for five minutes.
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    /// Prompt tokens stored for one hour.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// What a prompt above the model's price step adds.
    LongPrompt,
    /// What a geographic profile adds to the global price.
    ProfileUplift,
    /// What a batch job takes off; below zero.
    BatchDiscount,
    /// A send whose outcome is unknown, charged at its ceiling.
    UnknownOutcome,
    /// What a sample answer of the local twin takes off: all of it; below zero.
    SampleAnswer,
}

/// In words, for people.
impl std::fmt::Display for LineItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            LineItem::Input => "prompt",
            LineItem::Output => "answer",
            LineItem::CacheRead => "prompt cache, read",
            LineItem::CacheWrite5m => "prompt cache, kept for 5 minutes",
            LineItem::CacheWrite1h => "prompt cache, kept for 1 hour",
            LineItem::LongPrompt => "long prompt",
            LineItem::ProfileUplift => "geographic profile",
            LineItem::BatchDiscount => "batch discount",
            LineItem::UnknownOutcome => "outcome unknown, at most",
            LineItem::SampleAnswer => "sample answer, not billed",
        })
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which send of the request, from 0.
    pub attempt: u32,
    /// The model's bare name, or its id where it is unknown.
    pub model: String,
    /// What it is for.
    pub what: LineItem,
    /// How many tokens; none on lines that change a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// The price that the tokens are billed at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_million_tokens: Option<PicoUsd>,
    /// The amount; none: no known price.
    pub usd: Option<SignedPicoUsd>,
}

impl Item {
    /// A line that changes what other lines cost.
    pub(crate) fn adjustment(model: &str, what: LineItem, usd: SignedPicoUsd) -> Item {
        Item {
            attempt: 0,
            model: model.into(),
            what,
            tokens: None,
            usd_per_million_tokens: None,
            usd: Some(usd),
        }
    }

    /// The amount; none: no known price.
    pub(crate) fn cost(&self) -> Option<SignedPicoUsd> {
        self.usd
    }
}

/// Savings. Below zero where it cost more: cache writes that were never read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// By the prompt cache: against the same tokens without it.
    pub by_prompt_cache_usd: SignedPicoUsd,
    /// By the tier: against the same tokens on the complex tier's model.
    pub by_tier_usd: SignedPicoUsd,
    /// By the response cache: against sending again.
    pub by_response_cache_usd: SignedPicoUsd,
}

impl Saved {
    fn add(self, other: Saved) -> Saved {
        Saved {
            by_prompt_cache_usd: self.by_prompt_cache_usd.saturating_add(other.by_prompt_cache_usd),
            by_tier_usd: self.by_tier_usd.saturating_add(other.by_tier_usd),
            by_response_cache_usd: self.by_response_cache_usd.saturating_add(other.by_response_cache_usd),
        }
    }
}

/// Everything that a request cost. Receipts add up: a day's receipt is the sum of its requests'.
///
/// ```
/// use claude_code_core::{Catalogue, ModelId, Receipt, Usage};
///
/// let (models, id) = (Catalogue::builtin(), ModelId::new("claude-sonnet-5-5").unwrap());
/// let usage = Usage { input_tokens: 1_000_000, ..Usage::default() };
/// let one = Receipt::of_send(models, &id, &usage, false);
/// let mut both = one.clone();
/// both.add(one.clone());
/// assert_eq!(both.total(), one.total() + one.total());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Receipt {
    /// The lines, in the order of the sends.
    pub items: Vec<Item>,
    /// The day of the price table, `YYYY-MM-DD`; empty where nothing was billed.
    pub price_table: String,
    /// What was not spent.
    pub saved: Saved,
}

impl Receipt {
    /// The receipt of one send. An unknown model gives lines without amounts, never zero ones.
    pub fn of_send(catalogue: &Catalogue, id: &ModelId, usage: &Usage, batch: bool) -> Receipt {
        Receipt::of_send_in(catalogue, id, &InferenceGeo::Unrestricted, usage, batch)
    }

    /// The receipt of one send whose inference ran in a geography; without a known price there it is unpriced.
    pub fn of_send_in(
        catalogue: &Catalogue,
        id: &ModelId,
        geo: &InferenceGeo,
        usage: &Usage,
        batch: bool,
    ) -> Receipt {
        let (items, saved) = match catalogue.rates_in(id, geo) {
            Some(rates) => (rates.bill(usage, batch), saved(catalogue, id, &rates, usage, batch)),
            None => (unpriced(id, usage), Saved::default()),
        };
        Receipt { items, price_table: catalogue.as_of().to_owned(), saved }
    }

    /// The receipt of a send whose price is not known.
    pub(crate) fn of_unpriced(catalogue: &Catalogue, id: &ModelId, usage: &Usage) -> Receipt {
        let price_table = catalogue.as_of().to_owned();
        Receipt { items: unpriced(id, usage), price_table, saved: Saved::default() }
    }

    /// The receipt of a send whose outcome is unknown: it stays charged at its ceiling.
    pub fn of_unknown(catalogue: &Catalogue, id: &ModelId, ceiling: Cost) -> Receipt {
        let item = Item {
            attempt: 0,
            model: name(catalogue, id),
            what: LineItem::UnknownOutcome,
            tokens: None,
            usd_per_million_tokens: None,
            usd: ceiling.priced().map(SignedPicoUsd::from),
        };
        Receipt { items: vec![item], price_table: catalogue.as_of().to_owned(), saved: Saved::default() }
    }

    /// The receipt of a run that ended before it wrote one: no known price, never zero.
    pub fn lost() -> Receipt {
        let item = Item::adjustment("unknown", LineItem::UnknownOutcome, SignedPicoUsd::ZERO);
        Receipt { items: vec![Item { usd: None, ..item }], ..Receipt::default() }
    }

    /// The same lines for a sample answer of the local twin: what a model would have cost stands there and is taken
    /// off again.
    pub fn as_sample(mut self) -> Receipt {
        let known = SignedPicoUsd::from(self.total().known());
        if let Some(model) = self.items.first().map(|item| item.model.clone()) {
            self.items.retain(|item| item.usd.is_some());
            self.items.push(Item::adjustment(&model, LineItem::SampleAnswer, SignedPicoUsd(-known.0)));
        }
        self.saved = Saved::default();
        self
    }

    /// The receipt of an answer from the response cache: nothing, and what the original had cost as saved.
    pub fn of_cache_hit(original: &Receipt) -> Receipt {
        let saved = Saved { by_response_cache_usd: original.total().known().into(), ..Saved::default() };
        Receipt { items: Vec::new(), price_table: original.price_table.clone(), saved }
    }

    /// The sum of the lines.
    pub fn total(&self) -> Cost {
        self.items.iter().map(Item::cost).fold(Sum::default(), Sum::add).cost()
    }

    /// The sum of the lines of one send.
    pub fn cost_of(&self, attempt: u32) -> Cost {
        self.items
            .iter()
            .filter(|i| i.attempt == attempt)
            .map(Item::cost)
            .fold(Sum::default(), Sum::add)
            .cost()
    }

    /// Adds the receipt of one send as this request's send `attempt`, from 0.
    pub fn push_send(&mut self, attempt: u32, mut send: Receipt) {
        send.items.iter_mut().for_each(|item| item.attempt = attempt);
        self.add(send);
    }

    /// Adds another receipt. Two price tables are both named.
    pub fn add(&mut self, other: Receipt) {
        self.items.extend(other.items);
        self.saved = self.saved.add(other.saved);
        let known = self.price_table.split(", ").any(|table| table == other.price_table);
        if self.price_table.is_empty() {
            self.price_table = other.price_table;
        } else if !known && !other.price_table.is_empty() {
            self.price_table = format!("{}, {}", self.price_table, other.price_table);
        }
    }

    /// The same receipt with one line for each model, purpose and price: for sums over many requests.
    pub fn merged(&self) -> Receipt {
        let mut items: Vec<Item> = Vec::new();
        for item in &self.items {
            let same = items.iter_mut().find(|i| {
                i.model == item.model
                    && i.what == item.what
                    && i.usd_per_million_tokens == item.usd_per_million_tokens
                    && i.usd.is_some() == item.usd.is_some()
            });
            match same {
                Some(line) => {
                    line.tokens = line.tokens.map(|t| t.saturating_add(item.tokens.unwrap_or(0)));
                    line.usd = line.usd.zip(item.usd).map(|(a, b)| a.saturating_add(b));
                }
                None => items.push(Item { attempt: 0, ..item.clone() }),
            }
        }
        Receipt { items, ..self.clone() }
    }
}

impl Extend<Receipt> for Receipt {
    fn extend<I: IntoIterator<Item = Receipt>>(&mut self, receipts: I) {
        receipts.into_iter().for_each(|receipt| self.add(receipt));
    }
}

impl std::iter::Sum for Receipt {
    fn sum<I: Iterator<Item = Receipt>>(receipts: I) -> Receipt {
        let mut sum = Receipt::default();
        sum.extend(receipts);
        sum
    }
}

/// The lines of a model without prices. Even a send without any known token gives one: it was not free.
fn unpriced(id: &ModelId, usage: &Usage) -> Vec<Item> {
    let line = |(what, tokens)| Item {
        attempt: 0,
        model: id.to_string(),
        what,
        tokens: Some(tokens),
        usd_per_million_tokens: None,
        usd: None,
    };
    let items: Vec<Item> = lines(usage).into_iter().filter(|(_, tokens)| *tokens > 0).map(line).collect();
    if items.is_empty() { vec![line((LineItem::Output, 0))] } else { items }
}

/// What the prompt cache and the tier saved on one send.
fn saved(catalogue: &Catalogue, id: &ModelId, rates: &Rates, usage: &Usage, batch: bool) -> Saved {
    let class = PriceClass::of(id);
    let paid = rates.cost(usage, batch);
    let against = |cost: Option<Cost>| match (cost.and_then(Cost::priced), paid.priced()) {
        (Some(other), Some(paid)) => SignedPicoUsd(i128::from(other.0) - i128::from(paid.0)),
        _ => SignedPicoUsd::ZERO,
    };
    let strongest = catalogue.for_tier(Tier::Complex);
    let cheaper = catalogue.find(id).is_some_and(|card| catalogue.tier_of(card) < Tier::Complex);
    let tier = cheaper.then(|| strongest.rates(class)).flatten().map(|rates| rates.cost(usage, batch));
    Saved {
        by_prompt_cache_usd: against(Some(rates.cost(&usage.uncached(), batch))),
        by_tier_usd: against(tier),
        by_response_cache_usd: SignedPicoUsd::ZERO,
    }
}

/// The bare name of a known model, else the id.
fn name(catalogue: &Catalogue, id: &ModelId) -> String {
    catalogue.find(id).map_or_else(|| id.to_string(), |card| card.base().to_owned())
}

/// The keys in JSON: the totals stand first and are computed, never read.
#[derive(Serialize, Deserialize)]
struct Wire {
    #[serde(skip_deserializing)]
    total_usd: Option<PicoUsd>,
    #[serde(skip_deserializing)]
    priced: bool,
    /// What is known of an unpriced total.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    known_usd: Option<PicoUsd>,
    items: Vec<Item>,
    price_table: String,
    #[serde(default, skip_serializing_if = "nothing")]
    saved: Saved,
}

fn nothing(saved: &Saved) -> bool {
    *saved == Saved::default()
}

impl From<Wire> for Receipt {
    fn from(wire: Wire) -> Self {
        Receipt { items: wire.items, price_table: wire.price_table, saved: wire.saved }
    }
}

impl From<Receipt> for Wire {
    fn from(receipt: Receipt) -> Self {
        let total = receipt.total();
        Wire {
            total_usd: total.priced(),
            priced: total.is_priced(),
            known_usd: (!total.is_priced()).then(|| total.known()),
            items: receipt.items,
            price_table: receipt.price_table,
            saved: receipt.saved,
        }
    }
}
