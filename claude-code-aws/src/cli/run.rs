//! Entry point of the command line: arguments in, exit code out.

use std::ffi::OsString;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::error;
use clap::{CommandFactory, Parser};
use claude_code_core::provider::stop_signal::StopSignal;
use claude_code_core::request::Work;
use claude_code_core::{Client, Error, ErrorKind, Result};
use tokio::sync::mpsc;

use super::args::{Cli, Command, Global};
use super::task_args::TaskArgs;
use crate::cli::commands::batch;
use crate::cli::commands::budget;
use crate::cli::commands::check;
use crate::cli::commands::config;
use crate::cli::commands::cost;
use crate::cli::commands::doctor;
use crate::cli::commands::generate;
use crate::cli::commands::iam;
use crate::cli::commands::models;
use crate::cli::commands::refactor;
use crate::cli::commands::results;
use crate::cli::commands::samples;
use crate::cli::commands::serve;
use crate::cli::commands::service;
use crate::cli::commands::task;
use crate::cli::commands::twin;
use crate::cli::commands::undo;
use crate::cli::commands::usage;
use crate::cli::output::exit;
use crate::cli::output::problem;
use crate::cli::output::show;
use crate::cli::output::warnings;

/// How long the end waits: for what gives back what it holds, and for lookups that cannot be cancelled.
const LAST_BREATH: Duration = Duration::from_secs(1);

/// How long the end waits for what is given back: leases, and metrics that are sent.
const GIVING_BACK: Duration = Duration::from_secs(3);

/// Threads of the server: checking a large answer on one of them must not hold up all the others.
const SERVING: usize = 2;

/// Runs the command line, the program's name first, and gives its exit code. It reads the environment, writes to
/// stdout and stderr, and listens for Ctrl-C; it must not be called from within an async runtime.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    #[cfg(target_os = "linux")]
    if let Some(ended) = crate::cli::sandbox::step(&args) {
        return ended;
    }
    match Cli::try_parse_from(&args) {
        Ok(cli) => {
            show::set_level(cli.global.quiet, cli.global.verbose);
            warnings::show(cli.global.verbose, matches!(cli.command, Command::Serve(_)));
            ended(cli.global, dispatch(cli))
        }
        Err(refused) => unparsed(&refused, args.iter().any(|arg| arg == "--json")),
    }
}

fn dispatch(cli: Cli) -> Result<u8> {
    let global = cli.global;
    undo::recover(global);
    // What reads files and stdin comes before the runtime: Ctrl-C ends it at once.
    match cli.command {
        Command::Generate(args) => {
            let request = generate::request(&args)?;
            wait_for(|alive| generate::run(global, &args, request, alive))
        }
        Command::Refactor(args) => {
            let task = refactor::task(&args)?;
            wait_for(|alive| refactor::run(global, &args, task, alive))
        }
        Command::Explain(args) => of_task(global, Work::Explain, &args),
        Command::Review(args) => of_task(global, Work::Review, &args),
        Command::Test(args) => of_task(global, Work::Test, &args),
        Command::Document(args) => of_task(global, Work::Document, &args),
        Command::Refine(args) => wait_for(|alive| task::refine(global, &args, alive)),
        Command::Config(command) => config::run(global, command),
        Command::Samples => samples::run(global),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "claude-code-aws", &mut script);
            show::out(&String::from_utf8_lossy(&script)).map(|()| exit::OK)
        }
        Command::Undo => undo::run(global),
        // It listens for signals itself: what was answered is written down before it ends.
        Command::Batch(args) => runtime()?.block_on(Box::pin(batch::run(global, *args))),
        Command::Results(command) => wait(results::run(global, command)),
        Command::Models(command) => wait(models::run(global, command)),
        Command::Check(args) => check::run(global, &args),
        Command::Cost(args) => cost::run(global, &args),
        Command::Iam(args) => iam::run(global, &args),
        Command::Budget { action } => wait(budget::run(global, action)),
        Command::Usage(args) => wait(usage::run(global, args)),
        Command::Doctor { batch } => wait(doctor::run(global, batch)),
        Command::Twin(command) => runtime()?.block_on(twin::run(global, command)),
        Command::Service(command) => wait_for(|alive| service::run(global, command, alive)),
        Command::Serve(args) => {
            let workers = built(tokio::runtime::Builder::new_multi_thread().worker_threads(SERVING))?;
            let door = built(tokio::runtime::Builder::new_multi_thread().worker_threads(1))?;
            let ended = door.block_on(Box::pin(serve::run(global, args, workers.handle().clone())));
            workers.shutdown_timeout(LAST_BREATH);
            door.shutdown_timeout(LAST_BREATH);
            ended
        }
    }
}

