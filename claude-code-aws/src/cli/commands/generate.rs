//! `generate`: turns a prompt into files.

use std::io::{IsTerminal, Read};
use std::path::Path;
use std::sync::Arc;

use claude_code_core::{CodeFile, Error, ErrorKind, Event, GenerateRequest, Generation, Result};

use claude_code_core::request::SourceFile;

use crate::checks::{Check, Commands, Isolation, preset};
use crate::cli::args::{GenerateArgs, Global, HowArgs};
use crate::cli::output::exit;
use crate::cli::output::figures;
use crate::cli::output::json;
use crate::cli::output::plain;
use crate::cli::output::problem;
use crate::cli::output::progress::Progress;
use crate::cli::output::show;
use crate::cli::project;
use crate::cli::run::{Alive, GiveBack};
use crate::cli::setup;
use crate::files::read::{distinct, name_of};
use crate::files::write::{WriteOptions, refused, write_to};

/// The longest text that is read from stdin or a file. The core refuses what is longer than 8 MiB in all.
const MAX_BYTES: u64 = 9 << 20;

/// The request of the arguments; reads stdin and the files that they name.
pub(crate) fn request(args: &GenerateArgs) -> Result<GenerateRequest> {
    let mut request = GenerateRequest::new(prompt(args.prompt.as_deref())?);
    request.language.clone_from(&args.language);
    request.instructions.clone_from(&args.instructions);
    for path in &args.files {
        request = request.with_file(name_of(path)?, read(path)?);
    }
    distinct(&request.files)?;
    asked(request, &args.how)
}

fn prompt(given: Option<&str>) -> Result<String> {
    match given {
        Some(text) if text != "-" => Ok(text.to_owned()),
        None if std::io::stdin().is_terminal() => {
            Err(Error::invalid("no prompt: give it as an argument, or on stdin with -"))
        }
        _ => text_of(std::io::stdin().lock(), "stdin"),
    }
}

/// A file's text.
pub(crate) fn read(path: &Path) -> Result<String> {
    let name = path.display().to_string();
    let file =
        std::fs::File::open(path).map_err(|error| Error::invalid(format!("cannot read {name}: {error}")))?;
    text_of(file, &name)
}

fn text_of(from: impl Read, name: &str) -> Result<String> {
    let mut text = String::new();
    from.take(MAX_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Error::invalid(format!("cannot read {name} as UTF-8 text: {error}")))?;
    Ok(text)
}

/// The request with how it is to be asked.
pub(crate) fn asked(mut request: GenerateRequest, how: &HowArgs) -> Result<GenerateRequest> {
    request.model.clone_from(&how.model);
    request.tier = how.tier;
    request.effort = how.effort.map(Into::into);
    request.thinking = how.thinking.map(Into::into);
    request.max_tokens = how.max_tokens;
    request.temperature = how.temperature;
    request.max_usd = how.max_usd;
    request.max_sends = how.max_sends;
    request.cache = how.cache.into();
    request.skip_validation = how.no_validate;
    request.skip_store = how.no_store;
    request.timeout = how.timeout;
    let lines = [how.check.clone(), project::checks(how.allow_checks)?].concat();
    if how.check_unsafe && lines.is_empty() {
        return Err(Error::invalid(
            "--check-unsafe says how checks run, and there is none: give one with --check",
        ));
    }
    if !lines.is_empty() {
        let isolation = if how.check_unsafe { Isolation::None } else { Isolation::Sandbox };
        request.check = Some(Arc::new(checks(&lines, isolation, &request.files)));
    }
    Ok(request)
}

/// The commands of `--check`; a preset whose tool is not installed is left out with a warning.
pub(crate) fn checks(lines: &[String], isolation: Isolation, given: &[SourceFile]) -> Commands {
    let mut commands = Vec::new();
    for line in lines {
        match preset(line) {
            Some(Err(missing)) => show::note(&format!("warning: {missing}")),
            Some(Ok(check)) => commands.push(check),
            None => commands.push(Check::shell(line)),
        }
    }
    Commands::new(
        commands.into_iter().map(|check| check.with_isolation(isolation).with_files(given.to_vec())),
    )
}

