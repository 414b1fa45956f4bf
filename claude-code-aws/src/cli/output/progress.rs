//! What is seen while an answer is written: on a terminal a live line and a line for each finished file, else nothing.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use claude_code_core::{Event, Result};
use futures_util::{Stream, TryStreamExt};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use super::figures::{bytes, model};
use super::plain::line;
use super::show;

/// Calm for the eye, and soon enough to show that something lives.
const TICK: Duration = Duration::from_millis(150);
/// Cells of the bar.
const BAR: usize = 10;
/// The live line stays within the narrowest usual terminal: a wrapped one could not be taken back.
const WIDTH: usize = 78;

/// The live line.
#[derive(Debug)]
pub(crate) struct Progress {
    live: bool,
    started: Instant,
    tick: Interval,
    ticks: usize,
    files: BTreeMap<usize, Writing>,
    current: Option<usize>,
    drawn: bool,
}

/// A file on its way.
#[derive(Debug)]
struct Writing {
    name: String,
    bytes: usize,
    revision: u32,
}

impl Progress {
    /// Begins; live only where stderr is a terminal that can take a line back.
    pub(crate) fn start() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Progress {
            live: std::io::stderr().is_terminal() && !dumb && !show::is_quiet(),
            started: Instant::now(),
            tick,
            ticks: 0,
            files: BTreeMap::new(),
            current: None,
            drawn: false,
        }
    }

    /// What the stream has next, which may be an event; the line lives on while it is awaited.
    pub(crate) async fn next<T>(
        &mut self,
        stream: &mut (impl Stream<Item = Result<T>> + Unpin),
        seen: fn(&T) -> Option<&Event>,
    ) -> Result<Option<T>> {
        loop {
            tokio::select! {
                biased;
                next = stream.try_next() => {
                    let next = next?;
                    if let Some(event) = next.as_ref().and_then(seen) {
                        self.note(event);
                    }
                    return Ok(next);
                }
                _ = self.tick.tick(), if self.live => self.draw(),
            }
        }
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::FileStarted { index, path, language, revision } => {
                let name = path.clone().unwrap_or_else(|| format!("({language})"));
                let writing = Writing { name: line(&name), bytes: 0, revision: *revision };
                self.files.insert(*index, writing);
                self.current = Some(*index);
            }
            Event::FileChunk { index, text, .. } => {
                if let Some(file) = self.files.get_mut(index) {
                    file.bytes += text.len();
                }
            }
            Event::FileFinished { index, complete, .. } => {
                self.current = None;
                if let Some(file) = self.files.get(index) {
                    let mark = if *complete { "✓" } else { "…" };
                    let again = if file.revision > 0 { " (again)" } else { "" };
                    let told = format!("  {mark} {}  {}{again}", file.name, bytes(file.bytes));
                    self.keep(&told);
                }
            }
            Event::Notice { why, model: id, wait_seconds, cause: Some(cause), left_seconds } => {
                let told = format!(
                    "  {}: {}: {}; again in {wait_seconds:.0} s, {left_seconds:.0} s left",
                    line(why),
                    line(&model(id)),
                    line(cause)
                );
                self.say(&told);
            }
            Event::Notice { why, model: id, wait_seconds, .. } => {
                let wait =
                    if *wait_seconds < 1.0 { String::new() } else { format!(" in {wait_seconds:.0} s") };
                self.keep(&format!("  {}: {}{wait}", line(why), line(&model(id))));
            }
            // Text, the end, and what is of no line of its own.
            _ => {}
        }
    }

    /// A line that people see on a terminal and in a log: what waits, and why.
    fn say(&mut self, text: &str) {
        self.clear();
        show::remark(text);
    }

    /// A line that stays, above the live one.
    fn keep(&mut self, text: &str) {
        if self.live {
            self.clear();
            let _ = writeln!(std::io::stderr().lock(), "{text}");
        }
    }

    fn draw(&mut self) {
        let at = self.ticks % (2 * BAR);
        let at = at.min(2 * BAR - 1 - at);
        self.ticks += 1;
        let bar: String = (0..BAR).map(|cell| if cell.abs_diff(at) < 2 { '█' } else { '░' }).collect();
        let what = match self.current.and_then(|index| self.files.get(&index)) {
            Some(file) => format!("{}  {}", file.name, bytes(file.bytes)),
            None if self.files.is_empty() => "waiting for the model".to_owned(),
            None => "working".to_owned(),
        };
        let text = format!("  {bar} {:>3} s  {what}", self.started.elapsed().as_secs());
        let text: String = text.chars().take(WIDTH).collect();
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
        self.drawn = true;
    }

    /// Takes the live line back.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
