//! Limits on the frames of an event stream, enforced on its bytes as they arrive: the SDK's decoder waits for as many
//! bytes as a length field claims, and checks that field only then.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use http_body::{Body, Frame};

/// The longest frame that is taken: the service's own limit for a part is 1 MB.
const MAX_FRAME: u32 = 16 << 20;
/// The longest stream that is taken.
const MAX_STREAM: u64 = 64 << 20;
/// Total length, headers length, and the checksum of both.
const PRELUDE: usize = 12;

/// Why a stream was refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameFault {
    /// The checksum over the lengths is wrong.
    #[error("a frame's prelude is damaged")]
    Prelude,
    /// A frame claims to be longer than any honest one.
    #[error("a frame claims {0} bytes, {MAX_FRAME} are allowed")]
    Frame(u32),
    /// The stream does not end.
    #[error("the stream is longer than {MAX_STREAM} bytes")]
    Stream,
}

/// Puts the limits around the body of a successful answer: only for operations that answer with an event stream.
#[derive(Debug)]
pub(super) struct FrameLimit;

#[dyn_dispatch_hint]
impl Intercept for FrameLimit {
    fn name(&self) -> &'static str {
        "FrameLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        // Whatever its type says: the SDK reads a success as frames, a proxy's page too.
        if response.status().is_success() {
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let limited = Limited { body, prelude: Vec::with_capacity(PRELUDE), left: 0, seen: 0 };
            *response.body_mut() = SdkBody::from_body_1_x(limited);
        }
        Ok(())
    }
}

/// A body whose frames are measured as they pass.
struct Limited {
    body: SdkBody,
    /// The prelude of the current frame as far as it has arrived.
    prelude: Vec<u8>,
    /// Bytes of the current frame behind its prelude that are still to come.
    left: usize,
    seen: u64,
}

impl Body for Limited {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
            && let Err(fault) = self.measure(data)
        {
            return Poll::Ready(Some(Err(fault.into())));
        }
        polled
    }
}

impl Limited {
    fn measure(&mut self, mut data: &[u8]) -> Result<(), FrameFault> {
        self.seen += data.len() as u64;
        if self.seen > MAX_STREAM {
            return Err(FrameFault::Stream);
        }
        while !data.is_empty() {
            let passed = self.left.min(data.len());
            self.left -= passed;
            data = &data[passed..];
            let (head, rest) = data.split_at((PRELUDE - self.prelude.len()).min(data.len()));
            self.prelude.extend_from_slice(head);
            data = rest;
            if self.prelude.len() == PRELUDE {
                self.left = body_length(&self.prelude)?;
                self.prelude.clear();
            }
        }
        Ok(())
    }
}

/// Bytes of the frame behind its prelude.
fn body_length(prelude: &[u8]) -> Result<usize, FrameFault> {
    let word = |at: usize| prelude[at..at + 4].iter().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    if crc32fast::hash(&prelude[..8]) != word(8) {
        return Err(FrameFault::Prelude);
    }
    let total = word(0);
    if total > MAX_FRAME {
        return Err(FrameFault::Frame(total));
    }
    (total as usize).checked_sub(PRELUDE).ok_or(FrameFault::Prelude)
}
