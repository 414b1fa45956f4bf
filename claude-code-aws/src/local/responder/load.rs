//! Responder selection by path: a script, a directory of recorded exchanges, or one of sample answers.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::{Error, Result};

use super::Responder;
use super::scripted::Scripted;
use crate::local::bedrock::Recorded;
use crate::local::samples::Samples;
use crate::local::twin::Twin;

/// A twin that plays what this path holds, with no state directory of its own; see [`answers_at`].
pub fn answers_of(path: &Path) -> Result<Twin> {
    answers_at(Path::new(""), path)
}

/// A twin with its state in `directory` that plays what the path holds: the recorded exchanges of a directory, the sample
/// answers of one with Markdown files ([`Samples::of_directory`]), or the script of a file and after its last step the
/// sample answers. Fails naming the path and what is wrong with it.
pub fn answers_at(directory: &Path, path: &Path) -> Result<Twin> {
    if has_samples(path) {
        let twin = Twin::lazy(directory, Arc::new(Samples::of_directory(path)?));
        return Ok(twin.answering_from(&exchanges(path)?));
    }
    if path.is_dir() {
        let twin = Twin::of_recorded(directory, Recorded::open(path)?);
        return Ok(twin.answering_from(&exchanges(path)?));
    }
    let script = read(path)?;
    Ok(Twin::lazy(directory, parsed(path, &script)?).answering_from(script.as_bytes()))
}

/// The script in this file; after its last step the sample answers. Fails naming the file and what is wrong with it.
pub fn script_of(path: &Path) -> Result<Arc<dyn Responder>> {
    parsed(path, &read(path)?)
}

fn parsed(path: &Path, script: &str) -> Result<Arc<dyn Responder>> {
    // Editors of Windows begin a file with a BOM.
    let script = script.trim_start_matches('\u{feff}');
    let scripted = Scripted::parse(script, Arc::new(Samples::built_in()));
    let named = |error: Error| Error::invalid(format!("{}: {}", path.display(), error.message()));
    Ok(Arc::new(scripted.map_err(named)?))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| unread(path, &error))
}

/// Whether this is a directory with Markdown files: recorded exchanges have none.
pub(crate) fn has_samples(path: &Path) -> bool {
    let is_sample = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.path().extension().is_some_and(|extension| extension == "md"))
    };
    path.read_dir().is_ok_and(|mut entries| entries.any(is_sample))
}

/// Names, sizes and times of a directory's files: another recording has others.
fn exchanges(directory: &Path) -> Result<Vec<u8>> {
    let mut files = Vec::new();
    for entry in directory.read_dir().map_err(|error| unread(directory, &error))? {
        let entry = entry.map_err(|error| unread(directory, &error))?;
        let about = entry.metadata().map_err(|error| unread(directory, &error))?;
        let changed = about.modified().ok().and_then(crate::clock::millis);
        files.push(format!("{:?} {} {changed:?}\n", entry.path(), about.len()));
    }
    files.sort();
    Ok(files.concat().into_bytes())
}

fn unread(path: &Path, error: &std::io::Error) -> Error {
    Error::invalid(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_script_with_a_bom_is_read_and_one_that_is_wrong_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script.json");
        std::fs::write(&path, "\u{feff}{\"steps\": []}").unwrap();
        assert!(script_of(&path).is_ok());
        std::fs::write(&path, "{").unwrap();
        let error = script_of(&path).unwrap_err();
        assert!(error.message().contains("script.json: "), "{error}");
    }
}
