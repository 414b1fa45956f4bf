//! Join of a continuation: where it belongs in the text before.

use super::preface::{self, is_announcement, is_fence, is_sentinel};
use super::{Joined, LOOK_AHEAD, MAX_PREFACE, letters, says_enough, start_of_last_line};
use crate::answer::language::Language;

/// Letters and digits from which on a line is known again without its indentation, or from its first part.
const UNMISTAKABLE: usize = 12;

/// Minimum overlap between received text and continuation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// Any line that is not blank, and the cut line not otherwise.
    Any,
    /// A line that says something, or the cut line begun again; and the cut line not otherwise.
    Telling,
    /// A line that says something, whatever becomes of the cut line.
    TellingAlone,
}

/// A continuation that repeats the last lines received.
struct Overlap<'l, 's> {
    /// Where the received text ends then.
    keep: usize,
    /// What follows it.
    rest: &'l [&'s str],
    /// How many of the repeated lines say something.
    telling: usize,
}

/// Decides where the continuation belongs: where it begins a file again, where it repeats what was received, else behind
/// it. What a model says before that is dropped. Says also whether it stands in a fence of its own, which ends somewhere.
pub(super) fn join(
    received: &str,
    held: &str,
    open: Option<&Language>,
    path: Option<&str>,
) -> (Joined, bool) {
    let lines: Vec<&str> = held.split_inclusive('\n').collect();
    if let Some(opening) = path.and_then(|path| own_opening(received, &lines, path, open)) {
        return behind_opening(received, &lines, &opening, open);
    }
    let preface = lines.iter().take(MAX_PREFACE).take_while(|line| preface::is_preface(line)).count();
    let begins = || (0..=preface.min(lines.len().saturating_sub(1))).map(|skipped| lines.split_at(skipped));
    let partial = &received[start_of_last_line(received)..];
    let overlaps = |proof: fn(&[&str]) -> Proof| {
        // A blank line behind a preface is its end; with a bracket or quote after it, it repeats nothing.
        let tells = move |skipped: &[&str], found: &Overlap| {
            found.telling > 0 || skipped.is_empty() || partial.trim().is_empty() || letters(partial) > 0
        };
        let all = begins().filter_map(move |(skipped, rest)| {
            overlap(received, rest, proof(skipped)).filter(|found| tells(skipped, found))
        });
        // What repeats most; of several the first.
        all.reduce(|best, next| if next.telling > best.telling { next } else { best })
    };
    let sure = |skipped: &[&str]| {
        if skipped.iter().all(|line| preface::is_sure(line)) { Proof::Any } else { Proof::Telling }
    };
    let again = begins().find_map(|(_, rest)| Some((restart(received, rest)?, rest)));
    // The line that was cut may be written otherwise: then what was repeated must say enough by itself.
    let repeated = || overlaps(sure).or_else(|| overlaps(|_| Proof::TellingAlone));
    let again = again.or_else(|| repeated().map(|overlap| (overlap.keep, overlap.rest)));
    let again = again.or_else(|| begins().find_map(|(_, rest)| Some((begun_again(received, rest)?, rest))));
    let (joined, kept) = match again {
        Some((keep, rest)) => (Joined { keep, text: rest.concat() }, rest.len()),
        None => onward(received, &lines, open),
    };
    let is_fenced =
        is_code(open) && lines.iter().take(preface.min(lines.len() - kept)).any(|line| is_fence(line));
    (joined, is_fenced)
}

/// How a continuation begins that names the open file again and goes on in it.
struct Opening {
    /// Lines that are no part of the file.
    lines: usize,
    /// One of them is a fence.
    is_fenced: bool,
}

/// The lines with which the continuation names the open file again: its marker, a heading, a fence with its name. None
/// where it begins the file again, for then what follows is what the file begins with.
fn own_opening(received: &str, lines: &[&str], path: &str, open: Option<&Language>) -> Option<Opening> {
    let mut found = Opening { lines: 0, is_fenced: false };
    for (at, line) in lines.iter().enumerate().take(MAX_PREFACE) {
        let is_opening_fence =
            is_fence(line) && (found.lines > 0 || preface::names(line, path)) && !found.is_fenced;
        if is_opening_fence && (is_code(open) || preface::names(line, path)) {
            found = Opening { lines: at + 1, is_fenced: true };
        } else if preface::is_marker_of(line, path) || (!is_fence(line) && preface::names(line, path)) {
            found.lines = at + 1;
        } else if !(line.trim().is_empty() || is_announcement(line)) {
            break;
        }
    }
    let rest = &lines[found.lines..];
    let of_rest = rest.iter().find(|line| says_enough(line) && !is_fence(line)).map(|line| line.trim());
    let of_file = file_so_far(received, path).lines().find(|line| says_enough(line)).map(str::trim);
    (found.lines > 0 && (of_rest.is_none() || of_rest != of_file)).then_some(found)
}

