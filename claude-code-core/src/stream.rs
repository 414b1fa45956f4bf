//! The stream that callers poll, and the way out for what it shows. Nothing is spawned: whoever polls drives the
//! work; dropping the stream drops it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::draft::next_attempt::NextAttempt;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::generation::{Generation, Given};
use crate::metrics::AttemptSpan;
use crate::metrics::delivery::Delivery;
use crate::plan::Plan;
use crate::provider::stop_signal::StopSignal;
use crate::read::AnswerEvent;

/// The events of one request. Lazy: nothing is planned or sent before the first poll.
///
/// ```
/// use claude_code_core::{Client, Event, Result};
/// use futures_util::TryStreamExt;
///
/// async fn show(client: &Client) -> Result<()> {
///     let mut stream = client.stream("a queue with a timeout");
///     while let Some(event) = stream.try_next().await? {
///         match event {
///             Event::FileChunk { text, .. } => print!("{text}"),
///             Event::Finished(generation) => println!("{}", generation.receipt.total()),
///             _ => {}
///         }
///     }
///     Ok(())
/// }
/// ```
#[must_use = "nothing is sent before it is polled"]
pub struct GenerationStream {
    work: Option<BoxFuture<'static, Delivery>>,
    ended: Option<Delivery>,
    interrupt: StopSignal,
    queue: Arc<Mutex<VecDeque<Event>>>,
    given: Given,
    attempts: Vec<AttemptSpan>,
}

impl std::fmt::Debug for GenerationStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.work.is_some() { "GenerationStream(open)" } else { "GenerationStream(ended)" })
    }
}

impl GenerationStream {
    /// A stream over work that shows its progress on the given way out.
    pub(crate) fn lazy<W>(work: impl FnOnce(Out) -> W) -> Self
    where
        W: Future<Output = Delivery> + Send + 'static,
    {
        let queue = Arc::<Mutex<VecDeque<Event>>>::default();
        let interrupt = StopSignal::default();
        let out = Out {
            queue: Arc::downgrade(&queue),
            paths: Vec::new(),
            held: Duration::ZERO,
            interrupt: interrupt.clone(),
        };
        let work: BoxFuture<'static, Delivery> = Box::pin(work(out));
        GenerationStream {
            work: Some(work),
            ended: None,
            interrupt,
            queue,
            given: Given::default(),
            attempts: Vec::new(),
        }
    }

    /// The same stream, whose result carries the files that it was given, whoever made it.
    pub(crate) fn carrying(mut self, given: Given) -> Self {
        self.given = given;
        self
    }

    /// Ends the request early and keeps its account: the attempt under way is closed and charged at its ceiling, and the
    /// stream goes on to its end, an error of [`ErrorKind::Interrupted`] that carries what was received and what it cost. A
    /// stream that is dropped instead closes the request too, but no error can tell then what it cost; the ledger has it.
    pub fn interrupt(&self) {
        self.interrupt.set();
    }

    /// What [`interrupt`](Self::interrupt) sets, for whoever does not have the stream itself.
    pub fn interrupter(&self) -> StopSignal {
        self.interrupt.clone()
    }

    /// The next event before the result; None once the result is there for [`deliver`](Self::deliver). For callers that may
    /// be given up between the answer's arrival and its hand-over: until then nothing is charged to them.
    pub async fn progress(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_progress(cx)).await
    }

    /// Does the work to its end without keeping what is written meanwhile. The result is there for
    /// [`deliver`](Self::deliver).
    pub async fn finish(&mut self) {
        self.queue = Arc::default();
        while self.progress().await.is_some() {}
    }

    /// Hands out the result, with its cost on the receipt. None before the end, and after the first time.
    pub fn deliver(&mut self) -> Option<Result<Arc<Generation>>> {
        let given = std::mem::take(&mut self.given);
        let delivery = self.ended.take()?;
        let attempts = delivery.attempts();
        let delivered = delivery.deliver();
        if !delivered.as_ref().is_ok_and(|generation| generation.cached.is_some()) {
            self.attempts = attempts;
        }
        if given.0.is_empty() {
            return Some(delivered);
        }
        Some(delivered.map(|generation| Arc::new(Generation { given, ..Arc::unwrap_or_clone(generation) })))
    }

    /// The attempts, for a caller who records the request's span: none before [`deliver`](Self::deliver), without such a
    /// span, and for an answer that another request paid for.
    pub fn attempts(&mut self) -> Vec<AttemptSpan> {
        std::mem::take(&mut self.attempts)
    }

    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Some(event) = pop(&self.queue) {
            return Poll::Ready(Some(event));
        }
        let Some(work) = self.work.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(ended) = work.as_mut().poll(cx) {
            self.work = None;
            self.ended = Some(ended);
        }
        // What was shown before the end comes before it.
        match pop(&self.queue) {
            None if self.work.is_some() => Poll::Pending,
            event => Poll::Ready(event),
        }
    }

    /// Reads to the end and gives the result. Of what is written meanwhile nothing is kept.
    pub async fn collect(mut self) -> Result<Generation> {
        self.finish().await;
        let read_before = || {
            Error::new(ErrorKind::InvalidRequest, "the stream was read to its end before: keep what it gave")
        };
        self.deliver().ok_or_else(read_before)?.map(Arc::unwrap_or_clone)
    }
}

