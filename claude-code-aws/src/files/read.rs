//! Source files of this machine as a request takes them, with the names that the model sees.

use std::path::{Component, Path};

use claude_code_core::answer::path::refusal;
use claude_code_core::request::SourceFile;
use claude_code_core::{Error, Result};

/// The name that the model sees for a file: its path as it was given where that is a relative one, else its path below
/// the current directory, else the file's own name. Where a user keeps files is nobody else's business, and a name that
/// the path policy refuses could never come back in an answer. Fails for a name that is not UTF-8.
pub fn name_of(path: &Path) -> Result<String> {
    let unusable = || {
        let what = match path.file_name().map(|name| name.to_str()) {
            _ if path.is_dir() => "it is a directory: name the files in it".to_owned(),
            None => "it does not name a file".to_owned(),
            Some(None) => "its name is not UTF-8: rename it".to_owned(),
            Some(Some(name)) => {
                refusal(name).map_or("its name cannot be used".to_owned(), |why| why.to_string())
            }
        };
        Error::invalid(format!("{path:?} cannot be given to a model: {what}"))
    };
    if let Some(given) = usable(path) {
        return Ok(given);
    }
    let below = below_here(path);
    let own = || path.file_name().and_then(|name| usable(Path::new(name)));
    below.or_else(own).ok_or_else(unusable)
}

/// Fails if two files have the same name: no answer could tell which of them it changes.
pub fn distinct(files: &[SourceFile]) -> Result<()> {
    let twice = files.iter().enumerate().find(|(at, file)| files[..*at].iter().any(|f| f.path == file.path));
    match twice {
        Some((_, SourceFile { path, .. })) => Err(Error::invalid(format!(
            "two of the files would be {path:?} to the model: give them from a directory above both"
        ))),
        None => Ok(()),
    }
}

/// The path with `/` between its parts, if a model may give it back.
fn usable(path: &Path) -> Option<String> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let parts: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/")).filter(|name| refusal(name).is_none())
}

/// The path from the current directory down. A link keeps its own name.
fn below_here(path: &Path) -> Option<String> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let place = parent.canonicalize().ok()?.join(path.file_name()?);
    usable(place.strip_prefix(here).ok()?)
}
