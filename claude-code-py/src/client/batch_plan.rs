//! How a batch is run: its journal, its cap, its quota, its lane and its deadline.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::batch::plan::Wish;
use claude_code_aws::batch::{self, BatchOptions, Lane, Options, Scheduler};
use claude_code_aws::files::batch_journal::{Entry, Journal};
use claude_code_aws::request::GenerateRequest;
use claude_code_aws::{BatchItem, Client, Error, PicoUsd, Result};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use pyo3::prelude::*;

use crate::client::shared::Shared;
use crate::convert::error::raise;
use crate::convert::money;

/// What the caller asked for.
pub(crate) struct BatchPlan {
    journal: Option<PathBuf>,
    max_usd: Option<PicoUsd>,
    tokens_per_minute: Option<u64>,
    wish: Wish,
}

impl BatchPlan {
    /// Reads the arguments of `batch`.
    pub(crate) fn read(
        py: Python<'_>,
        journal: Option<PathBuf>,
        max_usd: Option<&Bound<'_, PyAny>>,
        tokens_per_minute: Option<u64>,
        lane: &str,
        deadline: Option<f64>,
    ) -> PyResult<Self> {
        let invalid = |message: String| raise(py, Error::invalid(message));
        let lane = match lane {
            "auto" => Lane::Auto,
            "on-demand" => Lane::OnDemand,
            "bedrock-batch" => Lane::BedrockBatch,
            other => {
                let takes = "it takes \"auto\", \"on-demand\" or \"bedrock-batch\"";
                return Err(invalid(format!("lane {other:?}: {takes}")));
            }
        };
        let deadline = deadline
            .map(|seconds| {
                Duration::try_from_secs_f64(seconds)
                    .ok()
                    .filter(|time| !time.is_zero())
                    .ok_or_else(|| invalid(format!("deadline {seconds} is not a number of seconds above 0")))
            })
            .transpose()?;
        if tokens_per_minute == Some(0) {
            return Err(invalid("tokens_per_minute 0 is not a number from 1 on".to_owned()));
        }
        let wish = Wish { lane, deadline, no_jobs: None };
        if wish.wants_jobs() && journal.is_none() {
            return Err(invalid(
                "batch jobs need a journal, so that a job that was paid for is found again: give journal="
                    .to_owned(),
            ));
        }
        let max_usd = max_usd.map(|usd| money::from_python("max_usd", usd)).transpose()?;
        Ok(BatchPlan { journal, max_usd, tokens_per_minute, wish })
    }

    /// Opens the journal and looks for the engine of jobs, if any are wanted or under way.
    pub(crate) async fn open(&self, client: &Arc<Shared>, concurrency: usize) -> Result<Opened> {
        let journal = self.journal.as_deref().map(Journal::open).transpose()?;
        let batch = BatchOptions::new(concurrency)
            .with_max_usd(self.max_usd)
            .with_tokens_per_minute(self.tokens_per_minute);
        let has_jobs = journal.as_ref().is_some_and(|journal| !journal.jobs().is_empty());
        let lane = match self.wish.wants_jobs() || has_jobs {
            true => client.batch_lane().await?,
            false => Err("nobody asked for jobs".to_owned()),
        };
        Ok(Opened { journal, options: Options::new(batch).with_lane(self.wish.clone(), lane) })
    }
}

/// A batch that can begin.
pub(crate) struct Opened {
    journal: Option<Journal>,
    options: Options,
}

impl Opened {
    /// The answers to these requests.
    pub(crate) async fn start(
        self,
        client: &Client,
        requests: Vec<GenerateRequest>,
    ) -> Result<BoxStream<'static, Entry>> {
        let Opened { journal, options } = self;
        if let Some(journal) = journal {
            let requests: Arc<[GenerateRequest]> = requests.into();
            let again: batch::Requests = Arc::new(move || {
                let (requests, mut next) = (requests.clone(), 0);
                Ok(Box::new(std::iter::from_fn(move || {
                    next += 1;
                    requests.get(next - 1).cloned()
                })) as Box<dyn Iterator<Item = _> + Send>)
            });
            return batch::run(client, journal, again, options).await;
        }
        let concurrency = options.batch.concurrency;
        let scheduler = Scheduler::new(client, options.batch, PicoUsd::ZERO);
        let items = stream::iter(requests.into_iter().enumerate()).map(move |(index, request)| {
            let scheduler = scheduler.clone();
            async move {
                let result = scheduler.generate(request).await;
                Entry { item: BatchItem { index, result }, resumed: false }
            }
        });
        Ok(items.buffer_unordered(concurrency).boxed())
    }
}
