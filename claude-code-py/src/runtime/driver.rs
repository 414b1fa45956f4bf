//! Who drives the runtime. A thread that waits for its own call does so meanwhile: its answer then crosses no thread. The
//! background thread does whenever there is work that no such thread waits for, and whenever nobody calls.

use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread::Thread;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::runtime::is_stopped;

/// Between two looks for signals: Ctrl-C is heard within this. Who has not called for this long leaves the runtime to the
/// background thread.
const TICK: Duration = Duration::from_millis(50);

/// How long a fork waits for threads that are within the runtime.
const FORK: Duration = Duration::from_secs(1);

/// Who waits, and for whom the background thread works.
pub(crate) struct Driver {
    /// Threads that wait for calls of their own.
    waiting: AtomicUsize,
    /// How often one began to.
    begun: AtomicU64,
    /// Work that goes on while nobody waits: an event loop's, a batch's, a listening twin's.
    attended: AtomicUsize,
    /// Whether the background thread drives, or is about to.
    drives: AtomicBool,
    /// Tells it to look again who waits.
    look: Notify,
    /// Tells those who wait to look for signals.
    ticks: Notify,
    background: OnceLock<Thread>,
    /// Forks that are about to happen: nobody goes into the runtime meanwhile.
    forks: AtomicUsize,
    /// Threads that are in it.
    inside: AtomicUsize,
}

impl Driver {
    pub(crate) const fn new() -> Self {
        Driver {
            waiting: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            attended: AtomicUsize::new(0),
            drives: AtomicBool::new(false),
            look: Notify::const_new(),
            ticks: Notify::const_new(),
            background: OnceLock::new(),
            forks: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
        }
    }

    /// Waits for a future in this thread, and drives the runtime if nobody else does. None: it is time to look for signals.
    pub(crate) fn wait<F: Future + Unpin>(&self, runtime: &Runtime, future: F) -> Option<F::Output> {
        // Before the look whether all ends: who is told to stop later is told by this too.
        let tick = self.ticks.notified();
        if is_stopped() {
            return None;
        }
        let _waiting = self.begin();
        let _inside = self.enter();
        match runtime.block_on(select(future, pin!(tick))) {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    fn begin(&self) -> Counted<'_> {
        self.begun.fetch_add(1, SeqCst);
        let counted = Counted::of(&self.waiting);
        if self.drives.load(SeqCst) {
            self.look.notify_one();
        }
        counted
    }

    /// Work for the background thread, from now on until this is dropped.
    pub(crate) fn attended(&self) -> Counted<'_> {
        let counted = Counted::of(&self.attended);
        self.wake();
        counted
    }

    fn wake(&self) {
        if let Some(background) = self.background.get() {
            background.unpark();
        }
    }

    /// Before the first work: who is woken when there is some.
    pub(crate) fn set_background(&self, thread: &Thread) {
        let _ = self.background.set(thread.clone());
    }

    /// The background thread's life: it ends when the interpreter does.
    pub(crate) fn attend(&self, runtime: &Runtime) {
        // It is started by a first call, which may want to drive.
        let mut seen = u64::MAX;
        while !is_stopped() {
            while !is_stopped() && self.is_left_to_callers(&mut seen) {
                std::thread::park_timeout(TICK);
                self.ticks.notify_waiters();
            }
            let _inside = self.enter();
            self.drives.store(true, SeqCst);
            runtime.block_on(self.until_callers_drive());
            self.drives.store(false, SeqCst);
        }
    }

    fn is_left_to_callers(&self, seen: &mut u64) -> bool {
        let before = std::mem::replace(seen, self.begun.load(SeqCst));
        self.attended.load(SeqCst) == 0 && (self.waiting.load(SeqCst) > 0 || *seen != before)
    }

    async fn until_callers_drive(&self) {
        while !is_stopped() && self.forks.load(SeqCst) == 0 {
            let (waiting, attended) = (self.waiting.load(SeqCst), self.attended.load(SeqCst));
            match (waiting > 0, attended > 0) {
                (true, false) => return,
                (true, true) => {
                    let _ = timeout(TICK, self.look.notified()).await;
                    self.ticks.notify_waiters();
                }
                (false, _) => self.look.notified().await,
            }
        }
    }

    /// Into the runtime, as soon as no fork is about to happen.
    fn enter(&self) -> Counted<'_> {
        loop {
            let inside = Counted::of(&self.inside);
            if self.forks.load(SeqCst) == 0 {
                return inside;
            }
            drop(inside);
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Keeps everybody out of the runtime until `go_on`.
    pub(crate) fn pause(&self) {
        self.forks.fetch_add(1, SeqCst);
    }

    /// Waits until everybody has left it. Who does not within a second is not waited for any more.
    pub(crate) fn wait_until_left(&self) {
        let end = Instant::now() + FORK;
        while self.inside.load(SeqCst) > 0 && Instant::now() < end {
            self.ticks.notify_waiters();
            self.look.notify_one();
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// The fork has happened. A host that forks by itself may tell of that alone.
    pub(crate) fn go_on(&self) {
        let _ = self.forks.fetch_update(SeqCst, SeqCst, |forks| forks.checked_sub(1));
    }

    /// Tells everybody to look whether the interpreter goes.
    pub(crate) fn stop(&self) {
        self.ticks.notify_waiters();
        self.look.notify_one();
        self.wake();
    }
}

/// One more of something, until this is dropped.
pub(crate) struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn of(number: &'a AtomicUsize) -> Self {
        number.fetch_add(1, SeqCst);
        Counted(number)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
