//! Batch progress: a bar on a terminal, and the figures of the last line.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use claude_code_core::{ErrorKind, PicoUsd};

use crate::cli::output::figures::{age, some, usd};
use crate::files::batch_journal::Entry;

/// Cells of the bar.
const BAR: usize = 10;

/// What became of the items so far.
pub(crate) struct Tally {
    began: Instant,
    pub(crate) all: usize,
    pub(crate) done: usize,
    pub(crate) resumed: usize,
    pub(crate) cached: usize,
    pub(crate) failed: usize,
    pub(crate) rejected: usize,
    pub(crate) over_cap: usize,
    pub(crate) bad: usize,
    pub(crate) spent: PicoUsd,
}

impl Tally {
    /// Nothing done yet, of so many; so much was spent by earlier runs.
    pub(crate) fn new(all: usize, spent: PicoUsd, bad: usize) -> Self {
        Tally {
            began: Instant::now(),
            all,
            done: 0,
            resumed: 0,
            cached: 0,
            failed: 0,
            rejected: 0,
            over_cap: 0,
            bad,
            spent,
        }
    }

    pub(crate) fn note(&mut self, entry: &Entry) {
        self.done += 1;
        match &entry.item.result {
            Ok(generation) => {
                self.resumed += usize::from(entry.resumed);
                self.cached += usize::from(generation.cached.is_some());
                self.rejected += usize::from(!generation.accepted);
                if !entry.resumed {
                    self.spend(generation.receipt.total().known());
                }
            }
            Err(error) => {
                self.failed += 1;
                self.over_cap += usize::from(error.kind() == ErrorKind::Budget);
                if let Some(receipt) = error.receipt() {
                    self.spend(receipt.total().known());
                }
            }
        }
    }

    fn spend(&mut self, cost: PicoUsd) {
        self.spent = self.spent.saturating_add(cost);
    }

    /// Items a second in this run.
    fn rate(&self) -> f64 {
        (self.done - self.resumed) as f64 / self.began.elapsed().as_secs_f64().max(0.001)
    }

    /// `150 of 150 requests · 60 cached · 2 failed · $0.1200`
    pub(crate) fn summary(&self) -> String {
        let mut parts = vec![format!("{} of {}", self.done - self.failed, some(self.all, "request"))];
        let counted = [
            (self.resumed, "resumed"),
            (self.cached, "cached"),
            (self.rejected, "rejected"),
            (self.failed, "failed"),
        ];
        parts.extend(counted.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
        if self.bad > 0 {
            parts.push(some(self.bad, "bad line"));
        }
        parts.push(usd(self.spent));
        parts.join(" · ")
    }
}

/// The bar; live only where stderr is a terminal that can take a line back.
pub(crate) struct Progress {
    live: bool,
    drawn: bool,
}

impl Progress {
    pub(crate) fn start() -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Progress { live: std::io::stderr().is_terminal() && !dumb, drawn: false }
    }

    pub(crate) fn draw(&mut self, tally: &Tally) {
        if !self.live {
            return;
        }
        let full = (BAR * tally.done).checked_div(tally.all).unwrap_or(BAR);
        let bar: String = (0..BAR).map(|cell| if cell < full { '█' } else { '░' }).collect();
        let rate = tally.rate();
        let left = (tally.all - tally.done.min(tally.all)) as f64 / rate.max(0.001);
        let eta = if rate > 0.0 { format!("{} left", age(left as u64)) } else { "waiting".to_owned() };
        let text = format!("  {bar} {}/{}  {rate:.1}/s  {}  {eta}", tally.done, tally.all, usd(tally.spent));
        let _ = write!(std::io::stderr().lock(), "\r\x1b[K{text}");
        self.drawn = true;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}
