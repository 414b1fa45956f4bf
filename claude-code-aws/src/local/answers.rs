//! Who answers instead of Bedrock's models, by the path of a file: a script.

use std::path::Path;
use std::sync::Arc;

use claude_code_core::{Error, Result};

use super::brain::Brain;
use super::samples::Samples;
use super::scripted::Scripted;

/// The script in this file; after its last step the sample answers. Fails naming the file and what is wrong with it.
pub fn answers_of(path: &Path) -> Result<Arc<dyn Brain>> {
    let unread = |error| Error::invalid(format!("cannot read {}: {error}", path.display()));
    let script = std::fs::read_to_string(path).map_err(unread)?;
    Ok(Arc::new(Scripted::parse(&script, Arc::new(Samples::built_in()))?))
}
