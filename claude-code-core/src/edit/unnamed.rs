//! What a block without a name stands for where files were given: all of one, some of its definitions, a part that cannot
//! be placed, or nothing that is to be stored.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::request::SourceFile;
use crate::validate::definitions::{Item, definitions, items};
use crate::validate::lost::{Losses, kept_lines, last, names};

/// Files of so few lines that say something are changed as a whole.
const FEW: usize = 3;
/// Languages of blocks that are often commands, and what they print.
const COMMANDS: [&str; 6] = ["bash", "console", "powershell", "shell-session", "terminal", "text"];

/// What a block stands for.
pub(crate) enum Meaning {
    /// All of the file.
    Whole,
    /// Definitions of the file, each of which is there once: its content with them in their places.
    Definitions { content: String, names: Vec<String> },
    /// A part of it.
    Part,
    /// Nothing of it.
    Nothing,
}

/// What a block stands for, of the one given file that fits best; `current` is what these are now.
pub(crate) fn meaning<'g>(
    given: &'g [SourceFile],
    current: &BTreeMap<String, String>,
    block: &CodeFile,
    asked: &str,
) -> (Option<&'g SourceFile>, Meaning) {
    let mut best: Vec<(u8, &SourceFile, Meaning)> = Vec::new();
    for file in given {
        let now =
            SourceFile { content: current.get(&file.path).unwrap_or(&file.content).clone(), ..file.clone() };
        let meaning = of_file(&now, block, asked, given.len() == 1);
        let rank = match &meaning {
            Meaning::Whole => 3,
            Meaning::Definitions { .. } => 2,
            Meaning::Part => 1,
            Meaning::Nothing => 0,
        };
        best.push((rank, file, meaning));
    }
    best.sort_by_key(|(rank, ..)| std::cmp::Reverse(*rank));
    let is_tied = best.len() > 1 && best[0].0 > 0 && best[0].0 == best[1].0;
    match best.into_iter().next() {
        // Of two files nobody can tell which is meant.
        Some((_, file, _)) if is_tied => (Some(file), Meaning::Part),
        Some((_, file, meaning)) => (Some(file), meaning),
        None => (None, Meaning::Nothing),
    }
}

fn of_file(given: &SourceFile, block: &CodeFile, asked: &str, is_only: bool) -> Meaning {
    let language = Language::from_path(&given.path);
    let is_command = COMMANDS.contains(&block.language.as_str()) && block.language != Language::text();
    let is_other = language.as_ref().map_or(is_command, |language| !is_alike(language, &block.language));
    if block.content.trim().is_empty() || is_other {
        return Meaning::Nothing;
    }
    let language = language.unwrap_or_else(|| block.language.clone());
    let language = language.as_str();
    let own = definitions(language, &given.content);
    let known: HashSet<&str> = own.iter().map(|one| one.name.as_str()).collect();
    let theirs = definitions(language, &block.content);
    let shares = theirs.iter().any(|one| {
        known.contains(one.name.as_str()) || known.iter().any(|name| name.ends_with(&format!(".{}", one.own)))
    });
    let file = CodeFile { path: Some(given.path.clone()), ..block.clone() };
    let files = [file];
    let lost = Losses::new(std::slice::from_ref(given), &files, asked).names(given, &files[0]);
    let (kept, of) = kept_lines(&without_named(given, &own, asked), &block.content);
    if kept * 2 >= of && (of > 0 || shares) {
        return Meaning::Whole;
    }
    if let Some((content, names)) = in_place(language, &given.content, &block.content) {
        return Meaning::Definitions { content, names };
    }
    let is_command = COMMANDS.contains(&language);
    let (_, all) = kept_lines(&given.content, "");
    if lost.is_empty()
        && ((shares && !own.is_empty())
            || (is_only
                && all <= FEW
                && !is_command
                && own.is_empty()
                && shares_word(&given.content, &block.content)))
    {
        return Meaning::Whole;
    }
    if shares || kept * 8 >= of.max(1) { Meaning::Part } else { Meaning::Nothing }
}

/// Whether two texts have a word in common: what a program prints has none of its own.
fn shares_word(one: &str, other: &str) -> bool {
    let words = |text: &str| -> HashSet<String> {
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() > 1);
        words.map(str::to_owned).collect()
    };
    !words(one).is_disjoint(&words(other))
}

/// Whether a fence of this language can be of that file: JavaScript and TypeScript are written for each other.
fn is_alike(file: &Language, block: &Language) -> bool {
    let script =
        |language: &Language| matches!(language.as_str(), "javascript" | "typescript" | "tsx" | "jsx");
    file == block || (script(file) && script(block))
}

/// The given text without the definitions that the instructions name: those may go.
fn without_named(
    given: &SourceFile,
    own: &[crate::validate::definitions::Definition],
    asked: &str,
) -> String {
    let mut text = given.content.clone();
    let named = own.iter().rev().filter(|one| names(asked, last(&one.own)));
    for one in named {
        if text.get(one.core.clone()).is_some() {
            text.replace_range(one.core.clone(), "");
        }
    }
    text
}

/// The given text with each definition of the block in the place of the only one of that name; none if the block has
/// anything else, or nothing changes.
fn in_place(language: &str, given: &str, block: &str) -> Option<(String, Vec<String>)> {
    let new = items(language, block)?;
    let old = items(language, given)?;
    let defined: Vec<&Item> = new.iter().filter(|item| !item.is_comment).collect();
    if defined.is_empty() || defined.iter().any(|item| item.names.len() != 1) {
        return None;
    }
    let mut content = given.to_owned();
    let mut places = Vec::new();
    for item in defined {
        let mut found = Vec::new();
        of_name(&old, &item.names[0], &mut found);
        let [place] = found.as_slice() else { return None };
        places.push((place.core.clone(), item.core.clone(), item.names[0].clone()));
    }
    places.sort_by_key(|(range, ..)| std::cmp::Reverse(range.start));
    if places.windows(2).any(|pair| pair[1].0.end > pair[0].0.start) {
        return None;
    }
    for (range, own, _) in &places {
        let indented = as_deep_as(&content, range.start, block, own);
        content.replace_range(range.clone(), &indented);
    }
    let names = places.into_iter().rev().map(|(.., name)| name).collect();
    (content != given).then_some((content, names))
}

fn of_name<'i>(items: &'i [Item], name: &str, found: &mut Vec<&'i Item>) {
    for item in items {
        if item.names.iter().any(|own| own == name) {
            found.push(item);
        }
        of_name(&item.items, name, found);
    }
}

/// A definition of the block with the indentation that the place has.
fn as_deep_as(given: &str, at: usize, block: &str, own: &Range<usize>) -> String {
    let indent = |text: &str, at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = &text[start..at];
        if before.trim().is_empty() { before.to_owned() } else { String::new() }
    };
    let (wanted, had) = (indent(given, at), indent(block, own.start));
    let mut lines = block[own.clone()].split_inclusive('\n');
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |mut all, line| {
        match line.strip_prefix(had.as_str()) {
            Some(rest) if !line.trim().is_empty() => {
                all.push_str(&wanted);
                all.push_str(rest);
            }
            _ => all.push_str(line),
        }
        all
    })
}
