//! Output of a command check: its last lines, in bounded memory.

use std::collections::VecDeque;
use std::io::Read;
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::WORK;
use super::layout::Layout;

/// Lines that are told.
const MAX_LINES: usize = 200;
/// Bytes of them.
const MAX_KEPT: usize = 32 << 10;
/// Bytes that a command may write before it is ended.
const MAX_WRITTEN: u64 = 64 << 20;

/// The last that both streams wrote, in the order in which it came.
pub(super) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    written: Arc<AtomicU64>,
    readers: Vec<JoinHandle<()>>,
}

impl Tail {
    /// Reads a child's output from now on.
    pub(super) fn of(child: &mut Child) -> Self {
        let mut tail = Tail { kept: Arc::default(), written: Arc::default(), readers: Vec::new() };
        if let Some(out) = child.stdout.take() {
            tail.read(out);
        }
        if let Some(err) = child.stderr.take() {
            tail.read(err);
        }
        tail
    }

    fn read(&mut self, mut stream: impl Read + Send + 'static) {
        let (kept, written) = (Arc::clone(&self.kept), Arc::clone(&self.written));
        self.readers.push(std::thread::spawn(move || {
            let mut part = [0_u8; 8 << 10];
            while let Ok(length @ 1..) = stream.read(&mut part) {
                let total = written.fetch_add(length as u64, Ordering::Relaxed);
                if total > MAX_WRITTEN {
                    break;
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&part[..length]);
                let over = kept.len().saturating_sub(MAX_KEPT);
                kept.drain(..over);
            }
        }));
    }

    /// Whether it has written more than anyone reads.
    pub(super) fn is_flooded(&self) -> bool {
        self.written.load(Ordering::Relaxed) > MAX_WRITTEN
    }

    /// The last lines once the command has ended, with paths as the answer names them.
    pub(super) fn end(self, layout: &Layout) -> String {
        // What a process left behind holds open is not waited for: the sandbox ended it, and without one nobody can.
        for reader in self.readers {
            for _ in 0..50 {
                if reader.is_finished() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let here = format!("{}/", layout.path().display());
        let plain: String = text.chars().filter(|c| *c == '\n' || *c == '\t' || !c.is_control()).collect();
        let text = plain.replace(&here, "").replace(&format!("{WORK}/"), "");
        let lines: Vec<&str> = text.trim_end().lines().collect();
        lines[lines.len().saturating_sub(MAX_LINES)..].join("\n")
    }
}
