use std::sync::Arc;

use claude_code_core::store::memory::MemoryStore;
use claude_code_core::testing::{Script, ScriptedProvider, builder};
use claude_code_core::{Cost, ErrorKind, Event, GenerateRequest, Tier};
use futures_util::TryStreamExt;

use super::{REVERSE, client};

#[tokio::test(start_paused = true)]
async fn a_prompt_becomes_accepted_code_with_a_receipt() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let g = client(&provider).generate("Write a Python function that reverses a string.").await.unwrap();
    assert!(g.accepted);
    assert_eq!(g.code().unwrap(), "def reverse(text):\n    return text[::-1]\n");
    assert_eq!(g.files[0].path.as_deref(), Some("reverse.py"));
    assert_eq!(g.language.as_str(), "python");
    assert_eq!((g.tier, g.model.as_str()), (Tier::Simple, "global.anthropic.claude-haiku-5-5"));
    assert_eq!(g.text, REVERSE);
    // 100 tokens in at $0.10 and 19 out at $0.50 per million.
    assert_eq!(g.usage.output_tokens, 19);
    assert_eq!(g.receipt.total().to_string(), "$0.0000195");
    assert_eq!(g.attempts.len(), 1);
    assert_eq!(g.generated_at.iso(), "2026-11-21T20:46:00.123Z");
}

#[tokio::test(start_paused = true)]
async fn the_task_stands_verbatim_between_its_marks_in_the_last_user_turn() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let prompt = "  Sort «these»\n</task> and keep\tevery byte ";
    client(&provider).generate(prompt).await.unwrap();
    let call = provider.calls().remove(0);
    let last = &call.messages.last().unwrap().blocks[0].text;
    assert!(last.starts_with(&format!("<task>{prompt}</task>")));
    assert_eq!(call.temperature, None);
    assert_eq!(call.max_tokens, 8192);
}

#[tokio::test(start_paused = true)]
async fn given_files_follow_the_task_in_their_order() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let request = GenerateRequest::new("Merge these").with_file("b.py", "b = 1\n").with_file("a.py", "a = 1");
    client(&provider).generate(request).await.unwrap();
    let text = provider.calls()[0].messages[0].blocks[0].text.to_string();
    let (task, b, a) =
        (text.find("<task>").unwrap(), text.find(": b.py ===").unwrap(), text.find(": a.py ===").unwrap());
    assert!(task < b && b < a);
}

#[tokio::test(start_paused = true)]
async fn a_stream_shows_files_as_they_are_written_and_then_the_result() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let events: Vec<Event> = client(&provider).stream("reverse").try_collect().await.unwrap();
    let chunks: String = events
        .iter()
        .filter_map(|e| match e {
            Event::FileChunk { text, path, .. } => {
                assert_eq!(path.as_deref(), Some("reverse.py"));
                Some(text.as_str())
            }
            _ => None,
        })
        .collect();
    assert_eq!(chunks, "def reverse(text):\n    return text[::-1]\n");
    assert!(matches!(&events[events.len() - 2], Event::FileFinished { complete: true, .. } | Event::Text(_)));
    assert!(matches!(events.last(), Some(Event::Finished(g)) if g.accepted));
}

#[tokio::test(start_paused = true)]
async fn the_result_is_stored_and_says_where() {
    let store = Arc::new(MemoryStore::default());
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = builder(provider).with_store(store).build();
    let g = client.generate("reverse").await.unwrap();
    assert!(g.stored);
    assert_eq!(
        g.s3_key.as_deref(),
        Some(format!("generated-code/python/20261121T204600123Z-{}.py", g.id).as_str())
    );
    let kept = client.results().unwrap().get(client.scope(), &g.id).await.unwrap();
    assert_eq!(kept.files, g.files);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_model_is_sent_as_given_and_unpriced() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let request = GenerateRequest::new("reverse").with_model("us.anthropic.claude-opus-9-9");
    let g = client(&provider).generate(request).await.unwrap();
    assert_eq!(provider.calls()[0].model.as_str(), "us.anthropic.claude-opus-9-9");
    assert!(!g.receipt.total().is_priced(), "an unknown price is never zero");
    assert!(matches!(g.attempts[0].cost, Cost::Unpriced { .. }));
    assert!(g.warnings.iter().any(|w| w.contains("not in the catalogue")), "{:?}", g.warnings);
}

#[tokio::test(start_paused = true)]
async fn a_retired_model_is_refused_before_sending_and_its_successor_named() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let request = GenerateRequest::new("reverse").with_model("anthropic.claude-3-5-sonnet-20241022-v2:0");
    let error = client(&provider).generate(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Retired);
    assert!(error.message().contains("claude-sonnet-5-5"), "{error}");
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_temperature_goes_only_to_models_that_take_one() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let g = client.generate(GenerateRequest::new("reverse").with_temperature(0.7)).await.unwrap();
    assert_eq!(provider.calls()[0].temperature, None);
    assert!(g.warnings.iter().any(|w| w.contains("temperature")));
    let older = GenerateRequest::new("reverse")
        .with_temperature(0.7)
        .with_model("global.anthropic.claude-haiku-4-5-20251001-v1:0");
    client.generate(older).await.unwrap();
    assert_eq!(provider.calls()[1].temperature, Some(0.7));
}

#[tokio::test(start_paused = true)]
async fn bad_requests_name_the_value_and_the_fix_and_send_nothing() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let cases = [
        (GenerateRequest::new(" \n"), "prompt is empty"),
        (GenerateRequest::new("x").with_temperature(1.5), "temperature 1.5"),
        (GenerateRequest::new("x").with_max_tokens(0), "max_tokens must be 1 to 127999"),
        (GenerateRequest::new("x").with_max_tokens(128_000), "max_tokens must be 1 to 127999"),
        (GenerateRequest::new("x").with_model("no spaces please"), "no spaces please"),
        (GenerateRequest::new("x").with_language("a/b"), "a/b"),
        (GenerateRequest::refactor(Vec::new(), "tidy"), "at least one file"),
    ];
    for (request, says) in cases {
        let error = client.generate(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.message().contains(says), "{error} should say {says:?}");
        assert!(!error.message().contains('\n'));
    }
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_estimate_sends_nothing() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let estimate = client(&provider).estimate("Write a Python function that reverses a string.").unwrap();
    assert_eq!(estimate.tier, Tier::Simple);
    assert!(estimate.worst_usd.is_priced() && estimate.input_tokens > 100);
    assert!(provider.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn debug_output_contains_neither_prompt_nor_answer() {
    let provider = ScriptedProvider::new([Script::answer(REVERSE)]);
    let client = client(&provider);
    let request = GenerateRequest::new("CANARY in the prompt").with_file("a.py", "CANARY in a file");
    let shown = format!("{request:?}");
    let mut stream = client.stream(request);
    let mut all = shown;
    while let Some(event) = stream.try_next().await.unwrap() {
        all += &format!("{event:?}");
        if let Event::Finished(g) = event {
            all += &format!("{g:?}");
        }
    }
    all += &format!("{:?}", provider.calls());
    assert!(!all.contains("CANARY") && !all.contains("def reverse"), "{all}");
}
