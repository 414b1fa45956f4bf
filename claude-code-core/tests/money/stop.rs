use std::sync::Arc;
use std::time::Duration;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{BudgetScope, ErrorKind, Policy, Scope};
use tokio::time::advance;

use super::{REVERSE, on, on_haiku};

#[tokio::test(start_paused = true)]
async fn a_stop_is_seen_by_another_host_within_two_seconds_and_so_is_its_end() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let state = Arc::new(MemoryState::default());
    let [here, there] = [1, 2].map(|_| on(&provider, state.clone(), Policy::default()));
    there.generate(on_haiku(1)).await.unwrap();
    here.stop_budget(BudgetScope::Everybody).await.unwrap();
    assert_eq!(
        here.generate(on_haiku(2)).await.unwrap_err().kind(),
        ErrorKind::Budget,
        "the own host at once"
    );
    advance(Duration::from_secs(2)).await;
    let error = there.generate(on_haiku(3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    assert!(
        error.message().contains("stopped for everybody") && error.message().contains("budget resume"),
        "{error}"
    );
    assert!(there.budget().await.unwrap().stopped);
    assert_eq!(provider.calls().len(), 1);
    here.resume_budget(BudgetScope::Everybody).await.unwrap();
    advance(Duration::from_secs(2)).await;
    there.generate(on_haiku(4)).await.unwrap();
    assert!(!there.budget().await.unwrap().stopped);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_one_scope_leaves_the_others_alone() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = on(&provider, Arc::new(MemoryState::default()), Policy::default());
    let [ann, bob] = ["ann", "bob"].map(|name| client.scoped(Scope::authenticated(name)));
    ann.stop_budget(BudgetScope::Scope).await.unwrap();
    assert_eq!(ann.generate(on_haiku(1)).await.unwrap_err().kind(), ErrorKind::Budget);
    assert!(bob.generate(on_haiku(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_request_between_its_sends() {
    let slow = Script(
        [Script::answer("```json a.json\n{\"a\": \n```\n").wait(Duration::from_secs(9)).0, Vec::new()]
            .concat(),
    );
    let provider = ScriptedProvider::new([slow]);
    let client = on(&provider, Arc::new(MemoryState::default()), Policy::default());
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.generate(on_haiku(1)).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.stop_budget(BudgetScope::Everybody).await.unwrap();
    let g = running.await.unwrap().unwrap();
    assert!(!g.accepted, "what was paid for is returned, and no repair is sent");
    assert_eq!(provider.calls().len(), 1);
}
