//! The scripted provider keeps the contract that the real ones keep.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, Field, ModelEvent, ModelProvider, ProviderError, StopReason};
use claude_code_core::testing::provider_contract::{Case, TEXT, USAGE, holds};
use claude_code_core::testing::{Line, Script, ScriptedProvider};

fn script(case: Case) -> Script {
    let fault = |kind, paid| ProviderError::new(kind, paid, "scripted");
    let half = || Script::text(&TEXT[..TEXT.floor_char_boundary(30)]);
    match case {
        Case::Whole => Script::text(TEXT).stop(StopReason::EndTurn).usage(USAGE),
        Case::WithoutUsage => Script::text(TEXT).stop(StopReason::EndTurn),
        Case::Stopped(reason) => Script::text(TEXT).stop(StopReason::from_wire(reason)).usage(USAGE),
        Case::Cut => half(),
        Case::Broken => half().then_fail(fault(ErrorKind::Cut, Billing::Maybe)),
        Case::Disordered => half().then_fail(fault(ErrorKind::Protocol, Billing::Maybe)),
        Case::UnknownEvent => {
            let mut script = Script::text(TEXT).stop(StopReason::EndTurn).usage(USAGE);
            script.0.insert(1, Line::Event(ModelEvent::Skipped));
            script
        }
        Case::Throttled => Script::fail(ProviderError {
            retry_after: Some(Duration::from_secs(7)),
            ..fault(ErrorKind::Throttled, Billing::No)
        }),
        Case::Unauthorised => Script::fail(fault(ErrorKind::Credentials, Billing::No)),
        Case::FailedMidway => half().then_fail(fault(ErrorKind::Unavailable, Billing::Maybe)),
        Case::Unavailable => Script::fail(fault(ErrorKind::Unavailable, Billing::No)),
        Case::SamplingRefused => Script::fail(ProviderError {
            refused_field: Some(Field::Sampling),
            ..fault(ErrorKind::InvalidRequest, Billing::No)
        }),
        other => panic!("no script for {other:?}"),
    }
}

#[tokio::test]
async fn the_scripted_provider_keeps_the_contract() {
    holds(&|case| {
        let provider = ScriptedProvider::new([script(case)]);
        let counted = provider.clone();
        (provider as Arc<dyn ModelProvider>, Arc::new(move || counted.calls().len()))
    })
    .await;
}
