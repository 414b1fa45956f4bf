//! Contract suite of model providers: what each does, whatever its wire format.

use std::sync::Arc;

use futures_util::StreamExt;

use crate::error::ErrorKind;
use crate::model::ModelId;
use crate::money::usage::Usage;
use crate::provider::message::{Message, TextBlock};
use crate::provider::{Billing, ModelCall, ModelEvent, ModelProvider, ProviderError, StopReason};

/// What a provider is made to meet, in its own wire's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Case {
    /// A whole answer of [`TEXT`], with [`USAGE`].
    Whole,
    /// The same with no usage.
    WithoutUsage,
    /// An answer that ends with this reason, as the wire spells it.
    Stopped(&'static str),
    /// The answer's bytes end in its middle.
    Cut,
    /// The connection breaks in the answer's middle.
    Broken,
    /// A framing event is missing.
    Disordered,
    /// An event that nobody knows stands in its middle.
    UnknownEvent,
    /// The service throttles and asks to wait seven seconds.
    Throttled,
    /// The key or the credentials are refused.
    Unauthorised,
    /// The service fails in the answer's middle and says so.
    FailedMidway,
    /// The service cannot answer now.
    Unavailable,
    /// A temperature is refused.
    SamplingRefused,
}

/// The text of a whole answer: several pieces, beyond ASCII, with line ends.
pub const TEXT: &str = "Zeile eins: größer — 漢字.\n```python a.py\nx = 1\n```\n";

/// The usage of a whole answer.
pub const USAGE: Usage = Usage {
    input_tokens: 100,
    output_tokens: 40,
    cache_read_input_tokens: 7,
    cache_creation_5m_input_tokens: 5,
    cache_creation_1h_input_tokens: 3,
    thinking_tokens: None,
};

/// How a provider is made to meet a case; the second value counts the sends that it made.
pub type Make<'a> = &'a dyn Fn(Case) -> (Arc<dyn ModelProvider>, Arc<dyn Fn() -> usize>);

/// Runs the whole contract. Panics at what does not hold.
pub async fn holds(make: Make<'_>) {
    nothing_is_sent_before_the_first_poll(make).await;
    a_whole_answer_is_text_one_stop_and_its_usage(make).await;
    reasons_are_given_as_the_wire_spells_them(make).await;
    a_cut_answer_has_no_stop(make).await;
    after_an_error_the_stream_ends(make).await;
    verdicts_are_the_providers(make).await;
}

/// What a call gave.
struct Given {
    text: String,
    stops: Vec<StopReason>,
    usages: Vec<Usage>,
    skipped: usize,
    fault: Option<ProviderError>,
    ended_after_fault: bool,
}

#[allow(clippy::expect_used)]
fn call() -> ModelCall {
    ModelCall::new(
        ModelId::new("global.anthropic.claude-sonnet-5-5").expect("an id"),
        vec![Message::user("task")],
        100,
    )
    .with_system(vec![TextBlock::new("system")])
}

async fn given(make: Make<'_>, case: Case) -> Given {
    let (provider, _) = make(case);
    let mut events = provider.stream(call());
    let mut given = Given {
        text: String::new(),
        stops: Vec::new(),
        usages: Vec::new(),
        skipped: 0,
        fault: None,
        ended_after_fault: true,
    };
    while let Some(event) = events.next().await {
        given.ended_after_fault = given.fault.is_none();
        match event {
            Ok(ModelEvent::Text(text)) => {
                assert!(given.stops.is_empty(), "no text after the stop");
                given.text += &text;
            }
            Ok(ModelEvent::Stop { reason, .. }) => given.stops.push(reason),
            Ok(ModelEvent::Usage(usage)) => {
                assert_eq!(given.stops.len(), 1, "usage after the stop");
                given.usages.push(usage);
            }
            Ok(ModelEvent::Skipped) => given.skipped += 1,
            Ok(ModelEvent::Thinking { .. } | ModelEvent::BillingNote { .. } | ModelEvent::Alive) => {}
            Err(fault) => given.fault = Some(fault),
        }
    }
    given
}

