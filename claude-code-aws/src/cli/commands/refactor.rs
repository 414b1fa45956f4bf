//! `refactor`: given files are changed as asked; the diff is printed, and applied only when asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use claude_code_core::request::SourceFile;
use claude_code_core::{CodeFile, Error, ErrorKind, GenerateRequest, Generation, Result};

use super::generate::{answer, asked, dry_run, read, told};
use crate::cli::args::{Global, RefactorArgs};
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::run::Alive;
use crate::files::read::{distinct, name_of};
use crate::files::write::{WriteOptions, write_to};

/// The request, and where each name that the model sees comes from.
pub(crate) struct Task {
    request: GenerateRequest,
    originals: BTreeMap<String, PathBuf>,
}

/// Reads the files.
pub(crate) fn task(args: &RefactorArgs) -> Result<Task> {
    let mut originals = BTreeMap::new();
    let mut files = Vec::new();
    for path in &args.files {
        let name = name_of(path)?;
        originals.insert(name.clone(), path.clone());
        files.push(SourceFile { path: name, content: read(path)? });
    }
    distinct(&files)?;
    let request = asked(GenerateRequest::refactor(files, &args.instructions), &args.how);
    Ok(Task { request, originals })
}

/// Asks for the changes and prints them.
pub(crate) async fn run(global: Global, args: &RefactorArgs, task: Task, alive: Alive) -> Result<u8> {
    if args.how.dry_run {
        return dry_run(global, task.request, &args.how).await;
    }
    let generation = answer(global, task.request, alive).await?;
    if global.json {
        show::out(&json::text(&generation.schema())?)?;
    } else {
        show::out(generation.diff.as_deref().unwrap_or_default())?;
    }
    match (args.write, generation.accepted) {
        (true, true) => {
            write(&generation, &task.originals).map_err(|error| error.with_partial(generation.clone()))?;
        }
        (true, false) => show::note("warning: the answer is rejected, so no file was changed"),
        (false, _) => {}
    }
    told(&generation)
}

/// Puts the changed files in the place of their originals. Files that were not given are left out and named.
fn write(generation: &Generation, originals: &BTreeMap<String, PathBuf>) -> Result<()> {
    for file in &generation.files {
        let only = (originals.len() == 1 && generation.files.len() == 1).then(|| originals.values().next());
        let given = file.path.as_ref().map(|path| originals.get(path));
        match given.or(only).flatten() {
            Some(original) => replace(file, original)?,
            None => show::note(&format!(
                "warning: {} was not given and is not written; results download has it",
                file.path.as_deref().unwrap_or("a file without a name")
            )),
        }
    }
    Ok(())
}

/// Writes one file over its original and leaves the original's permissions.
fn replace(file: &CodeFile, original: &Path) -> Result<()> {
    let failed = |error| {
        Error::new(
            ErrorKind::Storage,
            format!("cannot write {}: {error}; nothing of it is changed", original.display()),
        )
    };
    // A link stays a link: what it points at is replaced.
    let place = original.canonicalize().map_err(failed)?;
    let permissions = std::fs::metadata(&place).map_err(failed)?.permissions();
    let (Some(dir), Some(name)) = (place.parent(), place.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::invalid(format!("{} is not a file in a directory", original.display())));
    };
    let file = CodeFile { path: Some(name.to_owned()), ..file.clone() };
    // It was given by name: that it runs by being opened is known to who gave it.
    let options = WriteOptions { overwrite: true, allow_auto_exec: true, skip_rejected: false };
    write_to(&[file], dir, options)?;
    std::fs::set_permissions(&place, permissions).map_err(failed)
}
