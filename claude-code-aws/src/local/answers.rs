//! Who answers instead of Bedrock's models, by a path: a script, or a directory of recorded exchanges.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::{Error, Result};

use super::bedrock::Recorded;
use super::brain::Brain;
use super::samples::Samples;
use super::scripted::Scripted;
use super::twin::Twin;

/// A twin that plays what this path holds: the script of a file, or the recorded exchanges of a directory. It has no state
/// directory of its own. Fails naming the path and what is wrong with it.
pub fn answers_of(path: &Path) -> Result<Twin> {
    let nowhere = Path::new("");
    match path.is_dir() {
        true => Ok(Twin::of_recorded(nowhere, Recorded::open(path)?)),
        false => Ok(Twin::lazy(nowhere, script_of(path)?)),
    }
}

/// The script in this file; after its last step the sample answers. Fails naming the file and what is wrong with it.
pub fn script_of(path: &Path) -> Result<Arc<dyn Brain>> {
    let unread = |error| Error::invalid(format!("cannot read {}: {error}", path.display()));
    let script = std::fs::read_to_string(path).map_err(unread)?;
    Ok(Arc::new(Scripted::parse(&script, Arc::new(Samples::built_in()))?))
}
