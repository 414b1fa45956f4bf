use claude_code_core::provider::message::Role;
use claude_code_core::provider::{Billing, Field, ProviderError};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{ErrorKind, Event, GenerateRequest, Tier};
use futures_util::TryStreamExt;

use super::{client, cut, throttled};

const TWO: &str = "Two files.\n\n```python a.py\ndef first():\n    return 1\n```\n\n```python b.py\ndef second():\n    value = first()\n    return value + 1\n```\n";

fn request() -> GenerateRequest {
    GenerateRequest::new("two files").with_model("sonnet")
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_is_resumed_and_joined_without_a_seam() {
    let at = TWO.find("value = first").unwrap() + 5;
    let rest = TWO.find("def second").unwrap();
    for continuation in [&TWO[at..], &TWO[rest..]] {
        let provider = ScriptedProvider::new([Script::truncated(&TWO[..at]), Script::answer(continuation)]);
        let g = client(&provider).generate(request().without_validation()).await.unwrap();
        assert_eq!(g.text, TWO);
        assert_eq!(g.files[1].content, "def second():\n    value = first()\n    return value + 1\n");
        assert_eq!(g.attempts[1].why, "resume");
        let call = &provider.calls()[1];
        assert_eq!(call.messages.last().unwrap().role, Role::User, "a last assistant turn is a 400");
        assert!(call.messages[2].blocks[0].text.contains("def second():"), "the anchor line is named");
        assert!(call.messages[2].blocks[0].text.contains("a.py"), "the finished file is named");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_shows_each_file_whole_under_its_highest_revision() {
    let at = TWO.find("value = first").unwrap() + 5;
    let rest = TWO.find("def second").unwrap();
    let provider = ScriptedProvider::new([Script::truncated(&TWO[..at]), Script::answer(&TWO[rest..])]);
    let events: Vec<Event> =
        client(&provider).stream(request().without_validation()).try_collect().await.unwrap();
    let mut shown: std::collections::BTreeMap<String, (u32, String)> = Default::default();
    for event in events {
        match event {
            Event::FileStarted { path: Some(path), revision, .. } => {
                shown.insert(path, (revision, String::new()));
            }
            Event::FileChunk { path: Some(path), revision, text, .. } => {
                let file = shown.get_mut(&path).unwrap();
                assert_eq!(file.0, revision);
                file.1 += &text;
            }
            _ => {}
        }
    }
    assert_eq!(shown["a.py"].1, "def first():\n    return 1\n");
    assert_eq!(shown["b.py"].1, "def second():\n    value = first()\n    return value + 1\n");
}

#[tokio::test(start_paused = true)]
async fn a_stuck_model_ends_with_the_finished_files_kept() {
    let at = TWO.find("value = first").unwrap() + 5;
    let provider = ScriptedProvider::new([Script::truncated(&TWO[..at]), Script::truncated("")]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    let partial = error.into_partial().unwrap();
    assert!(partial.files[0].complete && !partial.files[1].complete);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_cut_again_and_again_ends_after_three_rounds() {
    let at = TWO.find("value = first").unwrap() + 5;
    let provider =
        ScriptedProvider::new([Script::truncated(&TWO[..at]), Script::truncated("    more = 1\n")]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::Truncated, 4));
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_with_a_finished_file_is_resumed_once() {
    let at = TWO.find("value = first").unwrap() + 5;
    let provider =
        ScriptedProvider::new([Script::text(&TWO[..at]).then_fail(cut()), Script::answer(&TWO[at..])]);
    let g = client(&provider).generate(request().without_validation()).await.unwrap();
    assert_eq!((g.text.as_str(), g.attempts[1].why.as_str()), (TWO, "resume"));
    let provider = ScriptedProvider::new([Script::text(&TWO[..at]).then_fail(cut())]);
    assert_eq!(client(&provider).generate(request()).await.unwrap_err().kind(), ErrorKind::Cut);
    assert_eq!(provider.calls().len(), 2);
}

const BROKEN: &str = "```json good.json\n{\"a\": 1}\n```\n\n```json bad.json\n{\"b\": \n```\n";
const MENDED: &str = "```json bad.json\n{\"b\": 2}\n```\n";

#[tokio::test(start_paused = true)]
async fn a_repair_sends_only_the_failing_file_back_and_keeps_the_others() {
    let provider = ScriptedProvider::new([Script::answer(BROKEN), Script::answer(MENDED)]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted);
    let files: Vec<_> = g.files.iter().map(|f| (f.path.as_deref().unwrap(), f.content.as_str())).collect();
    assert_eq!(files, [("good.json", "{\"a\": 1}\n"), ("bad.json", "{\"b\": 2}\n")]);
    let asked = provider.calls()[1].messages.last().unwrap().blocks[0].text.to_string();
    assert!(asked.contains("{\"b\": ") && !asked.contains("{\"a\": 1}"), "{asked}");
    assert_eq!(g.attempts[1].why, "repair");
}

#[tokio::test(start_paused = true)]
async fn what_stays_broken_is_returned_rejected_with_its_findings() {
    let provider = ScriptedProvider::new([Script::answer(BROKEN)]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(!g.accepted && !g.diagnostics.is_empty());
    assert_eq!(provider.calls().len(), 3, "two rounds of repair, no escalation of a given model");
    assert_eq!(g.raise_for_rejected().unwrap_err().kind(), ErrorKind::Rejected);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_rejected_escalates_one_tier_once() {
    let provider = ScriptedProvider::new([Script::answer(BROKEN)]);
    let g = client(&provider).generate("Write a JSON file").await.unwrap();
    let tiers: Vec<_> = g.attempts.iter().map(|a| a.why.as_str()).collect();
    assert_eq!(tiers, ["first", "repair", "repair", "escalate"]);
    assert_eq!(g.tier, Tier::Medium);
}

#[tokio::test(start_paused = true)]
async fn a_complete_answer_is_not_lost_to_a_later_fault() {
    let provider = ScriptedProvider::new([Script::answer(BROKEN), Script::fail(cut())]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(!g.accepted);
    assert_eq!(g.files.len(), 2);
    assert_eq!(g.files[0].content, "{\"a\": 1}\n");
}

#[tokio::test(start_paused = true)]
async fn a_resume_or_repair_whose_cache_point_is_refused_goes_on_without_it() {
    let mut refused =
        ProviderError::new(ErrorKind::InvalidRequest, Billing::No, "prompt caching is not supported");
    refused.refused_field = Some(Field::CachePoint);
    let at = TWO.find("value = first").unwrap() + 5;
    let scripts = [
        (Script::truncated(&TWO[..at]), Script::answer(&TWO[at..]), "resume"),
        (Script::answer(BROKEN), Script::answer(MENDED), "repair"),
    ];
    for (first, rest, why) in scripts {
        let provider = ScriptedProvider::new([first, Script::fail(refused.clone()), rest]);
        // Long enough for a cache point.
        let mut request = request().with_file("notes.txt", "one two three ".repeat(1_000));
        request.skip_validation = why == "resume";
        let g = client(&provider).generate(request).await.unwrap();
        let asked: Vec<_> = g.attempts.iter().map(|a| a.why.as_str()).collect();
        assert_eq!((asked, g.files.len()), (vec!["first", why, why], 2));
        let points = |nth: usize| provider.calls()[nth].messages[0].blocks.iter().any(|b| b.cache.is_some());
        assert!(points(1) && !points(2), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resume_or_repair_that_is_throttled_is_asked_for_again_and_not_the_whole_task() {
    let at = TWO.find("value = first").unwrap() + 5;
    let provider = ScriptedProvider::new([
        Script::truncated(&TWO[..at]),
        Script::fail(throttled()),
        Script::answer(&TWO[at..]),
    ]);
    let g = client(&provider).generate(request().without_validation()).await.unwrap();
    assert_eq!(g.text, TWO);
    let provider =
        ScriptedProvider::new([Script::answer(BROKEN), Script::fail(throttled()), Script::answer(MENDED)]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted);
    assert_eq!(g.files.len(), 2);
    let last = provider.calls()[2].messages.last().unwrap().blocks.last().unwrap().text.to_string();
    assert!(last.contains("{\"b\": "), "the failing file is sent along again");
}

#[tokio::test(start_paused = true)]
async fn a_cut_right_behind_a_fence_line_leaves_the_last_file_incomplete() {
    let cut = "```markdown README.md\n# Use\n\n```\n";
    let provider = ScriptedProvider::new([Script::truncated(cut)]);
    let error = client(&provider).generate(request().with_max_sends(1)).await.unwrap_err();
    assert!(error.into_partial().unwrap().files.iter().all(|file| !file.complete));
}
