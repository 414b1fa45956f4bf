//! Which files of an answer are not written, and why: refused names, what runs by itself, what exists, what would shrink.

use std::path::Path;

use cap_std::fs::Dir;
use claude_code_core::answer::auto_run::{AutoRun, auto_run};
use claude_code_core::answer::file::{CodeFile, names, refuse_set};
use claude_code_core::edit::shrinkage;
use claude_code_core::{Error, ErrorKind, Result};

use super::write::{STAGE, WriteOptions, exists};

/// The files that these options keep from being written, by name or number, with the reason.
pub fn refused(files: &[CodeFile], options: &WriteOptions) -> Vec<(String, String)> {
    let names = names(files);
    let why = |file: &CodeFile| match (
        &file.rejected,
        auto_run(file.path.as_deref().unwrap_or_default(), &file.content),
    ) {
        (Some(reason), _) => Some(reason.clone()),
        (None, AutoRun::Never(why)) => Some(format!("{why}: such a file is never written")),
        (None, AutoRun::Asks(why)) if !options.allow_auto_exec => {
            Some(format!("it runs by itself ({why}): --allow-auto-exec (allow_auto_exec=True) writes it"))
        }
        _ => None,
    };
    files.iter().zip(names).filter_map(|(file, name)| Some((name, why(file)?))).collect()
}

/// Fails for a file that would lose most of what it holds.
pub(super) fn refuse_shrinking(dir: &Path, wanted: &[(String, &CodeFile)], asked: &str) -> Result<()> {
    for (path, file) in wanted {
        let Ok(before) = std::fs::read_to_string(dir.join(path)) else { continue };
        if let Some(what) = shrinkage(path, &before, &file.content, asked) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "{path:?} would lose {what}; nothing was written: --yes (allow_shrink=True) writes it all the same"
                ),
            ));
        }
    }
    Ok(())
}

/// The files that are to be written with their names, or why none is.
pub(super) fn checked<'f>(
    files: &'f [CodeFile],
    options: &WriteOptions,
    are_given: bool,
) -> Result<Vec<(String, &'f CodeFile)>> {
    let refused = if are_given { Vec::new() } else { refused(files, options) };
    if let Some((name, why)) = refused.first().filter(|_| !options.skip_refused) {
        return Err(Error::invalid(format!(
            "{name:?} is refused: {why}; nothing was written; --skip-refused (skip_refused=True) writes the others"
        )));
    }
    let all = names(files).into_iter().zip(files);
    let wanted: Vec<(String, &CodeFile)> =
        all.filter(|(name, _)| !refused.iter().any(|(refused, _)| refused == name)).collect();
    if let Some(reason) = refuse_set(wanted.iter().map(|(path, file)| (path.as_str(), file.size()))) {
        return Err(Error::invalid(format!("{reason}; nothing was written")));
    }
    for (path, file) in &wanted {
        if path.to_ascii_lowercase().starts_with(STAGE) {
            return Err(Error::invalid(format!(
                "{path:?} begins as our own directories do; nothing was written"
            )));
        }
        if !file.complete {
            return Err(Error::invalid(format!(
                "{path:?} is not complete; resume the answer, then write it"
            )));
        }
    }
    Ok(wanted)
}

pub(super) fn refuse_existing(root: &Dir, wanted: &[(String, &CodeFile)]) -> Result<()> {
    let existing = wanted.iter().find(|(path, _)| root.symlink_metadata(path).is_ok());
    existing.map_or(Ok(()), |(path, _)| Err(exists(path)))
}
