//! Request body that sets the call's sent flag: a connection takes the body only once it exists.

use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use claude_code_core::TraceContext;
use claude_code_core::provider::SentFlag;
use http_body::{Body, Frame, SizeHint};

/// The body, watched.
pub(crate) fn departing(body: SdkBody, sent_flag: &SentFlag) -> SdkBody {
    SdkBody::from_body_1_x(Departing { body, sent_flag: sent_flag.clone() })
}

struct Departing {
    body: SdkBody,
    sent_flag: SentFlag,
}

impl Body for Departing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.sent_flag.mark();
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Watches the body of one request of the AWS SDK, and adds its trace: behind its signature, for what stands between may
/// write a span of its own into it.
#[derive(Debug)]
pub(crate) struct Watch(pub(crate) SentFlag, pub(crate) Option<TraceContext>);

/// The headers of a trace.
pub(crate) fn trace_headers(trace: Option<&TraceContext>) -> impl Iterator<Item = (&'static str, String)> {
    let own = trace.map(|trace| ("traceparent", trace.traceparent()));
    let state = trace.and_then(TraceContext::tracestate).map(|state| ("tracestate", state.to_owned()));
    own.into_iter().chain(state)
}

#[dyn_dispatch_hint]
impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = std::mem::replace(request.body_mut(), SdkBody::taken());
        *request.body_mut() = departing(body, &self.0);
        for (name, value) in trace_headers(self.1.as_ref()) {
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}
