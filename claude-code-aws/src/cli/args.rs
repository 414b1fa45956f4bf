//! What the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use claude_code_core::model::capability::{Effort, Think};
use claude_code_core::{CacheMode, PicoUsd, Tier};

/// Generate code with Claude on AWS: accepted files, with a receipt. (Not the Claude Code CLI.)
#[derive(Debug, Parser)]
#[command(name = "claude-code-aws", version, propagate_version = true, disable_help_subcommand = true)]
#[command(
    after_help = "Exit: 0 accepted · 1 failed · 2 usage · 3 incomplete or rejected · 4 budget · 130 interrupted"
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Accepted before and after the subcommand.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Global {
    /// Needs no AWS account: the local twin's sample answers, results in the local directory
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// One JSON value on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generate code from a prompt
    Generate(Box<GenerateArgs>),
    /// Change files as asked: prints the diff
    Refactor(RefactorArgs),
    /// Check files that exist, as answers are checked: syntax, the contract between them, dangerous constructs
    Check(CheckArgs),
    /// Stored results
    #[command(subcommand)]
    Results(ResultsCommand),
    /// The models: ids, prices, ends of life
    #[command(subcommand)]
    Models(ModelsCommand),
    /// What so many generations a month cost
    Cost(CostArgs),
    /// What is spent today; `stop` and `resume` are seen by every host within seconds
    Budget {
        /// Stop or resume all sending; none: show the figures
        action: Option<BudgetAction>,
    },
    /// Is everything there? Each line is ok or says what to do
    Doctor,
    /// The local twin of Bedrock, S3 and DynamoDB
    #[command(subcommand)]
    Twin(TwinCommand),
    /// The service creator: seven questions, six files that work together
    #[command(subcommand)]
    Service(ServiceCommand),
    /// The HTTP API and the service creator's page
    Serve(ServeArgs),
}

/// What happens to all sending.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum BudgetAction {
    /// Nothing is sent until it is resumed
    Stop,
    /// Sending goes on
    Resume,
}

#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Answer seven questions, here or a line each on stdin; the six files are stored and printed, or written with -o
    New(NewServiceArgs),
    /// Write the six files of a stored service below a directory
    Download {
        /// SERVICE/CODE, as the last line of `service new` names it
        id: String,
        /// The directory
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Replace files that exist
        #[arg(long)]
        overwrite: bool,
    },
}

