//! Application profiles, whose model only the service can tell.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use claude_code_core::provider::{Billing, ModelCall, ModelFacts, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Client, Cost, ErrorKind, GenerateRequest, ModelId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::{Duration, advance};

use super::REVERSE;

fn arn(name: &str) -> String {
    format!("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/{name}")
}

/// A service that never tells of `slow`, fails once for `flaky`, and knows all others.
#[derive(Debug, Default)]
struct Facts(Arc<AtomicU32>);

impl ModelFacts for Facts {
    fn resolve(&self, profile: ModelId) -> BoxFuture<'static, Result<ModelId, ProviderError>> {
        let asked = self.0.fetch_add(1, Ordering::SeqCst);
        async move {
            if profile.as_str().ends_with("slow") {
                std::future::pending::<()>().await;
            }
            if profile.as_str().ends_with("flaky") && asked == 0 {
                return Err(ProviderError::new(ErrorKind::Throttled, Billing::No, "slow down"));
            }
            Ok(ModelId::new("global.anthropic.claude-haiku-5-5").unwrap())
        }
        .boxed()
    }

    fn count_tokens(&self, _: ModelCall) -> BoxFuture<'static, Result<u64, ProviderError>> {
        futures_util::future::ready(Ok(1)).boxed()
    }
}

fn client() -> Client {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    builder(provider).with_facts(Arc::new(Facts::default())).build()
}

fn on(profile: &str) -> GenerateRequest {
    GenerateRequest::new(format!("reverse for {profile}")).with_model(arn(profile))
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_is_not_told_of_holds_up_no_other() {
    let client = client();
    let (slow, quick) = tokio::join!(client.generate(on("slow")), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let begun = tokio::time::Instant::now();
        let generation = client.generate(on("quick")).await.unwrap();
        (generation, begun.elapsed())
    });
    assert!(matches!(slow.unwrap().receipt.total(), Cost::Unpriced { .. }));
    assert!(matches!(quick.0.receipt.total(), Cost::Priced(_)) && quick.1 < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_failed_in_passing_is_tried_again_soon() {
    let client = client();
    let first = client.generate(on("flaky")).await.unwrap();
    assert!(matches!(first.receipt.total(), Cost::Unpriced { .. }), "{:?}", first.warnings);
    advance(Duration::from_secs(6)).await;
    let request = GenerateRequest::new("another").with_model(arn("flaky"));
    let second = client.generate(request).await.unwrap();
    assert!(matches!(second.receipt.total(), Cost::Priced(_)), "{:?}", second.warnings);
}
