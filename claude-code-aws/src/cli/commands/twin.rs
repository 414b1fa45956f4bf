//! `twin up`: Bedrock, S3 and DynamoDB on loopback, for any SDK.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use claude_code_core::{Error, Result};

use crate::cli::args::{Global, TwinCommand};
use crate::cli::output::exit;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::setup;
use crate::cli::shutdown::Signals;
use crate::cli::twin_args::{RecordArgs, UpArgs};
use crate::connect::config::{Config, Provider, Store};
use crate::local::{self, Front, Keys, Quota, Recorded, Recorder, Responder, Samples, Twin, Upstream};

/// The word for the answers that come with the program; `./samples` is a file or directory of that name.
const SAMPLES: &str = "samples";

pub(crate) async fn run(global: Global, command: TwinCommand) -> Result<u8> {
    match command {
        TwinCommand::Up(args) => up(global, &args).await,
        TwinCommand::Record(args) => record(global, &args).await,
    }
}

async fn up(global: Global, args: &UpArgs) -> Result<u8> {
    let config = config(global)?;
    let dir = args.dir.clone().map_or_else(|| config.local_dir(), Ok)?;
    let answers = global.answers.unwrap_or(SAMPLES);
    let twin = match is_recording(answers) {
        true if args.quota_tpm.is_some() => {
            return Err(Error::invalid("--quota-tpm counts tokens of answers, not of recorded exchanges"));
        }
        true => Twin::fronted(&dir, keys(), Front::Replay(Recorded::open(Path::new(answers))?)),
        false => Twin::with_keys(&dir, answering(global, args, &config)?, keys()),
    };
    let listen = ListenOptions { port: args.port, verify: args.verify_signatures, fresh: args.fresh };
    serve(global, &config, &twin, listen).await
}

/// Whether `--answers` names recorded exchanges: a directory, but for one with sample answers, and for the one whose name is
/// the word for the samples.
fn is_recording(answers: &str) -> bool {
    answers != SAMPLES && Path::new(answers).is_dir() && !local::has_samples(Path::new(answers))
}

async fn record(global: Global, args: &RecordArgs) -> Result<u8> {
    let config = config(global)?;
    let dir = args.dir.clone().map_or_else(|| config.local_dir(), Ok)?;
    let messages = &config.anthropic;
    let upstream = Upstream::new(
        crate::connect::load(&config).await?,
        args.upstream.as_deref(),
        messages.base_url.as_deref(),
        messages.api_key.clone(),
    )?;
    let twin =
        Twin::fronted(&dir, keys(), Front::Record(Box::new(Recorder::open(&args.out, upstream, keys())?)));
    show::note(&format!("every exchange with a model is written into {}", args.out.display()));
    serve(global, &config, &twin, ListenOptions { port: args.port, verify: false, fresh: false }).await
}

fn config(global: Global) -> Result<Config> {
    // Its own responder plays the answers.
    let global = Global { answers: None, instant: true, ..global };
    Ok(Config { provider: Provider::Samples, store: Some(Store::Disk), ..setup::config(global)? })
}

/// How a twin opens: its first port, whether it verifies signatures, and whether it forgets earlier runs.
struct ListenOptions {
    port: u16,
    verify: bool,
    fresh: bool,
}

async fn serve(global: Global, config: &Config, twin: &Twin, listen: ListenOptions) -> Result<u8> {
    let directory = twin.engines().directory()?;
    // Before the addresses are known to anyone: a signal right after them must find its handler.
    let mut end = Signals::listen()?;
    let listening = local::listen_before_stores(twin, listen.port, listen.verify).await?;
    // Only now: nothing can go wrong any more, and neither S3 nor DynamoDB has opened its database.
    if listen.fresh {
        directory.clear()?;
    }
    show::out(&lines(global, &listening.variables(set))?)?;
    crate::connect::local::prepare(twin, config).await?;
    listening.open_stores();
    show::note(&format!(
        "the local twin listens on loopback; its data is in {}; Ctrl-C ends it",
        directory.path().display()
    ));
    end.next().await;
    listening.close().await;
    Ok(exit::OK)
}

fn answering(global: Global, args: &UpArgs, config: &Config) -> Result<Arc<dyn Responder>> {
    let responder = responder(global.answers.unwrap_or(SAMPLES), global.answers_model, config)?;
    Ok(match args.quota_tpm {
        Some(tokens) => Arc::new(Quota::new(responder, tokens)),
        None => responder,
    })
}

/// A twin in the local directory that answers as `--answers` says; none for the samples at once, which need no other one.
pub(crate) fn answered(global: Global, config: &Config) -> Result<Option<Twin>> {
    let dir = || config.local_dir();
    let answers = global.answers.unwrap_or(SAMPLES);
    if answers == SAMPLES {
        let paced = !global.instant && !global.json && std::io::stderr().is_terminal();
        return if paced { Ok(Some(Twin::of_paced_samples(&dir()?))) } else { Ok(None) };
    }
    local::answers_at(&dir()?, Path::new(answers)).map(Some)
}

/// Who answers in the twin, as `--answers` says it.
fn responder(answers: &str, model: Option<&str>, config: &Config) -> Result<Arc<dyn Responder>> {
    Ok(match answers {
        SAMPLES => Arc::new(Samples::built_in()),
        url if local::is_url(url) => local::relay(url, model, config)?,
        path if local::has_samples(Path::new(path)) => Arc::new(Samples::of_directory(Path::new(path))?),
        path => local::script_of(Path::new(path))?,
    })
}

/// A variable of the environment, if it is set to something.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The keys that clients of this shell will sign with.
fn keys() -> Keys {
    match (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(secret)) => Keys::default().with(id, secret),
        _ => Keys::default(),
    }
}

fn lines(global: Global, exports: &[(&'static str, String)]) -> Result<String> {
    if global.json {
        let map: serde_json::Map<String, serde_json::Value> =
            exports.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        return json::text(&map);
    }
    Ok(exports.iter().map(|(name, value)| format!("export {name}={value}\n")).collect())
}
