//! Going on with a cut answer without prefill: current models refuse a conversation that ends with their own turn,
//! so the rest is asked for in a user turn, and joined where it overlaps what was received.

use std::sync::Arc;

use super::join;
use super::refence::Refence;
use crate::answer::language::Language;
use crate::plan::prompt;

/// Lines of the continuation that are looked at before the join is decided: more than any overlap a model writes.
pub(super) const LOOK_AHEAD: usize = 64;
/// Lines that a model may put before it really goes on, blank ones between them included.
pub(super) const MAX_PREFACE: usize = 12;

/// Anchor: the line of a cut answer after which its continuation starts.
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
        whole
            .lines()
            .rev()
            .take(LOOK_AHEAD / 2)
            .find(|line| says_enough(line))
            .or_else(|| whole.lines().rev().find(|line| !line.trim().is_empty()))
    }

    /// The user turn that asks for the rest.
    pub fn request(&self, finished: &[&str]) -> String {
        let finished = match finished {
            [] => String::new(),
            paths => format!(" Finished files, not to be repeated: {}.", paths.join(", ")),
        };
        let (_, text) = prompt::split(prompt::RESUME);
        text.replace("{{finished}}", &finished).replace("{{anchor}}", self.line().unwrap_or_default())
    }
}

/// Joined continuation: the received text is kept up to `keep` bytes, then `text` follows.
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

/// Splice: joins a continuation to the received text. Holds its first lines back until it is clear where they belong.
#[derive(Debug)]
pub struct Splice {
    anchor: Anchor,
    open: Option<Language>,
    path: Option<String>,
    held: Held,
    drop_cr: bool,
    /// Set if the continuation stands in a fence of its own.
    refence: Option<Refence>,
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
    /// A splice behind this anchor. `open` is the language of the file that was cut, if the cut is inside one.
    /// `path` is its name.
    pub fn new(anchor: Anchor, open: Option<Language>, path: Option<String>) -> Self {
        let drop_cr = !anchor.received.contains('\r');
        Splice { anchor, open, path, held: Held::Undecided(String::new()), drop_cr, refence: None }
    }

    /// Takes a piece of the continuation; gives what it adds once that is clear.
    pub fn feed(&mut self, text: &str) -> Option<Joined> {
        let text = self.plain(text);
        match &mut self.held {
            Held::Joined { .. } => {
                let text = match &mut self.refence {
                    Some(refence) => refence.pass(&text),
                    None => text,
                };
                Some(Joined { keep: usize::MAX, text })
            }
            Held::Undecided(held) => {
                held.push_str(&text);
                let enough = held.bytes().filter(|b| *b == b'\n').count() > LOOK_AHEAD + MAX_PREFACE;
                enough.then(|| self.decide()).flatten()
            }
        }
    }

    /// What is still held back when the continuation has ended.
    pub fn finish(mut self) -> Option<Joined> {
        let mut joined = self.decide().unwrap_or(Joined { keep: usize::MAX, text: String::new() });
        joined.text += &self.refence.map(Refence::finish).unwrap_or_default();
        Some(joined).filter(|joined| !joined.text.is_empty())
    }

    fn decide(&mut self) -> Option<Joined> {
        let joined = Held::Joined { carriage_return: false };
        let Held::Undecided(mut held) = std::mem::replace(&mut self.held, joined) else { return None };
        if self.drop_cr {
            held = held.replace("\r\n", "\n");
        }
        if self.drop_cr && held.ends_with('\r') {
            held.pop();
            self.held = Held::Joined { carriage_return: true };
        }
        let (mut joined, is_fenced) =
            join::join(&self.anchor.received, &held, self.open.as_ref(), self.path.as_deref());
        if is_fenced {
            let refence = self.refence.insert(Refence::default());
            joined.text = refence.pass(&joined.text);
        }
        Some(joined)
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

/// A continuation put behind what was received, whatever it begins like: nothing of that is given up. What only names the
/// open file again is left out.
pub fn behind(received: &str, continuation: &str, open: Option<&Language>, path: Option<&str>) -> String {
    let (joined, _) = join::behind(received, continuation, open, path);
    let keep = joined.keep.min(received.len());
    format!("{}{}", &received[..keep], joined.text)
}

pub(super) fn says_enough(line: &str) -> bool {
    letters(line) >= 3
}

pub(super) fn letters(line: &str) -> usize {
    line.chars().filter(|c| c.is_alphanumeric()).count()
}

pub(super) fn start_of_last_line(text: &str) -> usize {
    text.rfind('\n').map_or(0, |at| at + 1)
}
