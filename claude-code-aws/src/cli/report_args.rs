//! Arguments of the reports: `check`, `iam`, `usage`.

use std::path::PathBuf;

use clap::Args;

/// What `usage` shows.
#[derive(Args, Debug)]
pub(super) struct UsageArgs {
    /// Number of days, today included
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=40))]
    pub(super) days: u32,
    /// day, model, tier or scope (your own and everybody's)
    #[arg(long, value_name = "WHAT", default_value = "day")]
    pub(super) by: String,
}

#[derive(Args, Debug)]
pub(super) struct IamArgs {
    /// haiku, sonnet, opus, or model ids; omitted: all that the tiers use
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    pub(super) models: Vec<String>,
    /// The results bucket, and after a comma the service creator's; omitted: those of the settings
    #[arg(long, value_name = "BUCKETS", value_delimiter = ',')]
    pub(super) buckets: Vec<String>,
    /// The account's id
    #[arg(long, value_name = "ID", default_value = "ACCOUNT")]
    pub(super) account: String,
    /// The region that requests are sent from
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(super) region: String,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Files, and folders with all that is below them
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Each file by itself: nothing is said about what is between them
    #[arg(long)]
    pub(super) alone: bool,
    /// A SARIF 2.1.0 log on stdout
    #[arg(long, conflicts_with = "json")]
    pub(super) sarif: bool,
}
