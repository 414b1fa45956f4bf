//! Result output: code on stdout, the summary line on stderr.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU8, Ordering};

use claude_code_core::{CodeFile, Error, ErrorKind, Generation, Result, answer::file};

use super::colour::{self, Stream};
use super::figures::{age, cost, count, model, signed, some};
use super::plain::{line, plain};

/// Writes to stdout: exact bytes to a file or pipe, a terminal gets no escape sequences. A reader that went away
/// (`| head`) is no failure.
pub(crate) fn out(text: &str) -> Result<()> {
    if std::io::stdout().is_terminal() { written(&plain(text)) } else { written(text) }
}

fn written(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Storage, format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a diff to stdout, in colour where the terminal has some.
pub(crate) fn diff(text: &str) -> Result<()> {
    if !colour::wanted(Stream::Out) {
        return out(text);
    }
    written(&colour::diff(&plain(text)))
}

/// Writes a line to stderr, which people read: without any escape sequence but our colours.
pub(crate) fn note(text: &str) {
    let text = plain(text);
    let text = if colour::wanted(Stream::Err) { colour::line(&text) } else { text.into_owned() };
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// As [`note`], unless --quiet was given.
pub(crate) fn remark(text: &str) {
    if !is_quiet() {
        note(text);
    }
}

/// As [`note`], if --verbose was given.
pub(crate) fn detail(text: &str) {
    if LEVEL.load(Ordering::Relaxed) == VERBOSE {
        note(text);
    }
}

/// Whether --quiet was given.
pub(crate) fn is_quiet() -> bool {
    LEVEL.load(Ordering::Relaxed) == QUIET
}

/// Sets how much is said on stderr, once, before anything is.
pub(crate) fn set_level(quiet: bool, verbose: bool) {
    let level = match (quiet, verbose) {
        (true, _) => QUIET,
        (_, true) => VERBOSE,
        _ => USUAL,
    };
    LEVEL.store(level, Ordering::Relaxed);
}

const QUIET: u8 = 0;
const USUAL: u8 = 1;
const VERBOSE: u8 = 2;
/// How much is said on stderr: one for the process, as stderr is.
static LEVEL: AtomicU8 = AtomicU8::new(USUAL);

/// The code of a result: the only file's text; several, each under a line with its path; without files, the words.
pub(crate) fn code(generation: &Generation) -> String {
    match generation.files.as_slice() {
        [] => ended(generation.text.clone()),
        [only] => ended(only.content.clone()),
        several => files(several),
    }
}

/// Files, each under a line with its path.
pub(crate) fn files(files: &[CodeFile]) -> String {
    let under =
        |(name, file): (&String, &CodeFile)| format!("==> {name} <==\n{}", ended(file.content.clone()));
    let parts: Vec<String> = file::names(files).iter().zip(files).map(under).collect();
    parts.join("\n")
}

fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// What the caller should know: warnings and what the checks found, a line each.
pub(crate) fn remarks(generation: &Generation) -> Vec<String> {
    let warnings = generation.warnings.iter().map(|warning| format!("warning: {}", line(warning)));
    warnings.chain(generation.diagnostics.iter().map(|found| line(&found.to_string()))).collect()
}

/// `sonnet-5.5 · 6 files · 4.1k tokens · $0.0123 · stored ID`
pub(crate) fn summary(generation: &Generation) -> String {
    let usage = &generation.usage;
    let mut parts = vec![
        line(&model(&generation.model)),
        some(generation.files.len(), "file"),
        format!("{} tokens", count(usage.prompt_tokens() + usage.output_tokens)),
        cost(generation.receipt.total()),
    ];
    if generation.sample {
        parts.push("sample answer".to_owned());
    }
    if let Some(cached) = &generation.cached {
        parts.push(format!("cached {} ago", age(cached.age_seconds)));
    }
    if !generation.accepted {
        parts.push("rejected".to_owned());
    }
    parts.push(match (&generation.stored_problem, generation.stored) {
        (_, true) => format!("stored {}", generation.id),
        (Some(why), false) => format!("not stored: {}", line(why)),
        // Without a problem it was asked for: --no-store, or CLAUDE_CODE_AWS_STORE=none.
        (None, false) => "not stored, as asked".to_owned(),
    });
    parts.join(" · ")
}

/// Rows under their heads; without rows nothing.
pub(crate) fn headed<const N: usize>(head: [&str; N], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = head.map(|name| name.to_uppercase()).to_vec();
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// Each attempt and each line of the receipt, for --verbose.
pub(crate) fn details(generation: &Generation) -> Vec<String> {
    let attempts = generation.attempts.iter().map(|attempt| {
        let waited =
            if attempt.waited_ms == 0 { String::new() } else { format!(", after {} ms", attempt.waited_ms) };
        format!(
            "attempt: {} by {}: {}{waited}, {}",
            attempt.why,
            attempt.model,
            attempt.outcome,
            cost(attempt.cost)
        )
    });
    let items = generation.receipt.items.iter().map(|item| {
        let tokens = item.tokens.map_or_else(String::new, |tokens| format!("{} tokens, ", count(tokens)));
        let amount = item.usd.map_or_else(|| "unpriced".to_owned(), signed);
        format!("receipt: {}: {tokens}{amount}", item.what)
    });
    let why = format!("tier: {}: {}", generation.tier, generation.tier_reason);
    std::iter::once(why).chain(attempts).chain(items).map(|text| line(&text)).collect()
}

/// Rows in columns, two spaces apart; the last column is as long as it is.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}
