//! Half a file is never taken for a whole one, and what was paid for is never lost.

use claude_code_core::provider::{Billing, ProviderError, StopReason};
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{ErrorKind, GenerateRequest, Generation, plan::prompt};

use super::{client, cut, throttled};

const HALF_FENCE: &str = "```python a.py\nA = 1\n```\n\n```python b.py\ndef second():\n    return 1\n";
const WHOLE_B: &str = "```python b.py\ndef second():\n    return 2\n```\n";

fn request() -> GenerateRequest {
    GenerateRequest::new("two files").with_model("sonnet")
}

fn marked(path: &str, content: &str) -> String {
    let nonce = prompt::write(&request(), None).nonce;
    format!("=== file {nonce}: {path} ===\n{content}=== end {nonce}: {path} ===\n")
}

/// The beginning of a file between our markers, up to this text and without it.
fn half(path: &str, content: &str, to: &str) -> String {
    let whole = marked(path, content);
    whole[..whole.rfind(to).unwrap()].to_owned()
}

fn whole_files(g: &Generation) -> Vec<(&str, &str)> {
    let whole = g.files.iter().filter(|file| file.complete);
    whole.map(|file| (file.path.as_deref().unwrap_or("-"), file.content.as_str())).collect()
}

async fn answered(scripts: impl IntoIterator<Item = Script>, request: GenerateRequest) -> Generation {
    client(&ScriptedProvider::new(scripts)).generate(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn half_a_file_of_an_answer_that_the_model_ended_is_repaired_or_rejected() {
    let half_marked = marked("a.py", "A = 1\n") + &half("b.py", "def second():\n    return 1\n", "=== end");
    for text in [HALF_FENCE, &half_marked] {
        for request in [request(), request().without_validation()] {
            let g = answered([Script::answer(text), Script::answer(WHOLE_B)], request.clone()).await;
            assert!(g.accepted, "{:?}", g.diagnostics);
            assert_eq!(whole_files(&g), [("a.py", "A = 1\n"), ("b.py", "def second():\n    return 2\n")]);
            let g = answered([Script::answer(text)], request.with_max_sends(1)).await;
            assert!(!g.accepted && g.diagnostics[0].message.contains("has no end"), "{:?}", g.diagnostics);
            assert_eq!((g.diagnostics[0].path.as_deref(), g.diagnostics[0].line), (Some("b.py"), 2));
            assert_eq!(whole_files(&g).len(), 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_breaks_off_in_an_edit_is_not_accepted() {
    let open = "Done.\n\na.py\n<<<<<<< SEARCH\nA = 1\n=======\nA = 2\n";
    let g = answered([Script::answer(open)], request().with_max_sends(1)).await;
    assert!(!g.accepted && g.diagnostics[0].message.contains("breaks off"), "{:?}", g.diagnostics);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_gives_up_going_on_leaves_an_incomplete_answer_with_its_whole_files() {
    let half_marked = marked("a.py", "A = 1\n") + &half("b.py", "def second():\n    return 1\n", "1\n");
    let bare = "def first():\n    return 1\n\n\ndef second():\n    value = first()\n    retu";
    for (text, whole) in [(half_marked.as_str(), 1), (&HALF_FENCE[..HALF_FENCE.len() - 4], 0), (bare, 0)] {
        for rest in ["", "I cannot continue with this answer.\n"] {
            let provider = ScriptedProvider::new([Script::truncated(text), Script::answer(rest)]);
            let error = client(&provider).generate(request()).await.unwrap_err();
            assert_eq!(
                (error.kind(), provider.calls().len()),
                (ErrorKind::Truncated, 2),
                "{rest:?} after {text:?}"
            );
            let partial = error.into_partial().unwrap();
            assert!(whole_files(&partial).len() >= whole && !partial.accepted);
            assert!(partial.text.starts_with(text) && partial.files.iter().any(|file| !file.complete));
        }
    }
    let g = answered([Script::truncated(bare), Script::answer("    return value\n")], request()).await;
    assert!(g.accepted && g.code().unwrap().ends_with("value = first()\n    return value\n"), "{:?}", g.text);
}

#[tokio::test(start_paused = true)]
async fn an_answer_cut_behind_its_last_end_marker_is_whole_if_the_model_repeats_only_that() {
    let text = marked("a.py", "A = 1\n");
    let last = text.lines().last().unwrap();
    let g = answered([Script::truncated(&text), Script::answer(last)], request()).await;
    assert!(g.accepted && whole_files(&g) == [("a.py", "A = 1\n")], "{:?}", g.diagnostics);
    let provider = ScriptedProvider::new([Script::truncated(&text), Script::answer("\n")]);
    assert_eq!(client(&provider).generate(request()).await.unwrap_err().kind(), ErrorKind::Truncated);
}

#[tokio::test(start_paused = true)]
async fn a_repair_that_is_cut_and_resumed_keeps_the_files_that_it_does_not_mend() {
    let broken = marked("a.json", "{\"a\": 1}\n") + &marked("b.json", "{\"b\": \n");
    let mended = marked("b.json", "{\n  \"b\": 2,\n  \"c\": 3\n}\n");
    let at = mended.find("\"c\"").unwrap() + 2;
    let provider = ScriptedProvider::new([
        Script::answer(&broken),
        Script::truncated(&mended[..at]),
        Script::answer(&mended[at..]),
    ]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(whole_files(&g), [("a.json", "{\"a\": 1}\n"), ("b.json", "{\n  \"b\": 2,\n  \"c\": 3\n}\n")]);
    let words = |call: usize| -> Vec<String> {
        let messages = &provider.calls()[call].messages;
        messages.iter().map(|m| m.blocks.iter().map(|block| block.text.to_string()).collect()).collect()
    };
    let (repair, rest) = (words(1), words(2));
    assert_eq!(rest[0], repair[0], "what is to be mended is said again");
    assert!(rest[0].contains("{\"b\": ") && !rest[2].contains("Finished files"), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_cut_repair_marks_its_own_last_file_as_half_and_no_other() {
    let broken = marked("b.json", "{\"b\": \n") + &marked("z.json", "{\"z\": 1}\n");
    let provider = ScriptedProvider::new([
        Script::answer(&broken),
        Script::truncated("```json b.json\n{\"b\": 2,\n\"bb\""),
        Script::answer("{\"b\": 2,\n\"bb\": 3}\n```\n"),
    ]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(whole_files(&g), [("b.json", "{\"b\": 2,\n\"bb\": 3}\n"), ("z.json", "{\"z\": 1}\n")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_paid_for_is_in_partial_whatever_ended_the_request() {
    let denied = || Script::fail(ProviderError::new(ErrorKind::AccessDenied, Billing::No, "no access"));
    let nearly = half("a.py", "def first():\n    return 1\n", "1\n");
    let provider = ScriptedProvider::new([Script::text(&nearly).then_fail(cut()), denied()]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(error.into_partial().unwrap().text, nearly);

    let most = marked("a.py", "A = 1\n") + &nearly.replace("a.py", "b.py");
    let busy = || Script::fail(throttled());
    let provider = ScriptedProvider::new([Script::truncated(&most), busy(), busy(), busy(), denied()]);
    let error = client(&provider).generate("Write a Python file").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(error.into_partial().unwrap().text, most, "{:?}", provider.calls().len());
}

#[tokio::test(start_paused = true)]
async fn of_two_unfinished_answers_the_one_with_more_whole_files_is_in_partial() {
    let much = marked("a.py", "A = 1\n") + &half("b.py", "def second():\n    return 1\n", "1\n");
    let little = half("a.py", "A = 1\nB = 2\nC = 3\nD = 4\nE = 5\nF = 6\nG = 7\n", "=== end");
    let broken = ProviderError::new(ErrorKind::Protocol, Billing::Maybe, "a damaged frame");
    for (first, second) in [(&much, &little), (&little, &much)] {
        let provider = ScriptedProvider::new([
            Script::text(first).then_fail(broken.clone()),
            Script::text(second).then_fail(broken.clone()),
        ]);
        let error = client(&provider).generate(request()).await.unwrap_err();
        let partial = error.into_partial().unwrap();
        assert_eq!((&partial.text, whole_files(&partial)), (&much, vec![("a.py", "A = 1\n")]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_continuation_that_begins_an_earlier_file_again_and_is_cut_loses_nothing() {
    let a = marked("a.py", "A = 1\nAA = 2\nAAA = 3\n");
    let begun = a.clone() + &half("b.py", "B = 1\nBB = 2\n", "=== end");
    let provider = ScriptedProvider::new([Script::truncated(&begun), Script::truncated(&a[..30])]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    let partial = error.into_partial().unwrap();
    assert_eq!(partial.text, begun);
    assert_eq!(whole_files(&partial), [("a.py", "A = 1\nAA = 2\nAAA = 3\n")]);
}

#[tokio::test(start_paused = true)]
async fn a_repaired_file_without_a_name_takes_the_place_of_the_one_that_it_can_only_mean() {
    let named = "```json a.json\n{\"a\": 1}\n```\n\n```json b.json\n{\"b\": \n```\n";
    let unnamed = "```json a.json\n{\"a\": 1}\n```\n\n```json\n{\"b\": \n```\n";
    let mended = "```json\n{\"b\": 2}\n```\n";
    for (first, name) in [(named, "b.json"), (unnamed, "-")] {
        let g = answered([Script::answer(first), Script::answer(mended)], request()).await;
        assert!(g.accepted, "{:?}", g.diagnostics);
        assert_eq!(whole_files(&g), [("a.json", "{\"a\": 1}\n"), (name, "{\"b\": 2}\n")]);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_file_without_a_name_gives_way_to_the_whole_one_that_the_repair_names() {
    let half = "```json a.json\n{\"a\": 1}\n```\n\n```json\n{\"b\": \n";
    let g = answered([Script::answer(half), Script::answer("```json b.json\n{\"b\": 2}\n```\n")], request())
        .await;
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(whole_files(&g), [("a.json", "{\"a\": 1}\n"), ("b.json", "{\"b\": 2}\n")]);
}

#[tokio::test(start_paused = true)]
async fn the_stop_reason_of_a_given_up_answer_is_told() {
    let provider = ScriptedProvider::new([Script::truncated(HALF_FENCE), Script::answer("")]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    assert!(error.message().contains("end_turn"), "{error}");
    assert_eq!(error.into_partial().unwrap().stop_reason, Some(StopReason::EndTurn));
}