impl Stream for GenerationStream {
    type Item = Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = std::task::ready!(self.poll_progress(cx)).map(Ok);
        Poll::Ready(event.or_else(|| self.deliver().map(|result| result.map(Event::Finished))))
    }
}

fn pop(queue: &Mutex<VecDeque<Event>>) -> Option<Event> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Sender of a stream's events. Its reader sets the pace; without a reader nothing is kept.
#[derive(Debug)]
pub(crate) struct Out {
    queue: std::sync::Weak<Mutex<VecDeque<Event>>>,
    paths: Vec<Option<String>>,
    held: Duration,
    interrupt: StopSignal,
}

impl Out {
    /// Shows an event and waits until the reader has come back for more.
    pub(crate) async fn show(&mut self, event: Event) {
        let Some(queue) = self.queue.upgrade() else { return };
        queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        drop(queue);
        let shown = Instant::now();
        pause().await;
        self.held += shown.elapsed();
    }

    /// Shows a piece of an answer.
    pub(crate) async fn answer_event(&mut self, piece: AnswerEvent) {
        if self.queue.strong_count() == 0 {
            return;
        }
        let event = match piece {
            AnswerEvent::Text(text) => Event::Text(text),
            AnswerEvent::FileStarted { index, path, language, revision } => {
                self.paths.resize(self.paths.len().max(index + 1), None);
                self.paths[index].clone_from(&path);
                Event::FileStarted { index, path, language: language.to_string(), revision }
            }
            AnswerEvent::FileChunk { index, revision, text } => {
                Event::FileChunk { index, path: self.path(index), revision, text }
            }
            AnswerEvent::FileFinished { index, revision, complete } => {
                Event::FileFinished { index, path: self.path(index), revision, complete }
            }
        };
        self.show(event).await;
    }

    /// Tells of a send that is not the first.
    pub(crate) async fn notice(
        &mut self,
        plan: &Plan,
        attempt: &NextAttempt,
        (cause, left_seconds): (Option<String>, f64),
    ) {
        let model = plan.candidate(attempt.candidate).model.to_string();
        let wait_seconds = attempt.wait.as_secs_f64();
        let why = attempt.why.to_string();
        self.show(Event::Notice { why, model, wait_seconds, cause, left_seconds }).await;
    }

    /// Shows a result that was there before, as if it were written now.
    pub(crate) async fn replay(&mut self, kept: &Generation) {
        for (index, file) in kept.files.iter().enumerate() {
            let (path, complete) = (file.path.clone(), file.complete);
            let language = file.language.to_string();
            self.show(Event::FileStarted { index, path: path.clone(), language, revision: 0 }).await;
            self.show(Event::FileChunk {
                index,
                path: path.clone(),
                revision: 0,
                text: file.content.clone(),
            })
            .await;
            self.show(Event::FileFinished { index, path, revision: 0, complete }).await;
        }
    }

    /// A way out to the same reader.
    pub(crate) fn second(&self) -> Out {
        let (queue, interrupt) = (self.queue.clone(), self.interrupt.clone());
        Out { queue, paths: Vec::new(), held: Duration::ZERO, interrupt }
    }

    /// What ends the request early.
    pub(crate) fn interrupt(&self) -> &StopSignal {
        &self.interrupt
    }

    /// How long the reader has kept the work waiting so far.
    pub(crate) fn held(&self) -> Duration {
        self.held
    }

    fn path(&self, index: usize) -> Option<String> {
        self.paths.get(index).cloned().flatten()
    }
}

/// Lets go once, so that the reader gets what was shown; whoever else waits for the same work is woken to drive it.
async fn pause() {
    let mut paused = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt;

    use super::*;

    /// A stream that shows a piece, and counts whether anybody was there to see it.
    fn showing(readers: Arc<AtomicUsize>) -> GenerationStream {
        GenerationStream::lazy(|mut out| async move {
            readers.fetch_add(out.queue.strong_count(), Ordering::SeqCst);
            out.answer_event(AnswerEvent::Text("text".to_owned())).await;
            Delivery::failed(Error::new(ErrorKind::Cut, "the end"))
        })
    }

    #[tokio::test]
    async fn a_stream_that_is_only_collected_keeps_no_events() {
        let readers = Arc::<AtomicUsize>::default();
        assert!(showing(readers.clone()).collect().await.is_err());
        assert_eq!(readers.load(Ordering::SeqCst), 0);
        let events: Vec<_> = StreamExt::collect::<Vec<_>>(showing(readers.clone())).await;
        assert_eq!((readers.load(Ordering::SeqCst), events.len()), (1, 2));
    }
}
