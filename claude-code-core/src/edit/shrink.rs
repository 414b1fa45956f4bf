//! The shrink guard: a file that would lose more than half of its lines, or all that it defines, is not written unasked.

use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;
use crate::validate::definitions::definitions;
use crate::validate::lost::{Losses, last, names, without_file_names};

/// Files with fewer lines are too short for a share of them to say anything.
const MIN_LINES: usize = 10;

/// What a file would lose if this text took its place, as the end of a sentence; none if that is little, or what the
/// words that asked for the change name.
pub fn shrinkage(path: &str, before: &str, after: &str, asked: &str) -> Option<String> {
    let asked = &without_file_names(asked, std::iter::once(path));
    let language = Language::from_path(path).unwrap_or_else(Language::text);
    let defined = definitions(language.as_str(), before);
    let mut rest = before.to_owned();
    for one in defined.iter().rev().filter(|one| names(asked, last(&one.own))) {
        if rest.get(one.core.clone()).is_some() {
            rest.replace_range(one.core.clone(), "");
        }
    }
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let rest = if has_conflict(after) { rest } else { resolved(&rest) };
    let (had, has) = (lines(&rest), lines(after));
    if had >= MIN_LINES && has * 2 < had {
        return Some(format!("{} of its {had} lines", had - has));
    }
    let given = SourceFile { path: path.to_owned(), content: before.to_owned() };
    let content = after.to_owned();
    let file = CodeFile { path: Some(path.to_owned()), language, content, complete: true, rejected: None };
    let files = [file];
    let lost = Losses::new(std::slice::from_ref(&given), &files, asked).names(&given, &files[0]);
    let is_inner = |name: &str| {
        name.rsplit_once('.').is_some_and(|(above, _)| defined.iter().any(|one| one.name == above))
    };
    let mut outer = defined.iter().map(|one| &one.name).filter(|name| !is_inner(name)).peekable();
    (outer.peek().is_some() && outer.all(|name| lost.contains(name)))
        .then(|| "everything that it defines".to_owned())
}

/// How Git begins the two ends of a conflict.
const ENDS: [&str; 2] = ["<<<<<<< ", ">>>>>>> "];

fn has_conflict(text: &str) -> bool {
    ENDS.iter().all(|end| text.lines().any(|line| line.starts_with(end)))
}

/// The text with one side of each conflict of Git: to resolve it is to take that much away.
fn resolved(text: &str) -> String {
    if !has_conflict(text) {
        return text.to_owned();
    }
    let mut is_first_side = false;
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let is_mark = ENDS.iter().any(|end| line.starts_with(end)) || line.trim_end() == "=======";
        is_first_side = (is_first_side || line.starts_with(ENDS[0])) && line.trim_end() != "=======";
        if !is_first_side && !is_mark {
            kept.push_str(line);
        }
    }
    kept
}
