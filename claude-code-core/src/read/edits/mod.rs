//! Edits in every spelling that is read: one file for each spelling.
//!
//! Search/replace blocks are read while the answer arrives. Unified diffs and patches are whole blocks of an answer, and
//! files between tags are looked for in an answer that has no other file: those are read once they are whole.

mod other_forms;
mod patch;
mod search_replace;
mod tags;
mod unified_diff;

pub(super) use search_replace::{EditReader, begins, ends};
pub(super) use tags::{Tagged, read as between_tags};

use super::answer::Edit;
use crate::answer::file;

/// The edits of a text that is a unified diff or a patch, or that contains one; none for any other text.
pub(crate) fn of_patch(text: &str) -> Option<Vec<Edit>> {
    patch::edits(text).or_else(|| unified_diff::edits(text)).filter(|edits| !edits.is_empty())
}

/// The edit with a refused path taken out, and why it was refused.
pub(super) fn checked(mut edit: Edit) -> (Edit, Option<String>) {
    edit.path = edit.path.map(file::without_here);
    let refused = edit.path.as_deref().and_then(file::refusal);
    if refused.is_some() {
        edit.path = None;
    }
    (edit, refused)
}
