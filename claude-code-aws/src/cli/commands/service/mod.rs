//! `service new`: the seven questions in the terminal, or their answers a line each on stdin; then the six files.

mod profile;

use std::io::{BufRead, IsTerminal};

use crate::service_creator::{Code, Conversation, Creator, STEPS, Shown, TOTAL_STEPS};
use claude_code_core::money::receipt::LineItem;
use claude_code_core::{CodeFile, Error, ErrorKind, Event, Receipt, Result, Scope};
use futures_util::stream;
use tokio::sync::mpsc;

use crate::cli::args::{Global, NewServiceArgs, ServiceCommand};
use crate::cli::commands::generate;
use crate::cli::output::exit;
use crate::cli::output::figures::{cost, count, model, some};
use crate::cli::output::json;
use crate::cli::output::plain::line;
use crate::cli::output::problem;
use crate::cli::output::progress::Progress;
use crate::cli::output::show;
use crate::cli::run::{Alive, GiveBack};
use crate::cli::setup;
use crate::files::write::WriteOptions;

/// Events that wait for the terminal.
const QUEUE: usize = 64;

pub(crate) async fn run(global: Global, command: ServiceCommand, alive: Alive) -> Result<u8> {
    match command {
        ServiceCommand::New(args) => new(global, &args, alive).await,
        ServiceCommand::Download { id, output, overwrite, to_write } => {
            let files = stored(global, &id).await?;
            let options = WriteOptions { overwrite, ..to_write.options(global, &id)? };
            generate::warn_of_refused(&files, &options);
            let paths = match generate::written(&files, &output, options) {
                Err(error) if error.kind() == ErrorKind::InvalidRequest => {
                    show::note(&problem::line(&error));
                    return Ok(exit::INCOMPLETE);
                }
                paths => paths?,
            };
            show::out(&if global.json { json::text(&paths)? } else { generate::lines(paths.into_iter()) })?;
            Ok(exit::OK)
        }
    }
}

async fn new(global: Global, args: &NewServiceArgs, alive: Alive) -> Result<u8> {
    if let Some(path) = &args.profile {
        return profile::run(global, args, path, alive).await;
    }
    let (creator, client, services, is_kept) = setup::creator(global).await?;
    let _given_back = GiveBack::of(&client, alive.clone());
    let conversation = match &args.resume {
        Some(id) => creator.conversation(id).await?,
        None => creator.start().await?,
    };
    let id = conversation.id.clone();
    if is_kept && args.resume.is_none() {
        show::note(&format!("broken off, it goes on with: claude-code-aws service new --resume {id}"));
    }
    talk(&creator, conversation).await?;
    let code = write(&creator, &id, alive).await?;
    let files = services.files(&code).await?;
    let options = WriteOptions { overwrite: args.overwrite, ..args.to_write.options(global, &code.code_id)? };
    if args.output.is_some() {
        generate::warn_of_refused(&files, &options);
    }
    let paths = args.output.as_ref().map(|dir| generate::written(&files, dir, options)).transpose();
    let paths = match paths {
        // What is refused is the answer's fault, as for every other command.
        Err(error) if error.kind() == ErrorKind::InvalidRequest => {
            if global.json {
                show::out(&json::text(&result(&id, &code, &files, is_kept)?)?)?;
            }
            show::note(&problem::line(&error));
            show::note(&summary(&code, is_kept));
            return Ok(exit::INCOMPLETE);
        }
        paths => paths.map_err(|error| {
            let message = format!("{}{}", error.message(), kept(&code, is_kept));
            error.with_message(message)
        })?,
    };
    show::out(&match paths {
        _ if global.json => json::text(&result(&id, &code, &files, is_kept)?)?,
        Some(paths) => generate::lines(paths.into_iter()),
        None => show::files(&files),
    })?;
    code.diagnostics.iter().for_each(|found| show::note(&line(&found.to_string())));
    show::note(&summary(&code, is_kept));
    Ok(if code.accepted { exit::OK } else { exit::INCOMPLETE })
}

