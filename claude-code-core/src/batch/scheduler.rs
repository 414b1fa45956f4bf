//! The scheduler of a batch's on-demand requests: when each is sent, under the batch's spending cap and the model's quota.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as Turnstile;
use tokio::time::{Instant, sleep};

use super::cap::{Room, SpendingCap};
use super::quota::{Lengths, Window, burnt};
use crate::client::Client;
use crate::error::{ErrorKind, Result};
use crate::generation::Generation;
use crate::money::price::{Cost, PicoUsd};
use crate::plan::Estimate;
use crate::request::GenerateRequest;

/// How a batch is sent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BatchOptions {
    /// Requests under way at a time; 0 counts as 1.
    pub concurrency: usize,
    /// The most that the batch may cost.
    pub max_usd: Option<PicoUsd>,
    /// The quota of tokens a minute of each model, where it is known.
    pub tokens_per_minute: Option<u64>,
    /// The id that groups its results.
    pub id: Option<String>,
}

impl BatchOptions {
    /// With so many requests under way at a time.
    pub fn new(concurrency: usize) -> Self {
        BatchOptions { concurrency, ..BatchOptions::default() }
    }

    /// With a cap over the batch.
    pub fn with_max_usd(mut self, cap: Option<PicoUsd>) -> Self {
        self.max_usd = cap;
        self
    }

    /// With a quota of tokens a minute.
    pub fn with_tokens_per_minute(mut self, tokens: Option<u64>) -> Self {
        self.tokens_per_minute = tokens;
        self
    }

    /// With an id for its results.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}

/// Sends requests of one batch. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Scheduler {
    client: Client,
    options: Arc<BatchOptions>,
    cap: Option<SpendingCap>,
    quota: Arc<Quota>,
}

/// The windows of the models, and what is known about answers.
#[derive(Debug)]
struct Quota {
    began: Instant,
    per_minute: Option<u64>,
    windows: Mutex<HashMap<String, Window>>,
    lengths: Mutex<Lengths>,
    /// First come, first served: a small request does not pass a large one for ever.
    turns: Turnstile<()>,
}

impl Scheduler {
    /// A scheduler of this client's requests, of whose cap so much is spent already.
    pub fn new(client: &Client, options: BatchOptions, spent: PicoUsd) -> Self {
        let cap = options.max_usd.map(|cap| SpendingCap::new(cap, spent));
        let quota = Quota {
            began: Instant::now(),
            per_minute: options.tokens_per_minute,
            windows: Mutex::default(),
            lengths: Mutex::default(),
            turns: Turnstile::new(()),
        };
        Scheduler { client: client.clone(), options: Arc::new(options), cap, quota: Arc::new(quota) }
    }

    /// As [`Client::generate`], when its turn has come.
    pub async fn generate(&self, mut request: GenerateRequest) -> Result<Generation> {
        if request.batch_id.is_none() {
            request.batch_id.clone_from(&self.options.id);
        }
        if self.cap.is_none() && self.quota.per_minute.is_none() {
            return self.client.generate(request).await;
        }
        let mut estimate = self.client.estimate(request.clone())?;
        if request.max_tokens.is_none()
            && let Some(learned) = self.quota.learned(&estimate)
            && learned < estimate.max_tokens
        {
            request.max_tokens = Some(learned);
            estimate = self.client.estimate(request.clone())?;
        }
        let room = match &self.cap {
            Some(cap) => {
                let limit = request.max_usd.unwrap_or(self.client.policy().max_usd_per_request);
                let room = cap.reserve(estimate.worst_usd, limit).await?;
                request.max_usd = Some(room.limit());
                Some(room)
            }
            None => None,
        };
        let booking = self.quota.reserve(&estimate).await;
        let result = self.client.generate(request).await;
        self.quota.settle(&estimate, booking, &result);
        if let Some(room) = room {
            room.settle(cost(&result));
        }
        result
    }

    /// The batch's spending cap, where it has one.
    pub fn cap(&self) -> Option<&SpendingCap> {
        self.cap.as_ref()
    }

    /// Makes a result of a batch job's answer, which the request brings: resumes and repairs are sent on demand. `room` is
    /// what the job held for it; what more it may cost is taken from what is left of the cap.
    pub async fn finish(&self, mut request: GenerateRequest, room: Option<Room>) -> Result<Generation> {
        let Some(mut room) = room else { return self.client.generate(request).await };
        let share = room.limit();
        let worst = self.client.estimate(request.clone())?.worst_usd.known();
        let limit = request.max_usd.unwrap_or(self.client.policy().max_usd_per_request);
        room.extend(worst.saturating_add(worst).saturating_add(share).min(limit));
        request.max_usd = Some(room.limit());
        let result = self.client.generate(request).await;
        // An answer without a known price counts as what was held for it.
        room.settle(match cost(&result) {
            Cost::Priced(cost) => Cost::Priced(cost),
            Cost::Unpriced { known } => Cost::Priced(known.max(share)),
        });
        result
    }
}

/// What a request cost, however it ended.
fn cost(result: &Result<Generation>) -> Cost {
    match result {
        Ok(generation) => generation.receipt.total(),
        Err(error) => error.receipt().map_or(Cost::Priced(PicoUsd::ZERO), |receipt| receipt.total()),
    }
}

impl Quota {
    fn learned(&self, estimate: &Estimate) -> Option<u32> {
        let lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
        lengths.max_tokens(&estimate.language, estimate.tier)
    }

    async fn reserve(&self, estimate: &Estimate) -> u64 {
        let _turn = self.turns.lock().await;
        let tokens = estimate.input_tokens + u64::from(estimate.max_tokens);
        loop {
            match self.window(&estimate.model, |window| window.reserve(self.began.elapsed(), tokens)) {
                Ok(booking) => return booking,
                // A request that ends gives room back before its minute is over: look again soon.
                Err(wait) => sleep(wait.min(std::time::Duration::from_millis(100))).await,
            }
        }
    }

    fn settle(&self, estimate: &Estimate, booking: u64, result: &Result<Generation>) {
        let throttled = match result {
            Ok(generation) => {
                let tokens = if generation.cached.is_some() { 0 } else { burnt(&generation.usage) };
                self.window(&estimate.model, |window| window.settle(booking, tokens));
                if generation.cached.is_none() {
                    let mut lengths = self.lengths.lock().unwrap_or_else(PoisonError::into_inner);
                    lengths.note(&estimate.language, estimate.tier, generation.usage.output_tokens);
                }
                generation.attempts.iter().any(|attempt| attempt.outcome.contains("throttled"))
            }
            Err(error) => {
                let tokens = error.partial().map_or(0, |partial| burnt(&partial.usage));
                self.window(&estimate.model, |window| window.settle(booking, tokens));
                error.kind() == ErrorKind::Throttled
            }
        };
        if throttled {
            self.window(&estimate.model, Window::throttled);
        }
    }

    fn window<R>(&self, model: &str, with: impl FnOnce(&mut Window) -> R) -> R {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        with(windows.entry(model.to_owned()).or_insert_with(|| Window::new(self.per_minute)))
    }
}