/// The open file's lines so far: what stands behind its marker, else behind the last fence or heading that names it.
fn file_so_far<'r>(received: &'r str, path: &str) -> &'r str {
    let mut start = 0;
    let mut at = 0;
    let has_marker = received.lines().any(|line| preface::is_marker_of(line, path));
    for line in received.split_inclusive('\n') {
        at += line.len();
        let begins = if has_marker {
            preface::is_marker_of(line, path)
        } else {
            preface::names(line, path) || preface::opens(line)
        };
        if begins {
            start = at;
        }
    }
    &received[start..]
}

/// Where a continuation belongs that is taken not to begin anything again.
pub(super) fn behind(
    received: &str,
    held: &str,
    open: Option<&Language>,
    path: Option<&str>,
) -> (Joined, bool) {
    let lines: Vec<&str> = held.split_inclusive('\n').collect();
    let own = |line: &&str| {
        path.is_some_and(|path| preface::is_marker_of(line, path) || preface::names(line, path))
    };
    let at = lines.iter().take(MAX_PREFACE).rposition(own).map_or(0, |at| at + 1);
    let opening = Opening { lines: at, is_fenced: lines[..at].iter().any(|line| is_fence(line)) };
    if at == 0 {
        (onward(received, &lines, open).0, false)
    } else {
        behind_opening(received, &lines, &opening, open)
    }
}

/// Where a continuation belongs that names its file again and goes on in it: at a line of its own, for nothing else follows
/// a marker.
fn behind_opening(
    received: &str,
    lines: &[&str],
    opening: &Opening,
    open: Option<&Language>,
) -> (Joined, bool) {
    let rest = &lines[opening.lines..];
    // Behind a heading a blank line parts it from what follows; behind a marker or fence every line counts.
    let is_apart =
        opening.lines > 0 && !is_sentinel(lines[opening.lines - 1]) && !is_fence(lines[opening.lines - 1]);
    let blank = usize::from(is_apart && rest.first().is_some_and(|line| line.trim().is_empty()));
    let rest = &rest[blank..];
    let is_fenced = opening.is_fenced && is_code(open);
    let any = overlap(received, rest, Proof::Any).or_else(|| overlap(received, rest, Proof::TellingAlone));
    if let Some(Overlap { keep, rest, .. }) = any {
        return (Joined { keep, text: rest.concat() }, is_fenced);
    }
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    let begins_line = !partial.is_empty() && rest.first().is_some_and(|line| line.starts_with(partial));
    if begins_line {
        return (Joined { keep: cut, text: rest.concat() }, is_fenced);
    }
    (onward(received, rest, open).0, is_fenced)
}

/// Whether no line of the open file can be a fence.
fn is_code(open: Option<&Language>) -> bool {
    open.is_some_and(|open| !["markdown", "text"].contains(&open.as_str()))
}

/// The continuation begins a file again: it takes that file's place. A fence counts if it is that of the open block and
/// what follows it is repeated too.
fn restart(received: &str, lines: &[&str]) -> Option<usize> {
    let line = lines.first()?.trim_end();
    let is_marker = line.starts_with("=== file ") && is_sentinel(line);
    if !is_marker && !is_fence(line) {
        return None;
    }
    let known: Vec<&str> = received.split_inclusive('\n').collect();
    let found =
        known.iter().rposition(|known| if is_marker { known.trim_end() == line } else { is_fence(known) })?;
    // A file before the open one is written once more: the open one stays as far as it came.
    let is_later = |known: &&&str| known.starts_with("=== file ") && is_sentinel(known);
    if is_marker && known[found + 1..].iter().any(|known| is_later(&known)) {
        return None;
    }
    let next = |lines: &[&str], at: usize| lines.get(at).map(|line| line.trim_end().to_owned());
    let second = next(lines, 1).filter(|line| says_enough(line));
    let is_open_block = (says_enough(line) || preface::opens(line))
        && known[found].trim_end() == line
        && second.is_some()
        && next(&known, found + 1) == second;
    (is_marker || is_open_block).then(|| known[..found].iter().map(|line| line.len()).sum())
}

/// The continuation repeats the last lines received: the longest such run, if it says enough to be no accident.
fn overlap<'l, 's>(received: &str, lines: &'l [&'s str], proof: Proof) -> Option<Overlap<'l, 's>> {
    let keep = start_of_last_line(received);
    let partial = &received[keep..];
    let is_cut = !partial.trim().is_empty();
    let known: Vec<&str> = received[..keep].split_inclusive('\n').collect();
    let most = known.len().min(LOOK_AHEAD).min(lines.len());
    (1..=most).rev().find_map(|count| {
        let tail = &known[known.len() - count..];
        if !repeats(tail, lines) {
            return None;
        }
        let next = lines.get(count).copied().unwrap_or("");
        let telling = tail.iter().filter(|line| says_enough(line)).count();
        let confirmed = is_cut && next.starts_with(partial);
        let contradicted = is_cut && !next.is_empty() && !confirmed;
        let is_bracket = |line: &&str| !line.trim().is_empty() && !is_fence(line);
        let is_proven = match proof {
            Proof::Any if !is_cut => telling > 0 || tail.iter().any(is_bracket),
            Proof::Any | Proof::Telling => !contradicted && (telling > 0 || confirmed),
            Proof::TellingAlone => telling > 0,
        };
        is_proven.then(|| Overlap { keep, rest: &lines[count..], telling })
    })
}

