//! Rates: prices of one model in one region, and the cost of a usage.

use serde::{Deserialize, Serialize};

use crate::model::{ModelId, ProfileScope};
use crate::money::price::{Cost, PicoUsd, SignedPicoUsd};
use crate::money::receipt::{Item, LineItem};
use crate::money::usage::Usage;

/// Tokens in the unit of price lists.
const PER_MILLION: u64 = 1_000_000;

/// Batch jobs cost half (AWS batch inference page; for models after Sonnet 4.5 Bedrock's own list is silent).
const BATCH_DIVISOR: i128 = 2;

/// The price of one token in whole pico-dollars. Every listed price is one: a dollar per million tokens is a
/// million pico-dollars per token. JSON: dollars per million tokens as a decimal string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(u64);

impl Rate {
    /// Dollars per million tokens.
    pub fn per_million(self) -> PicoUsd {
        PicoUsd(self.0.saturating_mul(PER_MILLION))
    }

    /// What that many tokens cost.
    fn times(self, tokens: u64) -> i128 {
        i128::from(self.0) * i128::from(tokens)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let million = PicoUsd::deserialize(deserializer)?;
        if !million.0.is_multiple_of(PER_MILLION) {
            return Err(serde::de::Error::custom("a price is not whole pico-dollars per token"));
        }
        Ok(Rate(million.0 / PER_MILLION))
    }
}

/// Prices per kind of token.
#[derive(Clone, Debug, Deserialize)]
struct Card {
    input: Rate,
    output: Rate,
    cache_read: Rate,
    cache_write_5m: Rate,
    /// None where the model has no one-hour cache.
    cache_write_1h: Option<Rate>,
}

/// Prices for prompts of usual length, and where there is a step, those above it.
#[derive(Clone, Debug, Deserialize)]
struct Scheme {
    #[serde(flatten)]
    usual: Card,
    long_prompt: Option<LongPrompt>,
}

/// A prompt of more tokens than `above` is billed at these prices from its first token on.
#[derive(Clone, Debug, Deserialize)]
struct LongPrompt {
    above: u64,
    #[serde(flatten)]
    card: Card,
}

/// A model's prices by where the request is processed.
#[derive(Clone, Debug, Deserialize)]
pub struct PriceList {
    global: Option<Scheme>,
    regional: Option<Scheme>,
    us_gov: Option<Scheme>,
}

impl PriceList {
    fn get(&self, class: PriceClass) -> Option<&Scheme> {
        match class {
            PriceClass::Global => self.global.as_ref(),
            PriceClass::Regional => self.regional.as_ref(),
            PriceClass::UsGov => self.us_gov.as_ref(),
        }
    }
}

/// Which of a model's price lists applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PriceClass {
    /// The global profile, and the Anthropic API.
    Global,
    /// A geographic profile, or a single region.
    Regional,
    /// AWS GovCloud (US).
    UsGov,
}

impl PriceClass {
    /// How an id is billed. An id that says nothing of its place is billed as regional, the dearer of the two.
    pub fn of(id: &ModelId) -> PriceClass {
        match id.scope() {
            Some(scope) => PriceClass::of_scope(scope),
            None if id.is_anthropic_api() => PriceClass::Global,
            None if id.is_gov_partition() => PriceClass::UsGov,
            None => PriceClass::Regional,
        }
    }

    /// How a profile is billed.
    pub fn of_scope(scope: ProfileScope) -> PriceClass {
        match scope {
            ProfileScope::Global => PriceClass::Global,
            ProfileScope::UsGov => PriceClass::UsGov,
            _ => PriceClass::Regional,
        }
    }
}

/// The prices by which one send is billed.
#[derive(Clone, Debug)]
pub struct Rates {
    model: &'static str,
    /// The global prices, which the lines of a receipt start from; the scheme itself where there are none.
    list: Scheme,
    scheme: Scheme,
}

impl Rates {
    /// The prices of a class. None where the model has none.
    pub(crate) fn new(model: &'static str, prices: &PriceList, class: PriceClass) -> Option<Rates> {
        let scheme = prices.get(class)?.clone();
        let list = prices.global.clone().unwrap_or_else(|| scheme.clone());
        Some(Rates { model, list, scheme })
    }

    /// Whether an input token costs more than at the global price.
    pub(crate) fn has_uplift(&self) -> bool {
        self.scheme.usual.input > self.list.usual.input
    }

