//! Batch: many requests with bounded concurrency. Each is a generation of its own, with its receipt, cache and budget;
//! equal ones share one answer.

use futures_util::stream::{self, BoxStream, StreamExt};

use crate::cache::response::hit;
use crate::client::Client;
use crate::error::Result;
use crate::generation::Generation;
use crate::request::GenerateRequest;

/// One request of a batch, answered.
#[derive(Debug)]
pub struct BatchItem {
    /// Its place among the requests, from 0.
    pub index: usize,
    /// What [`Client::generate`] gives for it. A failure is its own: the other requests go on.
    pub result: Result<Generation>,
}

impl Client {
    /// Generates for many requests, at most `concurrency` of them at a time (0 counts as 1). Gives each as it
    /// finishes, so not in the order of the requests.
    ///
    /// Lazy, as [`stream`](Self::stream) is: requests are taken from the iterator when there is room for them, nothing
    /// goes on while the stream is not polled, and dropping it closes what is under way.
    pub fn batch<R>(
        &self,
        requests: impl IntoIterator<Item = R, IntoIter: Send + 'static>,
        concurrency: usize,
    ) -> BoxStream<'static, BatchItem>
    where
        R: Into<GenerateRequest> + 'static,
    {
        let client = self.clone();
        let requests = requests.into_iter().map(Into::into).enumerate();
        let items = stream::iter(requests).map(move |(index, request): (usize, GenerateRequest)| {
            let generating = client.stream(request).collect();
            async move { BatchItem { index, result: generating.await } }
        });
        items.buffer_unordered(concurrency.max(1)).boxed()
    }

    /// The result of a repeat of a request that an earlier run answered: that run's answer, with a receipt of zero.
    pub fn merged(&self, answer: &Generation) -> Generation {
        hit(answer, self.parts.clock.now())
    }
}
