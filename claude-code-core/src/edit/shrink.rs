//! The shrink guard: a file that would lose more than half of its lines, or all that it defines, is not written unasked.

use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;
use crate::validate::definitions::definitions;
use crate::validate::lost::{Losses, names};

/// Files with fewer lines are too short for a share of them to say anything.
const MIN_LINES: usize = 10;

/// What a file would lose if this text took its place, as the end of a sentence; none if that is little, or what the
/// words that asked for the change name.
pub fn shrinkage(path: &str, before: &str, after: &str, asked: &str) -> Option<String> {
    let language = Language::from_path(path).unwrap_or_else(Language::text);
    let defined = definitions(language.as_str(), before);
    let mut rest = before.to_owned();
    for one in defined.iter().rev().filter(|one| names(asked, one.own.rsplit('.').next().unwrap_or(&one.own)))
    {
        if rest.get(one.core.clone()).is_some() {
            rest.replace_range(one.core.clone(), "");
        }
    }
    let lines = |text: &str| text.lines().filter(|line| !line.trim().is_empty()).count();
    let (had, has) = (lines(&rest), lines(after));
    if had >= MIN_LINES && has * 2 < had {
        return Some(format!("{} of its {had} lines", had - has));
    }
    let given = SourceFile { path: path.to_owned(), content: before.to_owned() };
    let content = after.to_owned();
    let file = CodeFile { path: Some(path.to_owned()), language, content, complete: true, rejected: None };
    let files = [file];
    let lost = Losses::new(std::slice::from_ref(&given), &files, asked).names(&given, &files[0]);
    let outer = defined.iter().filter(|one| !one.name.contains('.')).count();
    (outer > 0 && lost.len() >= outer).then(|| "everything that it defines".to_owned())
}