    /// The model's bare name.
    pub fn model(&self) -> &'static str {
        self.model
    }

    /// The lines of one send. Tokens stand at the global list price; what a long prompt, a geographic profile and a
    /// batch job change stands in lines of its own, so that the lines sum to the cost exactly.
    pub fn bill(&self, usage: &Usage, batch: bool) -> Vec<Item> {
        let mut items: Vec<Item> = lines(usage)
            .into_iter()
            .filter(|(_, tokens)| *tokens > 0)
            .map(|(what, tokens)| {
                let rate = self.list.usual.rate(what);
                Item::tokens(self.model, what, tokens, rate)
            })
            .collect();
        let usual = self.list.usual.total(usage);
        let listed = self.list.card_for(usage).total(usage);
        let own = self.scheme.card_for(usage).total(usage);
        let mut adjust = |what, amount: i128| {
            if amount != 0 {
                items.push(Item::adjustment(self.model, what, SignedPicoUsd(amount)));
            }
        };
        adjust(LineItem::LongPrompt, listed - usual);
        adjust(LineItem::ProfileUplift, own - listed);
        if batch {
            adjust(LineItem::BatchDiscount, -(own / BATCH_DIVISOR));
        }
        items
    }

    /// What a usage costs. Unpriced only for one-hour cache writes of a model without them.
    pub fn cost(&self, usage: &Usage, batch: bool) -> Cost {
        self.bill(usage, batch).iter().map(Item::cost).fold(Sum::default(), Sum::add).cost()
    }

    /// The most that one send can cost: every prompt token at the dearest of the input and cache-write prices, and
    /// an answer of `max_tokens`, thinking included. As good as the estimate of the prompt, so pass an upper one.
    pub fn ceiling(&self, prompt_tokens: u64, max_tokens: u64) -> PicoUsd {
        let usage = Usage::new(prompt_tokens, max_tokens);
        let card = self.scheme.card_for(&usage);
        let prompt = card.input.max(card.cache_write_5m).max(card.cache_write_1h.unwrap_or(card.input));
        PicoUsd::clamped(prompt.times(prompt_tokens) + card.output.times(max_tokens))
    }
}

/// The worst case of one send, `Unpriced` where there are no prices.
pub fn ceiling(rates: Option<&Rates>, prompt_tokens: u64, max_tokens: u64) -> Cost {
    rates.map_or(Cost::UNPRICED, |rates| Cost::Priced(rates.ceiling(prompt_tokens, max_tokens)))
}

/// A usage line by line.
pub(crate) fn lines(usage: &Usage) -> [(LineItem, u64); 5] {
    [
        (LineItem::Input, usage.input_tokens),
        (LineItem::Output, usage.output_tokens),
        (LineItem::CacheRead, usage.cache_read_input_tokens),
        (LineItem::CacheWrite5m, usage.cache_creation_5m_input_tokens),
        (LineItem::CacheWrite1h, usage.cache_creation_1h_input_tokens),
    ]
}

impl Scheme {
    /// The prices for a prompt of this length.
    fn card_for(&self, usage: &Usage) -> &Card {
        match &self.long_prompt {
            Some(long) if usage.prompt_tokens() > long.above => &long.card,
            _ => &self.usual,
        }
    }
}

impl Card {
    fn rate(&self, what: LineItem) -> Option<Rate> {
        match what {
            LineItem::Input => Some(self.input),
            LineItem::Output => Some(self.output),
            LineItem::CacheRead => Some(self.cache_read),
            LineItem::CacheWrite5m => Some(self.cache_write_5m),
            LineItem::CacheWrite1h => self.cache_write_1h,
            _ => None,
        }
    }

    /// The sum of the lines that have a price.
    fn total(&self, usage: &Usage) -> i128 {
        lines(usage).into_iter().filter_map(|(what, tokens)| Some(self.rate(what)?.times(tokens))).sum()
    }
}

impl Item {
    fn tokens(model: &str, what: LineItem, tokens: u64, rate: Option<Rate>) -> Item {
        Item {
            attempt: 0,
            model: model.into(),
            what,
            tokens: Some(tokens),
            usd_per_million_tokens: rate.map(Rate::per_million),
            usd: rate.map(|rate| SignedPicoUsd(rate.times(tokens))),
        }
    }
}

/// A running sum of lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    known: SignedPicoUsd,
    unpriced: bool,
}

impl Sum {
    /// With one line more; none: a line without a price.
    pub(crate) fn add(self, line: Option<SignedPicoUsd>) -> Sum {
        Sum {
            known: self.known.saturating_add(line.unwrap_or(SignedPicoUsd::ZERO)),
            unpriced: self.unpriced || line.is_none(),
        }
    }

    /// The sum as a cost.
    pub(crate) fn cost(self) -> Cost {
        let known = PicoUsd::clamped(self.known.0);
        if self.unpriced { Cost::Unpriced { known } } else { Cost::Priced(known) }
    }
}
