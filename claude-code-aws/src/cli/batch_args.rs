//! Arguments of `batch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use claude_code_core::PicoUsd;

use crate::batch::Lane;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct BatchArgs {
    #[command(subcommand)]
    pub(super) action: Option<BatchAction>,
    #[command(flatten)]
    pub(super) run: RunBatchArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum BatchAction {
    /// How far a batch is
    Status {
        /// The batch's id, as `batch` prints it at the end
        id: String,
    },
    /// End a batch and its batch jobs; what was answered is kept
    Stop {
        /// The batch's id
        id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct RunBatchArgs {
    /// The file of prompts: each line is {"prompt": "…"} with the options of POST /generate and an `id`, or a string
    #[arg(value_name = "PROMPTS")]
    pub(super) prompts: Option<PathBuf>,
    /// The file of results: a line {"line", "id", "result" or "error"} for each line of the input
    #[arg(long, value_name = "RESULTS")]
    pub(super) out: Option<PathBuf>,
    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) concurrency: u16,
    /// Go on where an earlier run ended: what it answered is not sent again
    #[arg(long)]
    pub(super) resume: bool,
    /// Results as they come, instead of in the order of the prompts
    #[arg(long)]
    pub(super) as_completed: bool,
    /// How requests are sent
    #[arg(long, default_value = "auto")]
    pub(super) lane: Lane,
    /// Be done by then, such as 90m or 24h: from an hour on requests may go in batch jobs, which are stopped in time for
    /// the rest to be sent on demand; --resume goes on
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub(super) deadline: Option<Duration>,
    /// The most that the whole batch may cost, in dollars
    #[arg(long, value_name = "X")]
    pub(super) max_usd: Option<PicoUsd>,
    /// The quota of each model in tokens a minute: requests are sent so that nothing is throttled
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) tpm: Option<u64>,
    /// Models, lanes with their reasons, and the most that it can cost; sends nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The JSON schema of a line of the prompts, or with =results of the results
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "prompts")]
    pub(super) schema: Option<FileSchema>,
}

/// Which of a batch's two files.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum FileSchema {
    Prompts,
    Results,
}

/// `90s`, `30m`, `24h`, or seconds.
fn span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: it takes a number of s, m or h, such as 90m or 24h");
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, text.chars().last()),
        None => (text, None),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        Some('m') => number.checked_mul(60),
        Some('h') => number.checked_mul(3_600),
        _ => Some(number),
    };
    seconds
        .filter(|seconds| *seconds > 0 && *seconds <= 30 * 86_400)
        .map(Duration::from_secs)
        .ok_or_else(wrong)
}
