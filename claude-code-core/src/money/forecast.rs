//! Monthly cost forecast on AWS: the model, and everything around it.
//!
//! List prices of us-east-1 as of 2026-11, without the free tiers; whoever has an agreement pays less.

use serde::Serialize;

use crate::model::ModelId;
use crate::model::catalogue::Catalogue;
use crate::money::price::{Cost, PicoUsd};
use crate::money::usage::Usage;

/// Lambda on arm64: a request ($0.20 a million), and a gigabyte of memory for a second.
const LAMBDA_REQUEST: u128 = 200_000;
const LAMBDA_GB_SECOND: u128 = 13_333_400;
/// An HTTP API's request: $1.00 a million.
const API_REQUEST: u128 = 1_000_000;
/// DynamoDB on demand: a write unit ($0.625 a million), a read unit ($0.125), a gigabyte for a month ($0.25).
const WRITE_UNIT: u128 = 625_000;
const READ_UNIT: u128 = 125_000;
const TABLE_GB_MONTH: u128 = 250_000_000_000;
/// S3 Standard: a gigabyte for a month ($0.023), and a PUT ($0.005 a thousand).
const BUCKET_GB_MONTH: u128 = 23_000_000_000;
const PUT: u128 = 5_000_000;
/// Bytes of a gigabyte as it is priced here.
const GB: u128 = 1_000_000_000;

/// Monthly load of a forecast. The defaults are the service creator's: a conversation of seven questions, then six
/// files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Load {
    /// Generations a month.
    pub generations: u64,
    /// Tokens of one prompt.
    pub input_tokens: u64,
    /// Tokens of one answer.
    pub output_tokens: u64,
    /// HTTP requests that belong to one generation: start, seven messages, generate.
    pub requests: u64,
    /// Milliseconds that Lambda runs for one generation, nearly all of them waiting for the model.
    pub milliseconds: u64,
    /// Megabytes of memory that Lambda has.
    pub memory_mb: u64,
    /// DynamoDB write units of one generation: conversation, lease, budget, row.
    pub write_units: u64,
    /// DynamoDB read units of one generation.
    pub read_units: u64,
    /// Bytes that one generation adds to DynamoDB.
    pub row_bytes: u64,
    /// Objects that one generation puts into S3: files, manifest, prompt.
    pub objects: u64,
    /// Bytes that one generation adds to S3.
    pub object_bytes: u64,
}

impl Default for Load {
    fn default() -> Self {
        Load {
            generations: 1_000,
            input_tokens: 2_000,
            output_tokens: 8_000,
            requests: 9,
            milliseconds: 100_000,
            memory_mb: 256,
            write_units: 20,
            read_units: 20,
            row_bytes: 100_000,
            objects: 8,
            object_bytes: 10_000_000,
        }
    }
}

/// One line of a month's bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// What it is for.
    pub what: String,
    /// The amount.
    pub usd: Cost,
    /// How it comes about.
    pub how: String,
}

/// A month's bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Bill {
    /// The model, as it would be sent.
    pub model: String,
    /// What the month consists of.
    pub load: Load,
    /// The lines; they sum to the total.
    pub lines: Vec<Line>,
    /// The sum.
    #[serde(rename = "total_usd")]
    pub total: Cost,
    /// What the figures rest on, a sentence each.
    pub assumptions: Vec<String>,
    /// The day of the model prices, `YYYY-MM-DD`.
    pub price_table: String,
}

/// The bill of a month like this with one model. A model without a known price leaves the total unpriced.
pub fn monthly(load: &Load, model: &ModelId, catalogue: &Catalogue) -> Bill {
    let lines = vec![
        of_model(load, model, catalogue),
        lambda(load),
        line("API Gateway", n(load.generations) * n(load.requests) * API_REQUEST, {
            format!("{} HTTP API requests", grouped(n(load.generations) * n(load.requests)))
        }),
        dynamodb(load),
        s3(load),
    ];
    Bill {
        model: model.to_string(),
        load: *load,
        total: lines.iter().map(|line| line.usd).sum(),
        lines,
        assumptions: assumptions(load),
        price_table: catalogue.as_of().to_owned(),
    }
}

fn of_model(load: &Load, model: &ModelId, catalogue: &Catalogue) -> Line {
    let usage = Usage::new(load.input_tokens, load.output_tokens);
    let one = catalogue.rates(model).map_or(Cost::UNPRICED, |rates| rates.cost(&usage, false));
    let usd = match one {
        Cost::Priced(one) => Cost::Priced(held(n(one.0) * n(load.generations))),
        unpriced => unpriced,
    };
    let name = catalogue.find(model).map_or_else(|| model.to_string(), |card| card.name.to_owned());
    let [times, input, output] =
        [load.generations, load.input_tokens, load.output_tokens].map(|count| grouped(n(count)));
    let how = format!("{times} times {input} tokens in and {output} out");
    Line { what: name, usd, how }
}

fn lambda(load: &Load) -> Line {
    let requests = n(load.generations) * n(load.requests);
    // Megabytes and milliseconds: a gigabyte has 1,024 of the one, a second 1,000 of the other.
    let time = n(load.generations) * n(load.milliseconds) * n(load.memory_mb);
    let pico = requests * LAMBDA_REQUEST + (time * LAMBDA_GB_SECOND).div_ceil(1_024 * 1_000);
    let how = format!(
        "{} requests, {} GB-seconds on arm64",
        grouped(requests),
        grouped(time.div_ceil(1_024 * 1_000))
    );
    line("Lambda", pico, how)
}

fn dynamodb(load: &Load) -> Line {
    let times = n(load.generations);
    let (writes, reads) = (times * n(load.write_units), times * n(load.read_units));
    let bytes = times * n(load.row_bytes);
    let pico = writes * WRITE_UNIT + reads * READ_UNIT + (bytes * TABLE_GB_MONTH).div_ceil(GB);
    line("DynamoDB", pico, format!("{} writes, {} reads, {}", grouped(writes), grouped(reads), size(bytes)))
}

fn s3(load: &Load) -> Line {
    let (puts, bytes) = (n(load.generations) * n(load.objects), n(load.generations) * n(load.object_bytes));
    let pico = puts * PUT + (bytes * BUCKET_GB_MONTH).div_ceil(GB);
    line("S3", pico, format!("{} objects, {}", grouped(puts), size(bytes)))
}

fn line(what: &str, pico: u128, how: String) -> Line {
    Line { what: what.to_owned(), usd: Cost::Priced(held(pico)), how }
}

fn assumptions(load: &Load) -> Vec<String> {
    vec![
        "list prices of us-east-1, no free tier, one month's data stored".to_owned(),
        format!(
            "{} requests and {} s of {} MB Lambda each",
            load.requests,
            load.milliseconds / 1_000,
            load.memory_mb
        ),
        format!("{} of rows and {} of files each", size(n(load.row_bytes)), size(n(load.object_bytes))),
        "one send each: no repair, no prompt cache, no cache hit; the receipts say what it really was"
            .to_owned(),
    ]
}

/// `12,000`.
fn grouped(count: u128) -> String {
    let digits = count.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

/// In the largest unit that leaves a whole number of at least 1, rounded up.
fn size(bytes: u128) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let unit = units.into_iter().find(|(unit, _)| bytes >= *unit).unwrap_or((1_000, "kB"));
    format!("{} {}", grouped(bytes.div_ceil(unit.0)), unit.1)
}

fn n(count: u64) -> u128 {
    u128::from(count)
}

fn held(pico: u128) -> PicoUsd {
    PicoUsd(u64::try_from(pico).unwrap_or(u64::MAX))
}
