//! How fast answers are read: megabytes a second by shape and size, and whether time grows with size alone.
//!
//! `cargo bench -p claude-code-core --bench reader` prints a table; with `ASSERT=1` it fails below 300 MB/s for whole
//! answers, or where twice the text takes 2.3 times as long.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use claude_code_core::AnswerReader;

const RUNS: usize = 60;
/// How answers arrive, and how growth is measured.
const CHUNK: usize = 4096;
const MEGABYTE: usize = 1_000_000;

/// Files of an answer: fewer than the reader takes, so that every byte is kept.
const FILES: usize = 400;

/// Text of a shape, at least so many bytes long.
fn text(shape: &str, bytes: usize) -> String {
    let lines = "    def value(self, key: str) -> int:\n        return self._values.get(key, 0) + 1\n\n";
    let code = lines.repeat((bytes / FILES / lines.len() + 1).max(12));
    let mut text = String::with_capacity(bytes + 2 * code.len());
    let mut n = 0;
    while text.len() < bytes {
        n += 1;
        match shape {
            "markers" => {
                text += &format!(
                    "=== file 0a1b2c3d: src/m{n}.py ===\n{code}=== end 0a1b2c3d: src/m{n}.py ===\n\n"
                )
            }
            "fences" => text += &format!("The next file:\n\n```python src/m{n}.py\n{code}```\n\n"),
            _ => text += "A paragraph of plain words about what the code does and why it does it so.\n\n",
        }
    }
    assert!(n <= FILES || shape == "prose", "{n} files");
    text
}

fn read(text: &str, chunk: usize) -> Duration {
    let begun = Instant::now();
    let mut reader = AnswerReader::new(Some("0a1b2c3d"), None);
    let mut left = text;
    while !left.is_empty() {
        let (head, rest) = left.split_at(left.floor_char_boundary(chunk));
        std::hint::black_box(reader.feed(head));
        left = rest;
    }
    std::hint::black_box(reader.finish());
    begun.elapsed()
}

fn best(text: &str, chunk: usize) -> Duration {
    (0..RUNS).map(|_| read(text, chunk)).min().unwrap()
}

/// Makes the allocator keep what is freed, as it does in a process that has run for a while: else the larger answers
/// are charged with the system's time for giving the same pages again and again.
fn warm_up() {
    let kept = |megabytes: usize| drop(std::hint::black_box(vec![1_u8; megabytes * MEGABYTE]));
    kept(30);
    read(&text("markers", 10 * MEGABYTE), usize::MAX);
}

fn main() {
    warm_up();
    let assert = std::env::var_os("ASSERT").is_some();
    println!(
        "{:<10} {:>6} {:>14} {:>14} {:>16}",
        "shape", "MB", "whole MB/s", "4 kB MB/s", "time(2n)/time(n)"
    );
    for shape in ["markers", "fences", "prose"] {
        for megabytes in [1, 2, 5] {
            let (one, two) = (text(shape, megabytes * MEGABYTE), text(shape, 2 * megabytes * MEGABYTE));
            let speed = |time: Duration| one.len() as f64 / MEGABYTE as f64 / time.as_secs_f64();
            let (whole, chunked) = (best(&one, usize::MAX), best(&one, CHUNK));
            let growth = best(&two, CHUNK).as_secs_f64() / chunked.as_secs_f64();
            println!(
                "{shape:<10} {megabytes:>6} {:>14.0} {:>14.0} {growth:>16.2}",
                speed(whole),
                speed(chunked)
            );
            assert!(!assert || speed(whole) >= 300.0, "{shape}: below 300 MB/s");
            assert!(!assert || growth < 2.3, "{shape}: twice the text took {growth:.2} times as long");
        }
    }
}
