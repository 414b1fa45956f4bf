//! `results`: lists, shows, downloads and deletes stored results.

use claude_code_core::store::{Listing, ResultRow};
use claude_code_core::{Client, Error, ErrorKind, Language, Result};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::batch::Place;
use super::generate::{lines, not_written, warn_of_refused, written};
use crate::cli::args::{Global, ResultsCommand};
use crate::cli::output::exit;
use crate::cli::output::figures::{bytes, model, usd};
use crate::cli::output::json;
use crate::cli::output::plain;
use crate::cli::output::show;
use crate::cli::setup;
use crate::files::batch_rows::rows;
use crate::files::write::WriteOptions;
use crate::storage::sweep::Janitor;

/// Listings that run at the same time.
const AT_ONCE: usize = 8;
/// Rows of one page.
const PAGE: u32 = 100;
/// Characters of the prompt in a row.
const PROMPT: usize = 48;

pub(crate) async fn run(global: Global, command: ResultsCommand) -> Result<u8> {
    if let ResultsCommand::Sweep { dry_run } = command {
        return sweep(global, dry_run).await;
    }
    let client = setup::result_writer(global).await?;
    match command {
        ResultsCommand::List { language, batch, limit } => {
            let place = match &batch {
                Some(id) => Place::found(id, &setup::config(global)?.local_dir()?),
                None => None,
            };
            match place {
                Some(place) => show_rows(global, &rows(&place.journal(), limit as usize)?)?,
                // A batch of another machine, or one whose journal is gone: the table has its id too.
                None => list(global, &client, language.as_deref(), batch, limit).await?,
            }
        }
        ResultsCommand::Show { id } => {
            let id = full_id(&client, &id).await?;
            let generation = setup::results(&client)?.get(client.scope(), &id).await?;
            if global.json {
                show::out(&json::text(&generation.schema())?)?;
            } else {
                show::out(&show::code(&generation))?;
                show::note(&show::summary(&generation));
            }
        }
        ResultsCommand::Download { id, output, overwrite, to_write } => {
            let id = full_id(&client, &id).await?;
            let generation = setup::results(&client)?.get(client.scope(), &id).await?;
            let options = WriteOptions { overwrite, ..to_write.options(global, &generation.id)? };
            warn_of_refused(&generation.files, &options);
            let paths = match written(&generation.files, &output, options) {
                Ok(paths) => paths,
                Err(error) => return not_written(global, error, generation),
            };
            let text = if global.json { json::text(&paths)? } else { lines(paths.into_iter()) };
            show::out(&text)?;
        }
        ResultsCommand::Rm { id } => {
            setup::results(&client)?;
            let id = full_id(&client, &id).await?;
            client.erase(&id).await?;
            let text = if global.json {
                json::text(&serde_json::json!({ "removed": id }))?
            } else {
                format!("removed {id}\n")
            };
            show::out(&text)?;
        }
        ResultsCommand::Sweep { .. } => {}
    }
    Ok(exit::OK)
}

/// Removes what no row points at, or says what would be removed.
async fn sweep(global: Global, dry_run: bool) -> Result<u8> {
    let janitor = Janitor::new(setup::stored(global).await?);
    let swept = if dry_run { janitor.look().await? } else { janitor.sweep().await? };
    if global.json {
        show::out(&json::text(&serde_json::json!({
            "seen": swept.seen, "young": swept.young, "with_row": swept.with_row, "orphans": swept.orphans,
            "bytes": swept.bytes, "failed": swept.failed, "removed": !dry_run,
        }))?)?;
    } else {
        show::out(&lines(swept.orphans.iter().map(|key| plain::line(key))))?;
        let what = if dry_run { "would be removed" } else { "removed" };
        show::note(&format!(
            "{} objects: {} {what} ({}), {} with a result, {} younger than a day",
            swept.seen,
            swept.orphans.len() as u64 - swept.failed,
            bytes(usize::try_from(swept.bytes).unwrap_or(usize::MAX)),
            swept.with_row,
            swept.young
        ));
    }
    if swept.failed > 0 {
        let failed = format!("{} objects could not be removed: run it again", swept.failed);
        return Err(Error::new(ErrorKind::Storage, failed));
    }
    Ok(exit::OK)
}

