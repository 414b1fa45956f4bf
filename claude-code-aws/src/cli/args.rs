//! Command-line arguments, parsed by clap.

use std::path::PathBuf;
use std::time::Duration;

use super::batch_args::BatchArgs;
pub(super) use super::global_args::Global;
use super::report_args::{CheckArgs, IamArgs, UsageArgs};
use super::twin_args::{RecordArgs, UpArgs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use claude_code_core::model::capability::{Effort, Think};
use claude_code_core::{CacheMode, PicoUsd, Tier};

use super::examples;
use super::task_args::{RefactorArgs, RefineArgs, TaskArgs, WriteArgs};

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

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generate code from a prompt
    #[command(after_help = examples::GENERATE)]
    Generate(Box<GenerateArgs>),
    /// Change files and print the diff
    #[command(after_help = examples::REFACTOR)]
    Refactor(RefactorArgs),
    /// Change a stored result: print the diff, and store the new one
    #[command(after_help = examples::REFINE)]
    Refine(Box<RefineArgs>),
    /// Show settings and where each comes from: the environment, the configuration file, or the default
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(ConfigCommand),
    /// List the prompts that the local twin answers with --offline
    Samples,
    /// Print a completion script for a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Undo the last write: files that are still as it left them become what they were before
    Undo,
    /// Say what given files are for and how they work
    Explain(TaskArgs),
    /// Say what is wrong or risky in given files
    Review(TaskArgs),
    /// Write tests for given files
    Test(TaskArgs),
    /// Write the documentation of given files into them, and print the diff
    Document(TaskArgs),
    /// Answer many prompts from a file of JSON lines; answered ones are never sent again
    #[command(after_help = examples::BATCH)]
    Batch(Box<BatchArgs>),
    /// Check existing files as answers are checked: syntax, the contract between them, dangerous constructs
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Manage stored results
    #[command(subcommand, after_help = examples::RESULTS)]
    Results(ResultsCommand),
    /// List models with ids, prices and end-of-life dates, or check them
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Estimate monthly cost
    Cost(CostArgs),
    /// Print the least IAM policy for models and buckets as JSON: what the deployed function has
    Iam(IamArgs),
    /// Show today's spending; `stop` and `resume` are the kill switch of all hosts, within seconds
    Budget {
        /// Stop or resume all sending; omitted: show the figures
        action: Option<BudgetAction>,
    },
    /// Show spend, success, response times and savings of the last days
    Usage(UsageArgs),
    /// Check credentials, region, models, storage and caps; each line is ok or says what to do
    Doctor {
        /// Check also what batch jobs need: role, bucket, permissions
        #[arg(long)]
        batch: bool,
    },
    /// Run the local twin of Bedrock, S3 and DynamoDB
    #[command(subcommand, after_help = examples::TWIN)]
    Twin(TwinCommand),
    /// Create a service: seven questions, six files that work together
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Serve the HTTP API and the service creator's page
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
}

/// Kill switch action.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum BudgetAction {
    /// Stop all sending until it is resumed
    Stop,
    /// Resume sending
    Resume,
}

#[derive(Debug, Subcommand)]
pub(super) enum ServiceCommand {
    /// Answer seven questions, at the terminal or one line each on stdin; the six files are stored and printed, or written with -o
    New(NewServiceArgs),
    /// Write the six files of a stored service into a directory
    Download {
        /// SERVICE/CODE, from the last line of `service new`
        id: String,
        /// Target directory
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Replace existing files
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        to_write: WriteArgs,
    },
}

#[derive(Args, Debug)]
pub(super) struct NewServiceArgs {
    /// Write the files into this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) to_write: WriteArgs,
    /// Questions, files and checks of a service of your own, in a TOML file; examples/profiles has one to begin from
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(super) profile: Option<PathBuf>,
    /// Agree once to the checks that the profile asks for; they run in a sandbox
    #[arg(long, requires = "profile")]
    pub(super) allow_checks: bool,
    /// Continue an interrupted conversation; finished files are not paid for again
    #[arg(long, value_name = "ID")]
    pub(super) resume: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Address to listen on, such as localhost:8080. Beyond loopback CLAUDE_CODE_AWS_SERVE_TOKEN must be set: the bearer token
    /// that callers send
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(super) addr: String,
    /// On loopback, ask nobody for a token: every process and every user of this machine may call
    #[arg(long)]
    pub(super) no_token: bool,
    /// Concurrency limit; further requests are refused with 429
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) concurrency: u16,
}