/// Asks until all is answered. An answer that cannot be taken is asked for again where a person sits.
async fn talk(creator: &Creator, mut conversation: Conversation) -> Result<()> {
    let is_person = std::io::stdin().is_terminal();
    let mut answers = answers();
    while let Some(step) = conversation.step() {
        let about = &STEPS[step - 1];
        let question = line(conversation.question().unwrap_or(about.question));
        show::note(&format!("{step} of {TOTAL_STEPS} · {}", about.title));
        show::note(&format!("{question} (for example: {})", about.example));
        let answer = answers.recv().await.ok_or_else(|| {
            Error::invalid(format!("stdin ended at question {step} of {TOTAL_STEPS}: give an answer a line"))
        })??;
        match creator.message(&conversation.id, Some(step), answer.trim()).await {
            Ok(next) => conversation = next,
            Err(error) if is_person && error.kind() == ErrorKind::InvalidRequest => {
                show::note(error.message())
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The lines of stdin. Read on a thread of its own, which nobody waits for: Ctrl-C ends the process at once.
pub(crate) fn answers() -> mpsc::Receiver<Result<String>> {
    let (out, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|error| Error::invalid(format!("stdin cannot be read as text: {error}")));
            if out.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The six files, with their progress on a terminal. Dropped, the writer gives its right back: --resume has it at once.
async fn write(creator: &Creator, conversation: &str, alive: Alive) -> Result<Code> {
    let writing = creator.write(conversation, None, None).await?;
    let (out, shown) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        writing.run(out).await;
        drop(alive);
    });
    let shown = stream::unfold(shown, |mut shown| async move { Some((shown.recv().await?, shown)) });
    let mut shown = std::pin::pin!(shown);
    let mut progress = Progress::start();
    while let Some(next) = progress.next(&mut shown, event).await? {
        if let Shown::Written(code) = next {
            progress.clear();
            return Ok(*code);
        }
    }
    Err(Error::new(ErrorKind::Protocol, "the writing ended without a result: try again with --resume"))
}

fn event(shown: &Shown) -> Option<&Event> {
    match shown {
        Shown::Event(event) => Some(event),
        Shown::Written(_) => None,
    }
}

async fn stored(global: Global, id: &str) -> Result<Vec<CodeFile>> {
    let (service, code) = id.split_once('/').ok_or_else(|| {
        Error::invalid(format!("{id:?} is no SERVICE/CODE: the last line of `service new` names it"))
    })?;
    let (_, _, services, _) = setup::creator(global).await?;
    // The row decides whether it is this scope's.
    let code = services.code(&Scope::local(), service, code).await?;
    services.files(&code).await
}

/// The row of the code with the conversation, and the files with their content.
fn result(conversation: &str, code: &Code, files: &[CodeFile], is_kept: bool) -> Result<serde_json::Value> {
    let unwritable = |_| Error::new(ErrorKind::Protocol, "the result could not be written as JSON");
    let mut value = serde_json::to_value(code).map_err(unwritable)?;
    value["conversation_id"] = conversation.into();
    value["files"] = serde_json::to_value(files).map_err(unwritable)?;
    value["stored"] = is_kept.into();
    Ok(value)
}

/// `sonnet-5.5 · 6 files · 4.1k tokens · $0.0123 · stored SERVICE/CODE`
fn summary(code: &Code, is_kept: bool) -> String {
    let mut parts = vec![
        code.model.as_deref().map_or_else(|| "written by an earlier run".to_owned(), |id| line(&model(id))),
        some(code.files.len(), "file"),
        format!("{} tokens", count(tokens(&code.receipt))),
        cost(code.receipt.total()),
    ];
    if code.sample {
        parts.push("sample answer".to_owned());
    }
    if !code.accepted {
        parts.push("rejected".to_owned());
    }
    parts.push(match is_kept {
        true => format!("stored {}/{}", code.service_id, code.code_id),
        false => "not stored".to_owned(),
    });
    parts.join(" · ")
}

/// Tokens of all sends; lines that change a price count none of their own.
fn tokens(receipt: &Receipt) -> u64 {
    let counted = [
        LineItem::Input,
        LineItem::Output,
        LineItem::CacheRead,
        LineItem::CacheWrite5m,
        LineItem::CacheWrite1h,
    ];
    let items = receipt.items.iter().filter(|item| counted.contains(&item.what));
    items.filter_map(|item| item.tokens).sum()
}

/// What was paid for is named where it could not be written.
fn kept(code: &Code, is_kept: bool) -> String {
    let place =
        || format!("; the files are kept: service download {}/{} -o DIR", code.service_id, code.code_id);
    if is_kept { place() } else { String::new() }
}
