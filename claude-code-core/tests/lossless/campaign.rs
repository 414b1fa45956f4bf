//! Seeded answers of lazy and of honest models over files of 5 to 40 definitions.

use std::collections::BTreeMap;

use super::generated::{Given, Lang, Seeded, definition, inlining, joined};
use super::{marked, refactored};

/// `CAMPAIGN=500` runs so many, `CAMPAIGN=1` five thousand.
fn seeds() -> u64 {
    match std::env::var("CAMPAIGN").map(|count| count.parse()) {
        Ok(Ok(count @ 2..)) => count,
        Ok(_) => 5000,
        Err(_) => 250,
    }
}

const MARKS: [&str; 8] = [
    "... existing code ...",
    "rest of the code unchanged",
    "... (other functions remain unchanged) ...",
    "[rest of the file unchanged]",
    "... rest of the file ...",
    "...",
    "... remaining functions ...",
    "existing code",
];

#[tokio::test]
async fn no_lazy_answer_is_accepted_with_a_lost_definition() {
    let (mut counts, mut lost, mut unfilled) = (BTreeMap::new(), Vec::new(), Vec::new());
    // Of each language: answers that can be filled, and those that are.
    let mut fills: BTreeMap<Lang, (usize, usize)> = BTreeMap::new();
    for seed in 0..seeds() {
        let mut chance = Seeded(seed);
        let given = Given::new(&mut chance);
        let (lang, count) = (given.lang, given.definitions.len());
        let at = chance.below(count);
        let changed = given.changed(at);
        let asked = format!("Change a number in {}.", given.definitions[at].0);
        let mut texts: Vec<String> = given.definitions.iter().map(|(_, text)| text.clone()).collect();
        texts[at] = changed.clone();
        let right = joined(lang, texts.iter().map(String::as_str));
        let right_texts = texts.clone();
        let kind = *chance.of(&[
            "elides",
            "drops",
            "truncates",
            "reorders and drops",
            "fragment",
            "elides twice",
            "empties",
            "skips",
        ]);
        let mark = format!("{} {}\n", lang.comment(), chance.of(&MARKS));
        let answer = match kind {
            "elides" | "elides twice" => {
                // What stands before and behind the change, or one of both.
                let (before, after) = (chance.below(at + 1), (count - 1 - at).min(chance.below(count)));
                // Something is left out in any case.
                let after =
                    if before == at && at + after + 1 == count { after.saturating_sub(1) } else { after };
                let before = if before == at && after == 0 && at + 1 == count { before - 1 } else { before };
                let mut kept: Vec<&str> = Vec::new();
                if at - before > 0 {
                    kept.push(&mark)
                }
                kept.extend(texts[at - before..=at + after].iter().map(String::as_str));
                if at + after + 1 < count {
                    kept.push(&mark)
                }
                joined(lang, kept.into_iter())
            }
            "drops" => {
                let gone = (at + 1 + chance.below(count - 1)) % count;
                joined(lang, (0..count).filter(|n| *n != gone).map(|n| texts[n].as_str()))
            }
            "truncates" => {
                let whole = joined(lang, texts.iter().map(String::as_str));
                let lines: Vec<&str> = whole.split_inclusive('\n').collect();
                let cut = lines.len() / 3 + chance.below(lines.len() / 2);
                lines[..cut].concat()
            }
            "reorders and drops" => {
                let gone = (at + 1 + chance.below(count - 1)) % count;
                joined(lang, (0..count).rev().filter(|n| *n != gone).map(|n| texts[n].as_str()))
            }
            "empties" | "skips" => {
                let other = (at + 1 + chance.below(count - 1)) % count;
                texts[other] = thinned(&texts[other], kind == "empties", mark.trim());
                joined(lang, texts.iter().map(String::as_str))
            }
            _ => changed.clone(),
        };
        let texts: Vec<String> = right_texts;
        let is_named = kind != "fragment" || chance.below(2) == 0;
        let outcome = refactored(&[(lang.path(), &given.text())], &asked, |nonce| match is_named {
            true => marked(nonce, lang.path(), &answer),
            false => format!("Only this changes:\n\n```{}\n{answer}```\n", lang.fence()),
        });
        let outcome = outcome.await;
        *counts.entry(kind).or_insert(0) += 1;
        let can_fill = matches!(kind, "elides" | "elides twice" | "empties" | "skips")
            || (kind == "fragment" && !is_named);
        let fill = fills.entry(lang).or_default();
        fill.0 += usize::from(can_fill);
        let g = match outcome {
            Ok(g) if g.accepted => g,
            outcome => {
                let why = outcome.map_or_else(|error| error.to_string(), |g| format!("{:?}", g.diagnostics));
                unfilled.extend(can_fill.then(|| format!("seed {seed}, {kind}, {lang:?}: {why}")));
                continue;
            }
        };
        let after = g.files.first().map(|file| file.content.clone()).unwrap_or_default();
        fill.1 += usize::from(can_fill && after == right);
        if can_fill && after != right {
            unfilled.push(format!("seed {seed}, {kind}, {lang:?}: filled otherwise"));
        }
        let gone: Vec<&str> = (0..count)
            .filter(|n| !after.contains(texts[*n].trim_end()))
            .map(|n| given.definitions[n].0.as_str())
            .collect();
        if !gone.is_empty() {
            lost.push(format!("seed {seed}, {kind}, {lang:?}: {gone:?}"));
        }
    }
    println!("lazy answers {counts:?}: {} accepted with a loss; of those that can be filled:", lost.len());
    fills.iter().for_each(|(lang, (of, are))| println!("  {lang:?}: {are} of {of}"));
    println!("{}", unfilled.join("\n"));
    assert!(lost.is_empty(), "{}", lost.join("\n"));
    for (lang, (of, are)) in fills {
        assert!(are * 100 >= of * 95, "{lang:?}: {are} of {of}");
    }
}

