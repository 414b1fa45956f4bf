//! `refactor`: changes given files by instructions; prints the diff, and writes only when asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use claude_code_core::request::SourceFile;
use claude_code_core::{CodeFile, Error, ErrorKind, GenerateRequest, Generation, Result};

use super::generate::{answer, asked, dry_run, not_written, read, told, warn_of_refused};
use crate::cli::args::Global;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::cli::run::Alive;
use crate::cli::task_args::RefactorArgs;
use crate::files::git::is_uncommitted;
use crate::files::read::{distinct, name_of};
use crate::files::write::{Batch, WriteOptions, write_batches};

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
    let request = asked(GenerateRequest::refactor(files, &args.instructions), &args.how)?;
    Ok(Task { request, originals })
}

/// Asks for the changes and prints them.
pub(crate) async fn run(global: Global, args: &RefactorArgs, task: Task, alive: Alive) -> Result<u8> {
    if args.how.dry_run {
        return dry_run(global, task.request, &args.how).await;
    }
    let generation = answer(global, task.request.clone(), alive).await?;
    let written = match args.write && generation.accepted {
        true => write(global, &generation, &task, args),
        false => Ok(()),
    };
    if !global.json {
        show::diff(generation.diff.as_deref().unwrap_or_default())?;
    }
    if let Err(error) = written {
        return not_written(global, error, generation);
    }
    if global.json {
        show::out(&json::text(&generation.schema())?)?;
    }
    if args.write && !generation.accepted {
        show::note("warning: the answer is rejected, so no file was changed");
    }
    told(&generation)
}

/// Puts the changed files in the place of their originals, and new ones beside them: all of them or none.
fn write(global: Global, generation: &Generation, task: &Task, args: &RefactorArgs) -> Result<()> {
    let (overwrite, originals) = (args.overwrite, &task.originals);
    let given = |file: &CodeFile| file.path.as_ref().and_then(|path| originals.get(path));
    let mut batches: Vec<Batch> = Vec::new();
    let mut new = Vec::new();
    for file in &generation.files {
        match given(file) {
            Some(original) => batches.push(replacement(file, original)?),
            None => new.push(file.clone()),
        }
    }
    let options =
        WriteOptions { asked: args.instructions.clone(), ..args.to_write.options(global, &generation.id)? };
    warn_of_refused(&new, &options);
    let root = root(originals);
    let known: Vec<PathBuf> = new.iter().filter_map(|file| Some(root.join(file.path.as_ref()?))).collect();
    if !new.is_empty() {
        batches.push(Batch { dir: root, files: new, overwrite, are_given: false });
    }
    let uncommitted: Vec<PathBuf> = originals.values().filter(|path| is_uncommitted(path)).cloned().collect();
    for path in write_batches(&batches, &options)? {
        if known.contains(&path) {
            show::note(&format!("new: {}", path.display()));
        }
    }
    for path in uncommitted {
        let path = path.display();
        show::note(&format!(
            "note: {path} had changes that Git has not; `claude-code-aws undo` brings them back"
        ));
    }
    Ok(())
}

/// The directory that the names which the model sees are relative to.
fn root(originals: &BTreeMap<String, PathBuf>) -> PathBuf {
    let roots = originals.iter().map(|(name, path)| {
        let depth = name.split('/').count();
        path.ancestors().nth(depth).filter(|_| path.ends_with(name)).map(Path::to_path_buf)
    });
    let mut roots: Vec<Option<PathBuf>> = roots.collect();
    roots.dedup();
    let here = || PathBuf::from(".");
    match roots.as_slice() {
        [Some(root)] if !root.as_os_str().is_empty() => root.clone(),
        _ => here(),
    }
}

/// A file in the place of its original.
fn replacement(file: &CodeFile, original: &Path) -> Result<Batch> {
    let failed = |error| {
        Error::new(
            ErrorKind::Storage,
            format!("cannot write {}: {error}; nothing of it is changed", original.display()),
        )
    };
    // A link stays a link: what it points at is replaced.
    let place = original.canonicalize().map_err(failed)?;
    let (Some(dir), Some(name)) = (place.parent(), place.file_name().and_then(|name| name.to_str())) else {
        return Err(Error::invalid(format!("{} is not a file in a directory", original.display())));
    };
    let file = CodeFile { path: Some(name.to_owned()), ..file.clone() };
    Ok(Batch { dir: dir.to_owned(), files: vec![file], overwrite: true, are_given: true })
}
