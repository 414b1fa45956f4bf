//! The models and prices of one's own, from a JSON file.

use std::path::Path;

use claude_code_core::{Catalogue, Error, Result};

/// The largest file that is read: a thousand times what a hundred models need would be a mistake.
const MOST: u64 = 4 << 20;

/// The built-in catalogue with the changes of a file ([`Catalogue::with_changes`]). `name` is what named the file.
pub fn catalogue_of(path: &Path, name: &str) -> Result<&'static Catalogue> {
    let wrong = |what: String| Error::invalid(format!("{name}={:?}: {what}", path.display().to_string()));
    let size = std::fs::metadata(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?.len();
    if size > MOST {
        return Err(wrong(format!("{size} bytes are no catalogue: at most {MOST} are read")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    // Editors of Windows begin a file with a BOM.
    Catalogue::with_changes(text.trim_start_matches('\u{feff}'))
        .map_err(|error| wrong(error.message().to_owned()))
}