/// A definition of which a mark stands for what is inside: all of it, or all but its last line. One of a line or two is too
/// short to be left out.
fn thinned(text: &str, is_all: bool, mark: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_head = |line: &&str| !line.trim_start().starts_with(['#', '/', '@', '*']);
    let head = lines.iter().position(is_head).unwrap_or(0);
    let first = if lines.get(head + 1).is_some_and(|line| line.trim() == "{") { head + 2 } else { head + 1 };
    let is_closed = lines.last().is_some_and(|line| matches!(line.trim(), "}" | "};" | "end"));
    let end = lines.len() - usize::from(is_closed);
    let is_whole = lines[end - 1].trim().chars().any(char::is_alphanumeric);
    let end = end - usize::from(!is_all && is_whole);
    if first >= end {
        return text.to_owned();
    }
    let indent = &lines[first][..lines[first].len() - lines[first].trim_start().len()];
    format!("{}{indent}{mark}\n{}", lines[..first].concat(), lines[end..].concat())
}

#[tokio::test]
async fn no_honest_answer_is_taken_for_a_lazy_one() {
    let (mut counts, mut wrong) = (BTreeMap::new(), Vec::new());
    for seed in 0..seeds() {
        let mut chance = Seeded(seed + 1_000_000);
        let given = Given::new(&mut chance);
        let (lang, count) = (given.lang, given.definitions.len());
        let at = chance.below(count);
        let name = given.definitions[at].0.clone();
        let mut texts: Vec<String> = given.definitions.iter().map(|(_, text)| text.clone()).collect();
        let kind =
            *chance.of(&["changes", "renames", "moves", "inlines", "adds", "reorders", "removes as asked"]);
        let (mut before, mut more, mut asked) =
            (given.text(), String::new(), "Make the code easier to read.".to_owned());
        match kind {
            "changes" => texts[at] = given.changed(at),
            "renames" => {
                let new = if name.starts_with(|c: char| c.is_uppercase()) {
                    "Renamed7".to_owned()
                } else {
                    "renamed_7".to_owned()
                };
                texts.iter_mut().for_each(|text| *text = text.replace(&name, &new));
            }
            "moves" => {
                let moved = texts.remove(at);
                let path = lang.path().replace("hop.", "hop_moved.");
                let begin = if lang == Lang::Php { "<?php\n\n" } else { "" };
                more = format!("{path}\n{begin}{moved}");
                asked = "Split the file in two.".to_owned();
            }
            "inlines" => {
                let (helper, user, inlined) = inlining(lang);
                before = format!("{before}{}{helper}{}{user}", lang.between(), lang.between());
                texts.push(inlined.to_owned());
            }
            "adds" => texts.insert(at, definition(lang, "added_9", &mut chance)),
            "reorders" => texts.reverse(),
            _ => {
                texts.remove(at);
                asked = format!("Remove {name}: nothing calls it any more.");
            }
        }
        let answer = joined(lang, texts.iter().map(String::as_str));
        let outcome = refactored(&[(lang.path(), &before)], &asked, |nonce| {
            let other = more.split_once('\n').map(|(path, text)| marked(nonce, path, text));
            marked(nonce, lang.path(), &answer) + &other.unwrap_or_default()
        });
        *counts.entry(kind).or_insert(0) += 1;
        match outcome.await {
            Ok(g)
                if g.files[0].content == answer
                    && !g
                        .diagnostics
                        .iter()
                        .any(|d| d.message.contains("lost") || d.message.contains("left out")) => {}
            Ok(g) => wrong.push(format!("seed {seed}, {kind}, {lang:?}: {:?}", g.diagnostics)),
            Err(error) => wrong.push(format!("seed {seed}, {kind}, {lang:?}: {error}")),
        }
    }
    println!("honest answers {counts:?}: {} taken for lazy ones", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
