//! `service new --profile`: the questions of a profile in the terminal, or their answers a line each on stdin; then its files.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::request::Check;
use claude_code_core::{Error, Result};

use crate::checks::Isolation;
use crate::cli::args::{Global, NewServiceArgs};
use crate::cli::commands::{generate, service};
use crate::cli::output::json;
use crate::cli::output::plain::line;
use crate::cli::output::show;
use crate::cli::project;
use crate::cli::run::Alive;
use crate::files::write::WriteOptions;
use crate::service_creator::Profile;

/// Asks, generates, and prints or writes. What a check rejects is not written.
pub(crate) async fn run(global: Global, args: &NewServiceArgs, path: &Path, alive: Alive) -> Result<u8> {
    let profile = Profile::read(path)?;
    let lines = project::agreed(path, profile.checks.clone(), args.allow_checks)?;
    let commands = generate::checks(&lines, Isolation::Sandbox, &[]);
    let then: Option<Arc<dyn Check>> = (!lines.is_empty()).then(|| Arc::new(commands) as Arc<dyn Check>);
    let request = profile.request(&talk(&profile).await?, then);
    let generation = generate::answer(global, request, alive).await?;
    let mut paths = None;
    if let Some(dir) = args.output.as_ref().filter(|_| generation.accepted) {
        let options =
            WriteOptions { overwrite: args.overwrite, ..args.to_write.options(global, &generation.id)? };
        generate::warn_of_refused(&generation.files, &options);
        match generate::written(&generation.files, dir, options) {
            Ok(written) => paths = Some(written),
            Err(error) => return generate::not_written(global, error, generation),
        }
    }
    show::out(&match paths {
        _ if global.json => json::text(&generation.schema())?,
        Some(paths) => generate::lines(paths.into_iter()),
        None if args.output.is_some() => String::new(),
        None => show::files(&generation.files),
    })?;
    if args.output.is_some() && !generation.accepted {
        show::note("warning: the answer is rejected, so no file was written");
    }
    generate::told(&generation)
}

/// Asks until all is answered. An answer that cannot be taken is asked for again where a person sits.
async fn talk(profile: &Profile) -> Result<Vec<String>> {
    let total = profile.questions.len();
    let (mut answers, mut lines) = (Vec::new(), service::answers());
    for (at, asked) in profile.questions.iter().enumerate() {
        show::note(&format!("{} of {total} · {}", at + 1, line(&asked.title)));
        let example = if asked.example.is_empty() {
            String::new()
        } else {
            format!(" (for example: {})", asked.example)
        };
        show::note(&line(&format!("{}{example}", asked.question)));
        let answer = lines.recv().await.ok_or_else(|| {
            Error::invalid(format!("stdin ended at question {} of {total}: give an answer a line", at + 1))
        })??;
        answers.push(Profile::answer(&answer)?);
    }
    Ok(answers)
}