async fn nothing_is_sent_before_the_first_poll(make: Make<'_>) {
    let (provider, sends) = make(Case::Whole);
    drop(provider.stream(call()));
    let call = call();
    let sent_flag = call.sent_flag.clone();
    let mut unpolled = provider.stream(call);
    assert_eq!(sends(), 0, "{}: a stream that was not polled was sent", provider.name());
    assert!(!sent_flag.is_sent(), "{}: nothing has left", provider.name());
    assert!(unpolled.next().await.is_some());
    assert_eq!(sends(), 1);
    assert!(sent_flag.is_sent(), "{}: what was sent must be marked", provider.name());
}

async fn a_whole_answer_is_text_one_stop_and_its_usage(make: Make<'_>) {
    for (case, usages) in [(Case::Whole, vec![USAGE]), (Case::WithoutUsage, vec![])] {
        let given = given(make, case).await;
        assert_eq!((given.text.as_str(), given.stops.as_slice()), (TEXT, &[StopReason::EndTurn][..]));
        assert_eq!(given.usages, usages, "{case:?}");
        assert!(given.fault.is_none(), "{case:?}: {:?}", given.fault);
    }
    let unknown = given(make, Case::UnknownEvent).await;
    assert_eq!((unknown.text.as_str(), unknown.skipped), (TEXT, 1), "passed over and counted");
}

async fn reasons_are_given_as_the_wire_spells_them(make: Make<'_>) {
    for reason in ["stop_sequence", "max_tokens", "refusal", "tool_use", "something_new"] {
        let given = given(make, Case::Stopped(reason)).await;
        assert_eq!(given.stops.iter().map(StopReason::as_str).collect::<Vec<_>>(), [reason]);
    }
}

async fn a_cut_answer_has_no_stop(make: Make<'_>) {
    let cut = given(make, Case::Cut).await;
    assert!(cut.stops.is_empty() && TEXT.starts_with(&cut.text) && cut.text.len() < TEXT.len());
    assert!(cut.fault.is_none_or(|fault| fault.kind == ErrorKind::Cut && fault.paid == Billing::Maybe));
}

async fn after_an_error_the_stream_ends(make: Make<'_>) {
    for case in [Case::Broken, Case::Disordered, Case::FailedMidway, Case::Throttled] {
        let given = given(make, case).await;
        assert!(given.fault.is_some() && given.ended_after_fault, "{case:?}");
        assert!(given.stops.is_empty() || case == Case::Disordered, "{case:?}");
    }
}

async fn verdicts_are_the_providers(make: Make<'_>) {
    let table = [
        (Case::Broken, ErrorKind::Cut, Billing::Maybe),
        (Case::Disordered, ErrorKind::Protocol, Billing::Maybe),
        (Case::FailedMidway, ErrorKind::Unavailable, Billing::Maybe),
        (Case::Throttled, ErrorKind::Throttled, Billing::No),
        (Case::Unavailable, ErrorKind::Unavailable, Billing::No),
        (Case::Unauthorised, ErrorKind::Credentials, Billing::No),
        (Case::SamplingRefused, ErrorKind::InvalidRequest, Billing::No),
    ];
    for (case, kind, paid) in table {
        let Some(fault) = given(make, case).await.fault else {
            assert!(case == Case::Whole, "{case:?} must fail");
            continue;
        };
        assert_eq!((fault.kind, fault.paid), (kind, paid), "{case:?}: {fault}");
        assert!(!fault.message.contains('\n') && !fault.message.is_empty());
        assert_eq!(fault.retry_after.map(|wait| wait.as_secs()), (case == Case::Throttled).then_some(7));
        let field = fault.refused_field.map(|field| field.as_str());
        assert_eq!(field, (case == Case::SamplingRefused).then_some("temperature"));
    }
}