fn of_task(global: Global, work: Work, args: &TaskArgs) -> Result<u8> {
    let request = task::request(work, args)?;
    wait_for(|alive| task::run(global, args, request, alive))
}

/// Held by a task beside the work for as long as it has something to give back.
#[derive(Clone)]
pub(super) struct Alive {
    _sender: mpsc::Sender<()>,
    /// What Ctrl-C tells to end, where the work can say then what it cost.
    interrupt: Arc<Mutex<Option<StopSignal>>>,
}

impl Alive {
    /// Ctrl-C sets this signal from now on, and the work may then come to its own end.
    pub(super) fn interrupts(&self, signal: StopSignal) {
        *self.interrupt.lock().unwrap_or_else(PoisonError::into_inner) = Some(signal);
    }
}

/// Gives back what a client's requests held when they were dropped: whoever asks the same next need not wait for it.
pub(super) struct GiveBack {
    client: Client,
    alive: Alive,
}

impl GiveBack {
    /// As soon as this is dropped; it must be dropped after the requests.
    pub(super) fn of(client: &Client, alive: Alive) -> Self {
        GiveBack { client: client.clone(), alive }
    }
}

impl Drop for GiveBack {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, alive) = (self.client.clone(), self.alive.clone());
        runtime.spawn(async move {
            client.release_leases().await;
            client.flush_metrics().await;
            drop(alive);
        });
    }
}

/// Drives the work until it is done or Ctrl-C comes, which drops it: its connections are closed.
fn wait(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    wait_for(|_| work)
}

/// As [`wait`], and then for the tasks that see that nobody listens any more.
fn wait_for<F: Future<Output = Result<u8>>>(work: impl FnOnce(Alive) -> F) -> Result<u8> {
    let runtime = runtime()?;
    let (sender, mut all_gone) = mpsc::channel(1);
    let interrupt = Arc::<Mutex<Option<StopSignal>>>::default();
    let alive = Alive { _sender: sender, interrupt: interrupt.clone() };
    let ended = runtime.block_on(async {
        let mut work = Box::pin(work(alive));
        let ended = tokio::select! {
            biased;
            _ = tokio::signal::ctrl_c() => None,
            ended = &mut work => Some(ended),
        };
        let signal = interrupt.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = match (ended, signal) {
            (Some(ended), _) => ended,
            (None, None) => Ok(exit::INTERRUPTED),
            (None, Some(signal)) => {
                signal.set();
                account(&mut work).await
            }
        };
        drop(work);
        let _ = tokio::time::timeout(GIVING_BACK, all_gone.recv()).await;
        ended
    });
    runtime.shutdown_timeout(LAST_BREATH);
    ended
}

/// The end of work that was interrupted, which tells what it cost. A second Ctrl-C, or too long a wait, drops it.
async fn account(work: impl Future<Output = Result<u8>>) -> Result<u8> {
    tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Ok(exit::INTERRUPTED),
        ended = tokio::time::timeout(LAST_BREATH, work) => ended.unwrap_or(Ok(exit::INTERRUPTED)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    built(&mut tokio::runtime::Builder::new_current_thread())
}

fn built(runtime: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime> {
    runtime.enable_all().build().map_err(|error| {
        Error::new(ErrorKind::Unavailable, format!("the runtime could not be started: {error}"))
    })
}

fn ended(global: Global, ended: Result<u8>) -> u8 {
    let error = match ended {
        Ok(exit::INTERRUPTED_AND_TOLD) => return exit::INTERRUPTED,
        Ok(exit::INTERRUPTED) => Error::new(ErrorKind::Interrupted, "interrupted; the request was closed"),
        Ok(code) => return code,
        Err(error) => error,
    };
    if global.json {
        let _ = show::out(&problem::json(&error));
    }
    show::note(&problem::line(&error));
    exit::of(error.kind())
}

/// Help and version go to stdout; what is wrong with the arguments to stderr, as one line, and where programs read, to
/// stdout as JSON.
fn unparsed(refused: &clap::Error, json: bool) -> u8 {
    match refused.kind() {
        error::ErrorKind::DisplayHelp | error::ErrorKind::DisplayVersion => {
            let _ = show::out(&refused.to_string());
            exit::OK
        }
        error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            show::note(refused.to_string().trim_end());
            exit::USAGE
        }
        _ => {
            let text = refused.to_string();
            // The first paragraph says what is wrong; tips and usage come after it.
            let words: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
            let mut told = words.join(" ");
            // What may have been meant: `tip: a similar subcommand exists: 'generate'`.
            for tip in text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")) {
                told.push_str(&format!("; {tip}"));
            }
            if json {
                let problem = Error::invalid(told.trim_start_matches("error: "));
                let _ = show::out(&problem::json(&problem));
            }
            show::note(&format!("{told} (see --help)"));
            exit::USAGE
        }
    }
}
