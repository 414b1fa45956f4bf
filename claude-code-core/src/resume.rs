//! Going on with a cut answer without prefill: current models refuse a conversation that ends with their own turn,
//! so the rest is asked for in a user turn, and joined where it overlaps what was received.

use std::sync::Arc;

const RESUME: &str = include_str!("../prompts/resume.md");
/// Lines of the continuation that are looked at before the join is decided: more than any overlap a model writes.
const LOOK_AHEAD: usize = 64;
/// Lines that a model may put before it really goes on: a courtesy, an opening fence.
const MAX_PREFACE: usize = 6;

/// Where a cut answer goes on.
#[derive(Clone)]
pub struct Anchor {
    /// Everything received so far.
    pub received: Arc<str>,
}

impl std::fmt::Debug for Anchor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Anchor(after {} bytes)", self.received.len())
    }
}

impl Anchor {
    /// The anchor of this answer, or none if no line of it is whole yet.
    pub fn of(received: &str) -> Option<Self> {
        let anchor = Anchor { received: received.into() };
        anchor.line().is_some().then_some(anchor)
    }

    /// The last whole line that says something: what the model is asked to repeat.
    pub fn line(&self) -> Option<&str> {
        let whole = &self.received[..start_of_last_line(&self.received)];
        let says_something = |line: &&str| line.chars().filter(|c| c.is_alphanumeric()).count() >= 3;
        whole
            .lines()
            .rev()
            .take(LOOK_AHEAD / 2)
            .find(says_something)
            .or_else(|| whole.lines().rev().find(|line| !line.trim().is_empty()))
    }

    /// The user turn that asks for the rest.
    pub fn request(&self, finished: &[&str]) -> String {
        let finished = match finished {
            [] => String::new(),
            paths => format!(" Finished files, not to be repeated: {}.", paths.join(", ")),
        };
        let text = RESUME.split_once("\n\n").map_or(RESUME, |(_, text)| text);
        text.replace("{{finished}}", &finished).replace("{{anchor}}", self.line().unwrap_or_default())
    }
}

/// What a continuation adds: the received text is kept up to `keep` bytes, then `text` follows.
#[derive(Clone, PartialEq, Eq)]
pub struct Joined {
    /// Bytes of the received text that stay.
    pub keep: usize,
    /// What follows them.
    pub text: String,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Joined(keep {}, {} bytes)", self.keep, self.text.len())
    }
}

/// Joins a continuation to what was received. Holds its first lines back until it is clear where they belong.
#[derive(Debug)]
pub struct Splice {
    anchor: Anchor,
    held: Held,
    drop_cr: bool,
}

/// The continuation's beginning until the join is decided; then only a carriage return that may be half an end.
enum Held {
    Undecided(String),
    Joined { carriage_return: bool },
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Held::Undecided(text) => write!(f, "Undecided({} bytes)", text.len()),
            Held::Joined { .. } => f.write_str("Joined"),
        }
    }
}

impl Splice {
    /// A splice behind this anchor.
    pub fn new(anchor: Anchor) -> Self {
        let drop_cr = !anchor.received.contains('\r');
        Splice { anchor, held: Held::Undecided(String::new()), drop_cr }
    }

    /// Takes a piece of the continuation; gives what it adds once that is clear.
    pub fn feed(&mut self, text: &str) -> Option<Joined> {
        let text = self.plain(text);
        match &mut self.held {
            Held::Joined { .. } => Some(Joined { keep: usize::MAX, text }),
            Held::Undecided(held) => {
                held.push_str(&text);
                let enough = held.bytes().filter(|b| *b == b'\n').count() > LOOK_AHEAD + MAX_PREFACE;
                enough.then(|| self.decide()).flatten()
            }
        }
    }

    /// What is still held back when the continuation has ended.
    pub fn finish(mut self) -> Option<Joined> {
        self.decide().filter(|joined| !joined.text.is_empty())
    }

    fn decide(&mut self) -> Option<Joined> {
        let joined = Held::Joined { carriage_return: false };
        let Held::Undecided(mut held) = std::mem::replace(&mut self.held, joined) else { return None };
        if self.drop_cr && held.ends_with('\r') {
            held.pop();
            self.held = Held::Joined { carriage_return: true };
        }
        Some(join(&self.anchor.received, &held))
    }