/// The continuation begins the cut line again, and enough of that was received to know it.
fn begun_again(received: &str, lines: &[&str]) -> Option<usize> {
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    (letters(partial) >= UNMISTAKABLE && lines.first()?.starts_with(partial)).then_some(cut)
}

/// Whether the lines begin with this tail. Of the first one the indentation may be lost, as at the start of a message.
fn repeats(tail: &[&str], lines: &[&str]) -> bool {
    let mut pairs = tail.iter().map(|line| line.trim_end()).zip(lines.iter().map(|line| line.trim_end()));
    let Some((known, first)) = pairs.next() else { return false };
    let is_stripped = || letters(first) >= UNMISTAKABLE && known.trim_start() == first;
    (known == first || is_stripped()) && pairs.all(|(known, line)| known == line)
}

/// No overlap: the continuation goes on in the cut line or behind it, once it has announced itself.
/// Gives how many lines of it are left, too.
fn onward(received: &str, lines: &[&str], open: Option<&Language>) -> (Joined, usize) {
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    let mut rest = &lines[announced(lines)..];
    let is_announced = rest.len() < lines.len();
    let fence = rest.first().filter(|line| open.is_some() && is_fence(line));
    // A line that was cut cannot go on with a fence, and code has none that opens a block.
    let cannot_be_text = |line: &str| !partial.trim().is_empty() || (is_code(open) && preface::opens(line));
    if fence.is_some_and(|line| is_announced || cannot_be_text(line)) && !closes(rest) {
        rest = &rest[1..];
    }
    // Behind that, blank lines repeat those that were received last.
    let is_blank = |line: &&str| line.trim().is_empty();
    let last = received[..cut].split_inclusive('\n').rev().take_while(is_blank).count();
    let repeated = rest.iter().take(last).take_while(|line| is_blank(line)).count();
    if rest.len() < lines.len() && partial.trim().is_empty() && repeated > 0 {
        return (Joined { keep: cut, text: rest[repeated..].concat() }, rest.len() - repeated);
    }
    let keep = boundary(received, rest);
    let on_its_own = |line: &&str| is_sentinel(line) || (open.is_some() && is_fence(line) && closes(rest));
    let new_line = keep == received.len() && !partial.is_empty() && rest.first().is_some_and(on_its_own);
    let text = if new_line { "\n".to_owned() } else { String::new() } + &rest.concat();
    (Joined { keep, text }, rest.len())
}

/// How many lines announce that the answer goes on, with the blank line behind them.
fn announced(lines: &[&str]) -> usize {
    let said = lines.iter().take(MAX_PREFACE).take_while(|line| preface::is_preface(line) && !is_fence(line));
    let Some(last) = said.enumerate().filter(|(_, line)| is_announcement(line)).map(|(at, _)| at).last()
    else {
        return 0;
    };
    let after = last + 1;
    after + usize::from(lines.get(after).is_some_and(|line| line.trim().is_empty()))
}

/// Whether the fence in the first line ends a block: it names nothing, and what follows is no code that it could open.
fn closes(lines: &[&str]) -> bool {
    let is_bare = lines.first().is_some_and(|line| !preface::opens(line));
    let next = lines.get(1).map(|line| line.trim());
    is_bare && next.is_none_or(|next| next.is_empty() || is_sentinel(next))
}

/// Where the received text ends: before the cut line, if the continuation begins that line again.
fn boundary(received: &str, lines: &[&str]) -> usize {
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    let Some(first) = lines.first().filter(|_| !partial.is_empty()) else { return received.len() };
    if is_sentinel(first) && (first.starts_with(partial) || partial.trim().is_empty()) {
        return cut;
    }
    if !first.starts_with(partial) {
        return received.len();
    }
    if !partial.trim().is_empty() {
        // A few characters that happen to stand twice are no proof that the line begins again.
        return if says_enough(partial) { cut } else { received.len() };
    }
    // Only white space was received of the cut line: its indentation tells which of the two fits.
    let unit = indent_unit(received);
    let width = indent(first);
    if width.is_multiple_of(unit) && !(partial.len() + width).is_multiple_of(unit) {
        cut
    } else {
        received.len()
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The smallest indentation in use.
fn indent_unit(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).map(indent).filter(|n| *n > 1).min().unwrap_or(4)
}