/// Generates, prints or writes, and ends with the line about the result.
pub(crate) async fn run(
    global: Global,
    args: &GenerateArgs,
    request: GenerateRequest,
    alive: Alive,
) -> Result<u8> {
    if args.how.dry_run {
        return dry_run(global, request, &args.how).await;
    }
    let generation = answer(global, request, alive).await?;
    let mut options = args.to_write.options(global, &generation.id)?;
    options.overwrite = args.overwrite;
    let paths = match &args.output {
        Some(dir) => {
            warn_of_refused(&generation.files, &options);
            match written(&generation.files, dir, options) {
                Ok(paths) => Some(paths),
                Err(error) => return not_written(global, error, generation),
            }
        }
        None => None,
    };
    show::out(&match (paths, global.json) {
        (_, true) => json::text(&generation.schema())?,
        (Some(paths), false) => lines(paths.into_iter()),
        (None, false) => code_of(&generation),
    })?;
    told(&generation)
}

/// What stdout gets of a result that is not written: its code, else its words.
pub(crate) fn code_of(generation: &Generation) -> String {
    show::code(generation)
}

/// What becomes of a paid answer that could not be written: it is printed, or named where it is stored. A name or a file
/// of the answer that cannot be written is the answer's fault, not the command line's.
pub(crate) fn not_written(global: Global, error: Error, generation: Generation) -> Result<u8> {
    if error.kind() != ErrorKind::InvalidRequest {
        return Err(error.with_partial(generation));
    }
    if global.json {
        show::out(&json::text(&generation.schema())?)?;
    }
    show::remarks(&generation).iter().for_each(|remark| show::note(remark));
    show::note(&problem::line(&error));
    show::note(&show::summary(&generation));
    Ok(exit::INCOMPLETE)
}

/// Names the files that will not be written, with the reason: with --skip-refused nothing else would.
pub(crate) fn warn_of_refused(files: &[CodeFile], options: &WriteOptions) {
    for (name, why) in refused(files, options).into_iter().filter(|_| options.skip_refused) {
        show::note(&format!("warning: {} is not written: {}", plain::line(&name), plain::line(&why)));
    }
}

/// Writes the files and gives their paths.
pub(crate) fn written(files: &[CodeFile], dir: &Path, options: WriteOptions) -> Result<Vec<String>> {
    let paths = write_to(files, dir, options)?;
    Ok(paths.iter().map(|path| path.display().to_string()).collect())
}

/// The answer, with its progress shown on a terminal.
pub(crate) async fn answer(global: Global, request: GenerateRequest, alive: Alive) -> Result<Generation> {
    let client = setup::client(global).await?;
    let _given_back = GiveBack::of(&client, alive.clone());
    let mut progress = Progress::start();
    let mut stream = client.stream(request);
    alive.interrupts(stream.interrupter());
    while let Some(event) = progress.next(&mut stream, |event| Some(event)).await? {
        if let Event::Finished(generation) = event {
            progress.clear();
            return Ok(std::sync::Arc::unwrap_or_clone(generation));
        }
    }
    Err(Error::new(ErrorKind::Protocol, "the answer ended without a result: try again"))
}

/// Remarks and the last line; the exit code of a complete answer.
pub(crate) fn told(generation: &Generation) -> Result<u8> {
    show::details(generation).iter().for_each(|detail| show::detail(detail));
    show::remarks(generation).iter().for_each(|remark| show::remark(remark));
    show::remark(&show::summary(generation));
    Ok(if generation.accepted { exit::OK } else { exit::INCOMPLETE })
}

pub(crate) fn lines(of: impl Iterator<Item = String>) -> String {
    of.map(|line| line + "\n").collect()
}

/// Tier, why, and the most that one send can cost. Nothing is sent to a model; to `count` the service is asked.
pub(crate) async fn dry_run(global: Global, request: GenerateRequest, how: &HowArgs) -> Result<u8> {
    let estimate = match how.count {
        true => setup::client(global).await?.count(request).await?,
        false => setup::planner(global).await?.estimate(request)?,
    };
    if global.json {
        let value = serde_json::json!({
            "tier": estimate.tier,
            "tier_reason": estimate.tier_reason,
            "model": estimate.model,
            "input_tokens": estimate.input_tokens,
            "worst_usd": estimate.worst_usd,
            "counted": estimate.counted,
            "warnings": estimate.warnings,
        });
        show::out(&json::text(&value)?)?;
        return Ok(exit::OK);
    }
    let about = if estimate.counted { "" } else { "about " };
    let rows = [
        ("tier", estimate.tier.to_string()),
        ("why", estimate.tier_reason),
        ("model", estimate.model),
        ("prompt", format!("{about}{} tokens", figures::count(estimate.input_tokens))),
        ("at most", format!("{} a send", figures::cost(estimate.worst_usd))),
    ];
    let rows: Vec<Vec<String>> = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
    show::out(&show::table(&rows))?;
    estimate.warnings.iter().for_each(|warning| show::note(&format!("warning: {}", plain::line(warning))));
    Ok(exit::OK)
}
