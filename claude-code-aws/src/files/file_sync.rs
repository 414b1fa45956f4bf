//! Group commit of a file: a thread synchronises it, once for all writes of a short while.

use std::fs::File;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Writes that are synchronised together at most.
const AT_ONCE: usize = 64;
/// How long a write waits for others.
const WAIT: Duration = Duration::from_millis(50);

/// Synchronises a file after writes to it. Dropping it waits for the last of them.
#[derive(Debug)]
pub(super) struct FileSync {
    writes: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FileSync {
    pub(super) fn start(file: &File) -> std::io::Result<Self> {
        let file = file.try_clone()?;
        let (writes, seen) = channel();
        let thread =
            std::thread::Builder::new().name("journal".to_owned()).spawn(move || run(&file, &seen))?;
        Ok(FileSync { writes: Some(writes), thread: Some(thread) })
    }

    /// There was a write.
    pub(super) fn written(&self) {
        if let Some(writes) = &self.writes {
            let _ = writes.send(());
        }
    }
}

impl Drop for FileSync {
    fn drop(&mut self) {
        drop(self.writes.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(file: &File, writes: &Receiver<()>) {
    while writes.recv().is_ok() {
        let until = Instant::now() + WAIT;
        for _ in 1..AT_ONCE {
            match writes.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Err(error) = file.sync_data() {
            tracing::warn!(%error, "the journal could not be synchronised: a loss of power may take its last answers");
        }
    }
}
