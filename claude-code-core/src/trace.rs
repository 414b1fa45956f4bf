//! Trace context: the distributed trace that a request belongs to, as [W3C Trace Context](https://www.w3.org/TR/trace-context/)
//! writes it in the headers `traceparent` and `tracestate`.

use std::sync::Arc;

use crate::clock::IdSource;

/// The longest `tracestate` that every implementation must pass on.
const MAX_STATE: usize = 512;

/// A span and its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not all zeros.
    pub trace_id: [u8; 16],
    /// The span; not all zeros.
    pub span_id: [u8; 8],
    /// Whether the trace is recorded.
    pub is_sampled: bool,
    state: Option<Arc<str>>,
}

impl TraceContext {
    /// From the headers `traceparent` and `tracestate`; none where the first one is not valid. A state that is not valid is
    /// left out.
    pub fn parse(parent: &str, state: Option<&str>) -> Option<Self> {
        let mut parts = parent.trim().splitn(5, '-');
        let version: [u8; 1] = unhex(parts.next()?)?;
        let (trace_id, span_id) = (unhex(parts.next()?)?, unhex(parts.next()?)?);
        let [flags]: [u8; 1] = unhex(parts.next()?)?;
        let is_longer = parts.next().is_some();
        if version == [0xff] || (version == [0] && is_longer) || trace_id == [0; 16] || span_id == [0; 8] {
            return None;
        }
        let is_plain = |text: &&str| {
            (1..=MAX_STATE).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b))
        };
        let state = state.map(str::trim).filter(is_plain).map(Into::into);
        Some(TraceContext { trace_id, span_id, is_sampled: flags & 1 == 1, state })
    }

    /// The value of the header `traceparent`.
    pub fn traceparent(&self) -> String {
        let (trace, span) = (hex(&self.trace_id), hex(&self.span_id));
        format!("00-{trace}-{span}-0{}", u8::from(self.is_sampled))
    }

    /// The value of the header `tracestate`, where there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }
}

/// The trace of one request: its own span, and the caller's above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestTrace {
    /// The request's span; the caller's, where this client records none.
    pub context: TraceContext,
    /// The caller's span, where there is one.
    pub parent: Option<[u8; 8]>,
    /// Whether this client records spans, so that its attempts have some of their own.
    pub is_recorded: bool,
}

impl RequestTrace {
    /// A span below the caller's, or at the top of a new trace; none where nobody traces.
    pub(crate) fn begin(caller: Option<&TraceContext>, records: bool, ids: &dyn IdSource) -> Option<Self> {
        if !records {
            let context = caller?.clone();
            return Some(RequestTrace { context, parent: None, is_recorded: false });
        }
        let mut span_id = [0; 8];
        span_id.copy_from_slice(&ids.random()[..8]);
        let context = match caller {
            Some(caller) => TraceContext { span_id, ..caller.clone() },
            None => TraceContext { trace_id: ids.random(), span_id, is_sampled: true, state: None },
        };
        let parent = caller.map(|caller| caller.span_id);
        let is_recorded = context.is_sampled;
        Some(RequestTrace { context, parent, is_recorded })
    }

    /// A span that the caller made for this request and records itself.
    pub(crate) fn own(span: TraceContext) -> Self {
        RequestTrace { is_recorded: span.is_sampled, context: span, parent: None }
    }

    /// The span of an attempt, counted from 0: what the service is told.
    pub fn attempt(&self, number: usize) -> TraceContext {
        if !self.is_recorded {
            return self.context.clone();
        }
        let own = u64::from_be_bytes(self.context.span_id);
        let next = own.wrapping_add(u64::try_from(number).unwrap_or(u64::MAX)).wrapping_add(1);
        TraceContext { span_id: next.max(1).to_be_bytes(), ..self.context.clone() }
    }
}

/// Bytes as lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |byte: u8| char::from(DIGITS[usize::from(byte)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Bytes of lower-case hex of exactly this length.
fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}
