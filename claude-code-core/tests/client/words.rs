//! Tasks that are answered in words, and excerpts in answers: they are shown, not checked, and stand for no file.

use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{GenerateRequest, Task};

use super::client;

const GIVEN: &str = "def first():\n    return 1\n\n\ndef second():\n    return 2\n";
/// Excerpts as models write them: cut code, a diff, an edit, a given file's name over three lines of it, an open fence.
const EXCERPTS: [&str; 6] = [
    "It begins so:\n\n```python\ndef first(:\n    return\n```\n\nand ends.\n",
    "```python a.py\ndef second(\n```\n\nreturns two.\n",
    "```diff\n--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-def third():\n+def fourth():\n```\nwould not apply.\n",
    "a.py\n<<<<<<< SEARCH\ndef never():\n=======\ndef ever():\n>>>>>>> REPLACE\n",
    "```python\n# ... rest unchanged ...\nclass A\n```\n```json\n{\"a\": }\n```\n",
    "```rust src/lib.rs\nfn main( {\n```\nis how it would look in Rust.\n",
];

fn task(task: Task) -> GenerateRequest {
    let request = GenerateRequest::new("what does it do?").with_model("sonnet").with_work(task);
    request.with_file("a.py", GIVEN)
}

#[tokio::test(start_paused = true)]
async fn excerpts_of_an_explanation_or_a_review_are_not_checked_and_replace_nothing() {
    for work in [Task::Explain, Task::Review] {
        for text in EXCERPTS {
            let provider = ScriptedProvider::new([Script::answer(text)]);
            let g = client(&provider).generate(task(work)).await.unwrap();
            assert!(g.accepted && g.diagnostics.is_empty(), "{work:?} {text:?}: {:?}", g.diagnostics);
            assert_eq!((g.text.as_str(), provider.calls().len()), (text, 1), "no repair is paid for");
            assert!(g.files.iter().all(|file| file.path.as_deref() != Some("a.py")), "{text:?}");
            assert!(g.diff.as_deref().unwrap_or_default().is_empty(), "{text:?}: {:?}", g.diff);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn beside_test_files_an_excerpt_is_not_checked_and_a_test_file_is() {
    let excerpt = "```python tests/test_a.py\ndef test_first():\n    assert 1\n```\n\nRun it so:\n\n```python\nfrom a import (\n```\n";
    let g =
        client(&ScriptedProvider::new([Script::answer(excerpt)])).generate(task(Task::Test)).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    for text in ["```python tests/test_a.py\ndef test_first(:\n```\n", "```python\ndef test_first(:\n```\n"] {
        let provider = ScriptedProvider::new([Script::answer(text)]);
        let g = client(&provider).generate(task(Task::Test).with_max_sends(1)).await.unwrap();
        assert!(!g.accepted, "{text:?} is the work itself");
    }
}

#[tokio::test(start_paused = true)]
async fn beside_documented_files_an_excerpt_is_not_checked_and_a_documented_file_is() {
    let documented = GIVEN.replace("def first", "# The first.\ndef first");
    let text = format!("```python a.py\n{documented}```\n\nUse it so:\n\n```python\nfirst(\n```\n");
    let g =
        client(&ScriptedProvider::new([Script::answer(&text)])).generate(task(Task::Document)).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(g.files.len(), 1);
    let text = format!("```python a.py\n{}```\n", documented.replace("second():", "second(:"));
    let provider = ScriptedProvider::new([Script::answer(&text)]);
    assert!(!client(&provider).generate(task(Task::Document).with_max_sends(1)).await.unwrap().accepted);
}