#[derive(Args, Debug)]
pub(super) struct GenerateArgs {
    /// The prompt; `-` or omitted: read it from stdin
    pub(super) prompt: Option<String>,
    /// Programming language, such as python
    #[arg(short, long)]
    pub(super) language: Option<String>,
    /// A file for the model to read; may be repeated
    #[arg(long = "file", value_name = "PATH")]
    pub(super) files: Vec<PathBuf>,
    /// Standing instructions in addition to the prompt
    #[arg(long, value_name = "TEXT")]
    pub(super) instructions: Option<String>,
    /// Write the files into this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) to_write: WriteArgs,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// Request options that generate and refactor share.
#[derive(Args, Debug)]
pub(super) struct HowArgs {
    /// haiku, sonnet, opus, or a model id, which is sent unchanged
    #[arg(short, long)]
    pub(super) model: Option<String>,
    /// Model tier: simple, medium or complex
    #[arg(long)]
    pub(super) tier: Option<Tier>,
    /// Reasoning effort
    #[arg(long)]
    pub(super) effort: Option<EffortArg>,
    /// Turn thinking on or off; omitted: the model's default
    #[arg(long)]
    pub(super) thinking: Option<ThinkArg>,
    /// Maximum tokens of a single answer
    #[arg(long, value_name = "N")]
    pub(super) max_tokens: Option<u32>,
    /// Sampling temperature, 0 to 1, for models that accept it
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub(super) temperature: Option<f64>,
    /// Maximum cost in dollars
    #[arg(long, value_name = "X")]
    pub(super) max_usd: Option<PicoUsd>,
    /// Maximum number of attempts that may be billed
    #[arg(long, value_name = "N")]
    pub(super) max_sends: Option<u32>,
    /// Response cache: use, refresh (ask again and replace the entry) or off
    #[arg(long, default_value = "use")]
    pub(super) cache: CacheArg,
    /// Skip the checks of syntax and of the contract between files
    #[arg(long)]
    pub(super) no_validate: bool,
    /// Run a command over the files in a sandbox: `pytest -q`, or python, node, rust, terraform, cfn-lint for what their
    /// tools say. A code other than 0 is repaired like any error. May be given several times
    #[arg(long, value_name = "CMD")]
    pub(super) check: Vec<String>,
    /// Run the commands of --check without a sandbox: with all that you can read and reach
    #[arg(long)]
    pub(super) check_unsafe: bool,
    /// Agree once to the checks that claude-code-aws.toml in this directory asks for; they run like those of --check
    #[arg(long)]
    pub(super) allow_checks: bool,
    /// Do not store the result
    #[arg(long)]
    pub(super) no_store: bool,
    /// Timeout in seconds, from the first attempt to the end
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(super) timeout: Option<Duration>,
    /// Print tier, reason and worst-case cost; send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// With --dry-run: let the service count the prompt's tokens
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
    /// List results, newest first
    List {
        /// Only results in this language
        #[arg(short, long)]
        language: Option<String>,
        /// Only results of this batch, by the id that `batch` prints
        #[arg(long, value_name = "ID", conflicts_with = "language")]
        batch: Option<String>,
        /// Maximum number of results
        #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show one result with its files
    Show {
        /// Id from `results list`; its beginning is enough
        id: String,
    },
    /// Write the files of a result into a directory
    Download {
        /// Id from `results list`; its beginning is enough
        id: String,
        /// Target directory
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Replace existing files
        #[arg(long)]
        overwrite: bool,
        #[command(flatten)]
        to_write: WriteArgs,
    },
    /// Delete a result and its files
    Rm {
        /// Id from `results list`; its beginning is enough
        id: String,
    },
    /// Remove objects older than a day that no result refers to: what a failed store left behind
    Sweep {
        /// Only print what would be removed
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// List every setting with its value and its source
    Show,
    /// Print where the configuration file is
    Path,
}

#[derive(Debug, Subcommand)]
pub(super) enum ModelsCommand {
    /// List the built-in models
    List,
    /// Check that the models are still available
    Check,
}

#[derive(Args, Debug)]
pub(super) struct CostArgs {
    /// Generations per month
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub(super) per_month: u64,
    /// haiku, sonnet, opus, or a model id
    #[arg(short, long, default_value = "opus")]
    pub(super) model: String,
    /// Tokens per prompt
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(super) input_tokens: u64,
    /// Tokens per answer
    #[arg(long, value_name = "N", default_value_t = 8_000)]
    pub(super) output_tokens: u64,
}

#[derive(Debug, Subcommand)]
pub(super) enum TwinCommand {
    /// Listen on loopback and print `export` lines for any AWS or Anthropic SDK
    Up(UpArgs),
    /// Like `up`, but forward requests to real models and record their answers. Credentials in headers are left out; in
    /// texts only keys of a known form and ARNs' accounts are removed: review the files before you share them
    Record(RecordArgs),
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("it takes seconds above 0".to_owned()),
    }
}