    /// The text with the line ends of what was received.
    fn plain(&mut self, text: &str) -> String {
        if !self.drop_cr {
            return text.to_owned();
        }
        let half = matches!(self.held, Held::Joined { carriage_return: true });
        let mut joined = if half { format!("\r{text}") } else { text.to_owned() };
        let ends_half = joined.ends_with('\r');
        if ends_half {
            joined.pop();
        }
        if let Held::Joined { carriage_return } = &mut self.held {
            *carriage_return = ends_half;
        } else if ends_half {
            joined.push('\r');
        }
        joined.replace("\r\n", "\n")
    }
}

/// Decides where the continuation belongs.
fn join(received: &str, held: &str) -> Joined {
    let held = held.replace("\r\n", "\n");
    let lines: Vec<&str> = held.split_inclusive('\n').collect();
    let preface = lines.iter().take(MAX_PREFACE).take_while(|line| is_preface(line)).count();
    for skipped in 0..=preface.min(lines.len().saturating_sub(1)) {
        let Some(rest) = lines.get(skipped..).filter(|rest| !rest.is_empty()) else { break };
        if let Some(keep) = restart(received, rest[0]).or_else(|| overlap(received, rest)) {
            return Joined { keep, text: rest.concat() };
        }
    }
    let mut rest = &lines[preface.min(lines.len())..];
    if preface == 0 || lines.iter().take(preface).all(|line| line.trim().is_empty()) {
        rest = &lines;
    } else if let ([blank, after @ ..], true) = (rest, received.ends_with("\n\n")) {
        // Behind a preface a blank line repeats the one that was received last.
        rest = if blank.trim().is_empty() { after } else { rest };
    }
    Joined { keep: boundary(received, rest), text: rest.concat() }
}

/// The continuation begins a file again: it takes that file's place.
fn restart(received: &str, line: &str) -> Option<usize> {
    let line = line.trim_end();
    if !(line.starts_with("=== file ") && line.ends_with(" ===")) {
        return None;
    }
    let mut found = None;
    let mut at = 0;
    for known in received.split_inclusive('\n') {
        if known.trim_end() == line {
            found = Some(at);
        }
        at += known.len();
    }
    found
}

/// The continuation repeats the last lines received: the longest such run, if it says enough to be no accident.
fn overlap(received: &str, lines: &[&str]) -> Option<usize> {
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    let known: Vec<&str> = received[..cut].split_inclusive('\n').collect();
    let most = known.len().min(LOOK_AHEAD);
    for count in (1..=most.min(lines.len())).rev() {
        let tail = &known[known.len() - count..];
        if !tail.iter().zip(lines).all(|(a, b)| a.trim_end() == b.trim_end()) {
            continue;
        }
        let next = lines.get(count).copied().unwrap_or("");
        let telling = tail.iter().any(|line| says_enough(line));
        let confirmed = !partial.trim().is_empty() && next.starts_with(partial);
        let contradicted = !partial.trim().is_empty() && !next.is_empty() && !next.starts_with(partial);
        let only_a_bracket = partial.trim().is_empty() && tail.iter().any(|line| !line.trim().is_empty());
        if !contradicted && (telling || confirmed || only_a_bracket) {
            return Some(cut - tail.iter().map(|line| line.len()).sum::<usize>());
        }
    }
    None
}

/// No overlap: the continuation goes on in the middle of the cut line, or begins that line again.
fn boundary(received: &str, lines: &[&str]) -> usize {
    let cut = start_of_last_line(received);
    let partial = &received[cut..];
    let Some(first) = lines.first().filter(|_| !partial.is_empty()) else { return received.len() };
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

/// What a model may put before it really goes on: a blank line, an opening fence, "Sure, here is the rest:".
fn is_preface(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("```") || line.starts_with("~~~") || is_courtesy(line)
}

/// A sentence, and nothing that code is made of.
fn is_courtesy(line: &str) -> bool {
    let ends = line.ends_with([':', '.', '!', '…']);
    let begins = line.chars().next().is_some_and(char::is_uppercase);
    ends && begins
        && line.split_whitespace().count() >= 3
        && !line.contains(['=', '(', ')', '{', '}', '[', ']', ';', '<', '#', '|', '"'])
}

fn says_enough(line: &str) -> bool {
    line.chars().filter(|c| c.is_alphanumeric()).count() >= 3
}

fn start_of_last_line(text: &str) -> usize {
    text.rfind('\n').map_or(0, |at| at + 1)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The smallest indentation in use.
fn indent_unit(text: &str) -> usize {
    text.lines().filter(|line| !line.trim().is_empty()).map(indent).filter(|n| *n > 1).min().unwrap_or(4)
}