async fn list(
    global: Global,
    client: &Client,
    language: Option<&str>,
    batch: Option<String>,
    limit: u32,
) -> Result<()> {
    // The index has one list for each language: without a name every known one is read.
    let languages = match language {
        Some(name) => vec![Language::new(name)?],
        None => Language::all().collect(),
    };
    let mut rows: Vec<ResultRow> = stream::iter(languages)
        .map(|language| newest(client, language, batch.clone(), limit))
        .buffered(AT_ONCE)
        .try_concat()
        .await?;
    rows.sort_by(|a, b| b.generated_at.cmp(&a.generated_at));
    rows.truncate(limit as usize);
    show_rows(global, &rows)
}

fn show_rows(global: Global, rows: &[ResultRow]) -> Result<()> {
    if global.json {
        return show::out(&json::text(&serde_json::json!({ "items": rows }))?);
    }
    if rows.is_empty() {
        show::note("no results yet");
    }
    let rows: Vec<Vec<String>> = rows.iter().map(told).collect();
    show::out(&show::headed(["id", "time (UTC)", "language", "size", "model", "cost", "prompt"], rows))
}

/// The shortest beginning of an id that is looked up: two results within a minute share fewer characters.
const SHORT: usize = 4;
/// Characters of a whole id.
const WHOLE: usize = 36;

/// The id that begins so, where there is one. Fails naming the first ones where there are several.
pub(crate) async fn full_id(client: &Client, id: &str) -> Result<String> {
    if id.len() >= WHOLE {
        return Ok(id.to_owned());
    }
    if id.len() < SHORT {
        return Err(Error::invalid(format!("id {id:?} is shorter than {SHORT} characters: copy more of it")));
    }
    let rows: Vec<ResultRow> = stream::iter(Language::all())
        .map(|language| newest(client, language, None, u32::MAX))
        .buffered(AT_ONCE)
        .try_concat()
        .await?;
    let mut found: Vec<String> =
        rows.into_iter().map(|row| row.id).filter(|known| known.starts_with(id)).collect();
    found.sort();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!("no result's id begins with {id:?}: `results list` shows the newest ones"),
        )),
        [first, second, ..] => Err(Error::invalid(format!(
            "{} results begin with {id:?}, such as {first} and {second}: give more of the id",
            found.len()
        ))),
    }
}

async fn newest(
    client: &Client,
    language: Language,
    batch: Option<String>,
    limit: u32,
) -> Result<Vec<ResultRow>> {
    let mut listing = Listing { language, from: None, to: None, batch, cursor: None, limit: limit.min(PAGE) };
    let mut rows = Vec::new();
    loop {
        let page = setup::results(client)?.list(client.scope(), &listing).await?;
        rows.extend(page.items);
        listing.cursor = page.next;
        if listing.cursor.is_none() || rows.len() >= limit as usize {
            return Ok(rows);
        }
    }
}

fn told(row: &ResultRow) -> Vec<String> {
    let prompt = plain::line(&row.prompt);
    let mut short: String = prompt.chars().take(PROMPT).collect();
    if short.len() < prompt.len() {
        short.push('…');
    }
    // To the second: what follows is for machines.
    let at = row.generated_at.get(..19).unwrap_or(&row.generated_at).replace('T', " ");
    let size = bytes(usize::try_from(row.code_length).unwrap_or(usize::MAX));
    let cost = row.total_usd.map_or_else(|| "unknown".to_owned(), usd);
    vec![row.id.clone(), at, row.language.to_string(), size, plain::line(&model(&row.model)), cost, short]
}
