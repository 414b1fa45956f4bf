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
use crate::cli::task_args::TaskArgs;
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
    asked(request, &args.how)
}

/// Asks, and prints what came: the diff where given files changed, else the files or the words.
pub(crate) async fn run(
    global: Global,
    args: &TaskArgs,
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
    show::out(&match (paths, global.json, diff) {
        (_, true, _) => json::text(&generation.schema())?,
        (Some(paths), false, _) => lines(paths.into_iter()),
        (None, false, Some(diff)) => diff.to_owned(),
        (None, false, None) => generate::code_of(&generation),
    })?;
    told(&generation)
}
