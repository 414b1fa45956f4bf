use claude_code_core::request::SourceFile;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{GenerateRequest, Kind};

use super::client;

const BEFORE: &str = "def add(a, b):\n    return a+b\n\n\ndef sub(a, b):\n    return a-b\n";

fn request() -> GenerateRequest {
    let file = SourceFile { path: "calc.py".into(), content: BEFORE.into() };
    GenerateRequest::refactor(vec![file], "put spaces around the plus").with_model("sonnet")
}

fn edit(search: &str, replace: &str) -> String {
    format!("Done.\n\ncalc.py\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
}

#[tokio::test(start_paused = true)]
async fn an_edit_changes_its_place_and_nothing_else() {
    let provider = ScriptedProvider::new([Script::answer(&edit("    return a+b", "    return a + b"))]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(g.files[0].path.as_deref(), Some("calc.py"));
    assert_eq!(g.files[0].content, BEFORE.replace("a+b", "a + b"));
    let diff = g.diff.unwrap();
    assert!(diff.contains("-    return a+b\n+    return a + b\n"), "{diff}");
    assert!(!diff.contains("+    return a-b"));
}

#[tokio::test(start_paused = true)]
async fn a_whole_file_gives_the_same_diff() {
    let whole = format!("```python calc.py\n{}```\n", BEFORE.replace("a+b", "a + b"));
    let provider = ScriptedProvider::new([Script::answer(&whole)]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.diff.unwrap().contains("+    return a + b\n"));
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_does_not_fit_is_repaired_once_with_the_given_file() {
    let good = edit("    return a+b", "    return a + b");
    let provider = ScriptedProvider::new([
        Script::answer(&edit("    return x+y", "    return x + y")),
        Script::answer(&good),
    ]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert_eq!(g.files[0].content, BEFORE.replace("a+b", "a + b"));
    assert_eq!(g.attempts[1].why, "repair");
    let asked: String =
        provider.calls()[1].messages[0].blocks.iter().map(|block| block.text.to_string()).collect();
    assert!(asked.contains("edit 1 of calc.py does not fit"), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_never_fits_is_a_clear_failure_naming_the_block() {
    let provider = ScriptedProvider::new([Script::answer(&edit("    return x+y", "    return x + y"))]);
    let error = client(&provider).generate(request()).await.unwrap_err();
    assert_eq!(error.kind, Kind::EditFailed);
    assert!(error.message.contains("edit 1 of calc.py"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_file_for_one_given_text_is_that_text_changed_whatever_its_name() {
    let after = BEFORE.replace("a+b", "a + b");
    for (name, diff) in [("main.py", "--- a/main.py\n+++ b/main.py\n"), ("", "--- a/main\n+++ b/main\n")] {
        let provider = ScriptedProvider::new([Script::answer(&format!("```python {name}\n{after}```\n"))]);
        let file = SourceFile { path: "main".into(), content: BEFORE.into() };
        let g = client(&provider).generate(GenerateRequest::refactor(vec![file], "spaces")).await.unwrap();
        let told = g.diff.unwrap();
        assert!(told.starts_with(diff) && told.contains("-    return a+b\n+    return a + b\n"), "{told}");
        let asked: String =
            provider.calls()[0].messages[0].blocks.iter().map(|block| block.text.to_string()).collect();
        assert!(!asked.contains("Language:"), "{asked}");
    }
}
