//! Options that every application has.

use std::path::PathBuf;

use clap::Args;
use claude_code_aws::PicoUsd;

/// Who answers, where files go, and what it may cost.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Directory for the files: it gets all of them or none
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Use the local twin with the sample answers of this application; needs no AWS account
    #[arg(long)]
    pub offline: bool,
    /// With --offline: who answers instead of the samples, a script (JSON) or a directory of sample answers (Markdown)
    #[arg(long, value_name = "PATH", requires = "offline")]
    pub answers: Option<PathBuf>,
    /// Ask a server of the HTTP API at this URL; CLAUDE_CODE_AWS_SERVE_TOKEN is the key. Checks run here all the same
    #[arg(long, value_name = "URL", conflicts_with = "offline")]
    pub endpoint: Option<String>,
    /// haiku, sonnet, opus, or a model id, which is sent unchanged
    #[arg(short, long)]
    pub model: Option<String>,
    /// The most that all stages together may cost, in dollars
    #[arg(long, value_name = "USD")]
    pub budget: Option<PicoUsd>,
    /// Accept the plan and the diff without a question
    #[arg(short, long)]
    pub yes: bool,
    /// Run checks without a sandbox: with all that you can read and reach
    #[arg(long)]
    pub check_unsafe: bool,
}
