//! Cancellation token of one request: the attempt under way ends at once, and what it cost so far is told.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::future::{Either, select};
use futures_util::task::AtomicWaker;

use crate::error::{Error, ErrorKind, Result};

/// Asks a request to end early. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_set: AtomicBool,
    waiting: AtomicWaker,
}

impl StopSignal {
    /// Ends the request: the attempt under way fails with [`ErrorKind::Interrupted`].
    pub fn set(&self) {
        self.0.is_set.store(true, Ordering::Release);
        self.0.waiting.wake();
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    /// Ready once it is set. One waiter at a time is woken.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.waiting.register(cx.waker());
        if self.is_set() { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Awaits a result, unless the signal is set before.
    pub(crate) async fn unless<T>(&self, result: impl Future<Output = Result<T>>) -> Result<T> {
        match select(pin!(result), pin!(poll_fn(|cx| self.poll(cx)))).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Error::new(ErrorKind::Interrupted, "interrupted: nothing more was sent")),
        }
    }
}
