//! The stored results of a batch, by its journal.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use claude_code_core::store::ResultRow;
use claude_code_core::{Error, ErrorKind, Generation, Result};
use serde::Deserialize;

/// What is read of a line about an answer.
#[derive(Deserialize)]
struct Line {
    generation: Generation,
}

/// The rows of the results that the batch with this journal stored, newest first, at most so many. Another process may have
/// the journal open.
pub fn rows(path: &Path, limit: usize) -> Result<Vec<ResultRow>> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, format!("journal {} cannot be read: {error}", path.display()))
    };
    let (mut rows, mut seen) = (Vec::new(), HashSet::new());
    for line in BufReader::new(File::open(path).map_err(failed)?).split(b'\n') {
        // Other lines are about the batch and its jobs; the last one may be cut.
        let Ok(Line { generation }) = serde_json::from_slice(&line.map_err(failed)?) else { continue };
        // Repeats share the result of the first one.
        if generation.stored && seen.insert(generation.id.clone()) {
            rows.push(ResultRow::of(&generation));
        }
    }
    rows.sort_by(|a, b| b.generated_at.cmp(&a.generated_at));
    rows.truncate(limit);
    Ok(rows)
}
