//! One timer for a whole answer. What is due later with every event does not move it until it rings: a timer of its own
//! for each event would be set and dropped for nothing.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is set when it is first waited for.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready from `due` on, which may be another one each time.
    pub(crate) fn poll(&mut self, due: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if due <= sleep.deadline() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    async fn rings(alarm: &mut Alarm, seconds: u64) -> Duration {
        let begun = Instant::now();
        poll_fn(|cx| alarm.poll(begun + Duration::from_secs(seconds), cx)).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_it_is_due_whatever_it_was_set_to_before() {
        let mut alarm = Alarm::default();
        for seconds in [5, 60, 2, 2, 900, 1] {
            let due = Duration::from_secs(seconds);
            assert!((due..due + Duration::from_millis(2)).contains(&rings(&mut alarm, seconds).await));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_was_set_and_not_waited_for_rings_for_what_is_due_now() {
        for (before, now) in [(3, 40), (40, 3)] {
            let mut alarm = Alarm::default();
            let begun = Instant::now();
            let set = poll_fn(|cx| Poll::Ready(alarm.poll(begun + Duration::from_secs(before), cx))).await;
            assert!(set.is_pending());
            let due = Duration::from_secs(now);
            assert!((due..due + Duration::from_millis(2)).contains(&rings(&mut alarm, now).await));
        }
    }
}
