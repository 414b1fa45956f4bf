use std::sync::Arc;
use std::time::Duration;

use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{Check, CodeFile, Cost, Diagnostic, GenerateRequest, PicoUsd, Severity};

use super::{REVERSE, client};

const BETTER: &str = "```python reverse.py\ndef reverse(text: str) -> str:\n    return text[::-1]\n```\n";

/// Wants every function annotated; thinks about it for a while.
struct Annotated {
    thinks: Duration,
}

#[async_trait::async_trait]
impl Check for Annotated {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        tokio::time::sleep(self.thinks).await;
        let bare = files.iter().filter(|file| !file.content.contains("->"));
        bare.map(|file| Diagnostic {
            path: file.path.clone(),
            line: 1,
            column: 0,
            severity: Severity::Error,
            message: "the function has no annotations".to_owned(),
        })
        .collect()
    }
}

fn request(thinks: Duration) -> GenerateRequest {
    GenerateRequest::new("reverse").with_model("haiku").with_check(Arc::new(Annotated { thinks }))
}

#[tokio::test(start_paused = true)]
async fn what_a_caller_s_own_check_finds_is_repaired() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE), Script::answer(BETTER)]);
    let g = client(&provider).generate(request(Duration::ZERO)).await.unwrap();
    assert!(g.accepted);
    assert_eq!(g.attempts[1].why, "repair");
    let asked = provider.calls()[1].messages.last().unwrap().blocks[0].text.to_string();
    assert!(asked.contains("the function has no annotations"), "{asked}");
}

/// Fails while the file that it is about is as it was given.
struct Mended;

#[async_trait::async_trait]
impl Check for Mended {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let is_there = files.iter().any(|file| file.path.as_deref() == Some("given.py"));
        let found = Diagnostic {
            path: Some("given.py".to_owned()),
            line: 1,
            column: 0,
            severity: Severity::Error,
            message: "the given file does not fit".to_owned(),
        };
        if is_there { Vec::new() } else { vec![found] }
    }
}

/// It is shown once more, and what that costs is held before it is sent.
#[tokio::test(start_paused = true)]
async fn a_given_file_that_fails_beside_the_answer_is_written_anew_by_the_repair() {
    let given = "value = 1\n".repeat(10_000);
    let request = GenerateRequest::new("reverse")
        .with_model("haiku")
        .with_max_tokens(1_000)
        .with_check(Arc::new(Mended))
        .with_file("given.py", given.as_str());
    let mended = || Script::answer("```python given.py\nvalue = 2\n```\n");
    let provider = ScriptedProvider::new([Script::answer(REVERSE), mended()]);
    let g = client(&provider).generate(request.clone()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    let asked: String = provider.calls()[1].messages[0].blocks.iter().map(|block| &*block.text).collect();
    assert_eq!(asked.matches(given.as_str()).count(), 2, "in the task and in the repair");

    let provider = ScriptedProvider::new([Script::answer(REVERSE), mended()]);
    let Cost::Priced(one) = client(&provider).estimate(request.clone()).unwrap().worst_usd else {
        panic!("the price is known");
    };
    let request = request.with_max_usd(PicoUsd(one.0 + one.0 / 2));
    assert!(!client(&provider).generate(request).await.unwrap().accepted);
    assert_eq!(provider.calls().len(), 1, "a repair that may cost more than the cap is not sent");
}

#[tokio::test(start_paused = true)]
async fn a_check_that_never_ends_rejects_the_answer_when_the_time_is_over() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let request = request(Duration::from_secs(1_000_000)).with_timeout(Duration::from_secs(60));
    let begun = tokio::time::Instant::now();
    let g = client(&provider).generate(request).await.unwrap();
    assert!(!g.accepted);
    assert!(g.diagnostics[0].message.contains("did not end"));
    assert!(begun.elapsed() <= Duration::from_secs(61), "{:?}", begun.elapsed());
    assert_eq!(provider.calls().len(), 1);
}
