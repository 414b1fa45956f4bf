//! `explain`, `review`, `test`, `document`: tasks over given files.

use claude_code_core::request::Work;
use claude_code_core::{GenerateRequest, Result};

use super::generate::{
    self, answer, asked, dry_run, lines, not_written, read, told, warn_of_refused, written,
};
use crate::cli::args::Global;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::run::Alive;
use crate::cli::setup;
use crate::cli::task_args::{AnswerArgs, RefineArgs, TaskArgs};
use crate::files::read::{distinct, name_of};

/// The request for this work over the files of the arguments, which it reads.
pub(crate) fn request(work: Work, args: &TaskArgs) -> Result<GenerateRequest> {
    let prompt = match args.instructions.trim() {
        "" => work.usual_words(),
        words => words,
    };
    let mut request = GenerateRequest::new(prompt).with_work(work);
    for path in &args.files {
        request = request.with_file(name_of(path)?, read(path)?);
    }
    distinct(&request.files)?;
    asked(request, &args.answer.how)
}

/// Asks, and prints what came: the diff where given files changed, else the files or the words.
pub(crate) async fn run(
    global: Global,
    args: &TaskArgs,
    request: GenerateRequest,
    alive: Alive,
) -> Result<u8> {
    asked_and_shown(global, &args.answer, request, alive).await
}

/// Asks for a change of a stored result.
pub(crate) async fn refine(global: Global, args: &RefineArgs, alive: Alive) -> Result<u8> {
    let client = setup::result_writer(global).await?;
    let id = super::results::full_id(&client, &args.id).await?;
    let result = setup::results(&client)?.get(client.scope(), &id).await?;
    let request = asked(result.refine_request(args.instructions.as_str()), &args.answer.how)?;
    asked_and_shown(global, &args.answer, request, alive).await
}

async fn asked_and_shown(
    global: Global,
    args: &AnswerArgs,
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
    let diff = generation.diff.as_deref().filter(|diff| !diff.is_empty());
    match (paths, global.json, diff) {
        (_, true, _) => show::out(&json::text(&generation.schema())?)?,
        (Some(paths), false, _) => show::out(&lines(paths.into_iter()))?,
        (None, false, Some(diff)) => show::diff(diff)?,
        (None, false, None) => show::out(&generate::code_of(&generation))?,
    }
    told(&generation)
}