#[derive(Args, Debug)]
pub(super) struct NewServiceArgs {
    /// Write the files below this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    /// Go on with a conversation that was broken off: finished files are not paid for again
    #[arg(long, value_name = "ID")]
    pub(super) resume: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Where to listen. Beyond loopback CLAUDE_CODE_AWS_SERVE_TOKEN must be set: the bearer token that callers send
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(super) addr: std::net::SocketAddr,
    /// Requests that are worked on at the same time; what comes beyond is shed with 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) concurrency: u16,
    /// With --offline, who answers: `samples`, a script of answers and faults (a JSON file), or the directory of `twin record`
    #[arg(long, value_name = "WHO", requires = "offline")]
    pub(super) answers: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct GenerateArgs {
    /// What to write, in plain words; `-` or none: from stdin
    pub(super) prompt: Option<String>,
    /// The language, such as python
    #[arg(short, long)]
    pub(super) language: Option<String>,
    /// A file that the model shall read; may be given several times
    #[arg(long = "file", value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// Standing instructions beside the prompt
    #[arg(long, value_name = "TEXT")]
    pub(super) instructions: Option<String>,
    /// Write the files below this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

#[derive(Args, Debug)]
pub(super) struct RefactorArgs {
    /// The files to change
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// What to change
    #[arg(short, long, value_name = "TEXT")]
    pub(super) instructions: String,
    /// Apply the changes to the files
    #[arg(long)]
    pub(super) write: bool,
    #[command(flatten)]
    pub(super) how: HowArgs,
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

/// How an answer is asked for.
#[derive(Args, Debug)]
pub(super) struct HowArgs {
    /// haiku, sonnet, opus, or a model id, which is sent as it is
    #[arg(short, long)]
    pub(super) model: Option<String>,
    /// simple, medium or complex
    #[arg(long)]
    pub(super) tier: Option<Tier>,
    /// How hard the model tries
    #[arg(long)]
    pub(super) effort: Option<EffortArg>,
    /// Whether it thinks before it answers; none: as it does by itself
    #[arg(long)]
    pub(super) thinking: Option<ThinkArg>,
    /// The longest single answer in tokens
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// 0 to 1, for models that take it
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(super) temperature: Option<f64>,
    /// The most that this may cost, in dollars
    #[arg(long, value_name = "X")]
    pub(super) max_usd: Option<PicoUsd>,
    /// The most sends that may be paid for
    #[arg(long, value_name = "N")]
    pub(super) max_sends: Option<u32>,
    /// use, refresh (ask anew and keep that) or off
    #[arg(long, default_value = "use")]
    pub(super) cache: CacheArg,
    /// Do not check syntax and contract of the files
    #[arg(long)]
    pub(super) no_validate: bool,
    /// Run a command over the files in a sandbox: `pytest -q`, or python, node, rust, terraform, cfn-lint for what their
    /// tools say. A code other than 0 is repaired like any error. May be given several times
    #[arg(long, value_name = "CMD")]
    pub(super) check: Vec<String>,
    /// Run the commands of --check without a sandbox: with all that you can read and reach
    #[arg(long, requires = "check")]
    pub(super) check_unsafe: bool,
    /// Do not store the result
    #[arg(long)]
    pub(super) no_store: bool,
    /// Seconds from the first send to the end
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// Tier, why, and the most that it can cost; sends nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// With --dry-run: the service counts the prompt's tokens
    #[arg(long, requires = "dry_run")]
    pub(super) count: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ThinkArg {
    On,
    Off,
}

impl From<ThinkArg> for Think {
    fn from(think: ThinkArg) -> Self {
        match think {
            ThinkArg::On => Think::On,
            ThinkArg::Off => Think::Off,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum EffortArg {
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

impl From<EffortArg> for Effort {
    fn from(effort: EffortArg) -> Self {
        match effort {
            EffortArg::Low => Effort::Low,
            EffortArg::Medium => Effort::Medium,
            EffortArg::High => Effort::High,
            EffortArg::Xhigh => Effort::Xhigh,
            EffortArg::Max => Effort::Max,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum CacheArg {
    Use,
    Refresh,
    Off,
}

impl From<CacheArg> for CacheMode {
    fn from(mode: CacheArg) -> Self {
        match mode {
            CacheArg::Use => CacheMode::Use,
            CacheArg::Refresh => CacheMode::Refresh,
            CacheArg::Off => CacheMode::Off,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum ResultsCommand {
    /// The newest first
    List {
        /// Of this language only
        #[arg(short, long)]
        language: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// One result with its files
    Show {
        /// As `results list` names it
        id: String,
    },
    /// Write the files of a result below a directory
    Download {
        /// As `results list` names it
        id: String,
        /// The directory
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Replace files that exist
        #[arg(long)]
        overwrite: bool,
    },
    /// Erase a result and its files
    Rm {
        /// As `results list` names it
        id: String,
    },
    /// Remove objects older than a day that no result points at: what a failed store left behind
    Sweep {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// Every model of the catalogue
    List,
    /// Does the chosen model, and do the tiers' models, still live?
    Check,
}

#[derive(Args, Debug)]
pub(super) struct CostArgs {
    /// Generations a month
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(super) per_month: u64,
    /// haiku, sonnet, opus, or a model id
    #[arg(short, long, default_value = "opus")]
    pub(super) model: String,
    /// Tokens of one prompt
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(super) input_tokens: u64,
    /// Tokens of one answer
    #[arg(long, value_name = "N", default_value_t = 8_000)]
    pub(super) output_tokens: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum TwinCommand {
    /// Listen on loopback and print `export` lines for any AWS or Anthropic SDK
    Up(UpArgs),
    /// As `up`, but models are asked for real: what they answer is passed on and written down. Credentials in headers are
    /// left out; in texts only keys of a known form and ARNs' accounts are removed: look before you share the files
    Record(RecordArgs),
}

#[derive(Args, Debug)]
#[command(after_long_help = crate::local::FORMAT)]
pub(super) struct UpArgs {
    /// The first of three ports; 0: free ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port: u16,
    /// Where its data is; none: the local directory
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Begin without the data of earlier runs
    #[arg(long)]
    pub(super) fresh: bool,
    /// `samples`, a script of answers and faults (a JSON file, see below), a directory that `twin record` wrote, or
    /// the URL of a model server: …/v1 and …/chat/completions are OpenAI's API, any other is the Messages API
    #[arg(long, default_value = "samples")]
    pub(super) answers: String,
    /// The model that such a server is asked for; none: the id that each request names
    #[arg(long, value_name = "NAME")]
    pub(super) answers_model: Option<String>,
    /// Refuse requests without a good signature, or with keys other than the printed ones or those of this shell
    #[arg(long)]
    pub(super) verify_signatures: bool,
    /// Tokens a minute for each model, counted as Bedrock counts them
    #[arg(long, value_name = "N")]
    pub(super) quota_tpm: Option<u64>,
}

#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// Where the exchanges are written, one file each; `twin up --answers DIR` plays them again
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// The server that answers; none: Bedrock in the region of the environment, and the Messages API at
    /// ANTHROPIC_BASE_URL
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<String>,
    /// The first of three ports; 0: free ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) port: u16,
    /// Where the data of S3 and DynamoDB is; none: the local directory
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("it takes seconds above 0".to_owned()),
    }
}
