use claude_code_core::request::SourceFile;
use claude_code_core::testing::{Script, ScriptedProvider};
use claude_code_core::{ErrorKind, GenerateRequest};

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
async fn a_client_refactors_and_refines() {
    let provider = ScriptedProvider::new([
        Script::answer(&edit("    return a+b", "    return a + b")),
        Script::answer(&edit("    return a-b", "    return a - b")),
    ]);
    let client = client(&provider);
    let file = SourceFile { path: "calc.py".into(), content: BEFORE.into() };
    let g = client.refactor(vec![file], "spaces around the plus").await.unwrap();
    let g = client.refine(&g, "and the minus").await.unwrap();
    assert_eq!(g.files[0].content, BEFORE.replace("a+b", "a + b").replace("a-b", "a - b"));
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
async fn an_edit_that_never_fits_is_a_clear_failure_naming_the_block_after_one_repair() {
    let provider = ScriptedProvider::new([Script::answer(&edit("    return x+y", "    return x + y"))]);
    let mut request = request();
    request.model = None;
    let error = client(&provider).generate(request).await.unwrap_err();
    assert_eq!((error.kind(), provider.calls().len()), (ErrorKind::EditFailed, 2));
    assert!(error.message().contains("edit 1 of calc.py"), "{error}");
}

fn edit_of(path: &str, search: &str, replace: &str) -> String {
    edit(search, replace).replace("calc.py", path)
}

fn two_files() -> GenerateRequest {
    let file = |path: &str| SourceFile { path: path.into(), content: BEFORE.into() };
    GenerateRequest::refactor(vec![file("a.py"), file("b.py")], "put spaces around the plus")
        .with_model("sonnet")
}

#[tokio::test(start_paused = true)]
async fn edits_that_fit_are_kept_where_those_of_another_file_do_not() {
    let fits = edit_of("a.py", "    return a+b", "    return a + b");
    let unfit = edit_of("b.py", "    return x+y", "    return x + y");
    let mended = edit_of("b.py", "    return a+b", "    return a + b");
    let provider = ScriptedProvider::new([Script::answer(&(fits + &unfit)), Script::answer(&mended)]);
    let g = client(&provider).generate(two_files()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    let after = BEFORE.replace("a+b", "a + b");
    let files: Vec<_> = g.files.iter().map(|f| (f.path.as_deref().unwrap(), f.content.as_str())).collect();
    assert_eq!(files, [("a.py", after.as_str()), ("b.py", after.as_str())]);
    let asked = provider.calls()[1].messages[0].blocks.iter().map(|b| b.text.to_string()).collect::<String>();
    assert!(asked.contains("--- b.py\n") && !asked.contains("--- a.py\n"), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn files_whose_edits_fit_are_in_partial_where_others_never_do() {
    let text = edit_of("a.py", "    return a+b", "    return a + b") + &edit_of("b.py", "    return x+y", "");
    let error =
        client(&ScriptedProvider::new([Script::answer(&text)])).generate(two_files()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EditFailed);
    assert_eq!(error.into_partial().unwrap().files[0].content, BEFORE.replace("a+b", "a + b"));
}

#[tokio::test(start_paused = true)]
async fn edits_of_a_repair_change_what_the_model_was_shown() {
    let broken = edit("    return a+b", "    return (a + b");
    let mended = edit("    return (a + b", "    return (a + b)");
    let provider = ScriptedProvider::new([Script::answer(&broken), Script::answer(&mended)]);
    let g = client(&provider).generate(request()).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!(g.files[0].content, BEFORE.replace("a+b", "(a + b)"));

    let written = format!("```python calc.py\n{}```\n", BEFORE.replace("a+b", "(a + b"));
    let provider = ScriptedProvider::new([Script::answer(&written), Script::answer(&mended)]);
    let g = client(&provider).generate(GenerateRequest::new("calc").with_model("sonnet")).await.unwrap();
    assert!(g.accepted, "{:?}", g.diagnostics);
    assert_eq!((g.files.len(), &g.files[0].content), (1, &BEFORE.replace("a+b", "(a + b)")));
}

#[tokio::test(start_paused = true)]
async fn new_code_may_come_as_an_edit_of_nothing_and_other_edits_without_a_file_are_text() {
    let new = edit("", "def add(a, b):\n    return a + b").replace("SEARCH\n\n", "SEARCH\n");
    let shown = edit_of("other.py", "a", "b");
    for text in [new.clone(), new.clone() + &shown] {
        let provider = ScriptedProvider::new([Script::answer(&text)]);
        let g = client(&provider).generate(GenerateRequest::new("calc").with_model("sonnet")).await.unwrap();
        assert!(g.accepted, "{:?}", g.diagnostics);
        assert_eq!((g.files.len(), g.files[0].path.as_deref()), (1, Some("calc.py")));
        assert_eq!(g.code().unwrap(), "def add(a, b):\n    return a + b\n");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refinement_of_a_refinement_still_sees_the_files_that_did_not_change() {
    let new = "```python a.py\nA = 1\n```\n\n```python b.py\nB = 1\n```\n";
    let provider = ScriptedProvider::new([
        Script::answer(new),
        Script::answer("```python a.py\nA = 2\n```\n"),
        Script::answer("```python a.py\nA = 3\n```\n\n```python c.py\nC = 3\n```\n"),
    ]);
    let client = client(&provider);
    let g = client.generate(GenerateRequest::new("two files").with_model("sonnet")).await.unwrap();
    let again = || g.refine_request("more").with_model("sonnet");
    let g2 = client.generate(again()).await.unwrap();
    // From the cache, too.
    for g2 in [g2, client.generate(again()).await.unwrap()] {
        let names: Vec<_> = g2.files.iter().map(|file| file.path.as_deref().unwrap()).collect();
        assert_eq!(names, ["a.py"], "a refactoring's files are those that it changed");
        let g3 = client.generate(g2.refine_request("still more").with_model("sonnet")).await.unwrap();
        let sources: Vec<_> = g3.sources().into_iter().map(|file| (file.path, file.content)).collect();
        let expected = [("a.py", "A = 3\n"), ("b.py", "B = 1\n"), ("c.py", "C = 3\n")];
        assert_eq!(sources, expected.map(|(path, content)| (path.to_owned(), content.to_owned())));
    }
    let sent = &provider.calls()[2].messages[0].blocks[0].text;
    assert!(sent.contains(": a.py ===\nA = 2\n") && sent.contains(": b.py ===\nB = 1\n"), "{sent}");
    assert_eq!(provider.calls().len(), 3);
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

#[tokio::test(start_paused = true)]
async fn a_bare_name_is_the_only_given_file_of_that_name() {
    let after = BEFORE.replace("a+b", "a + b");
    let whole = format!("```python calc.py\n{after}```\n");
    for answer in [whole, edit("    return a+b", "    return a + b")] {
        let file = |path: &str| SourceFile { path: path.into(), content: BEFORE.into() };
        let files = vec![file("src/calc.py"), file("src/other.py")];
        let provider = ScriptedProvider::new([Script::answer(&answer)]);
        let request = GenerateRequest::refactor(files, "spaces").with_model("sonnet");
        let g = client(&provider).generate(request).await.unwrap();
        assert_eq!((g.files.len(), g.files[0].path.as_deref()), (1, Some("src/calc.py")));
        assert!(g.diff.unwrap().starts_with("--- a/src/calc.py\n+++ b/src/calc.py\n"));
    }
    let file = |path: &str| SourceFile { path: path.into(), content: BEFORE.into() };
    let two = vec![file("a/calc.py"), file("b/calc.py")];
    let provider = ScriptedProvider::new([Script::answer(&format!("```python calc.py\n{after}```\n"))]);
    let g = client(&provider)
        .generate(GenerateRequest::refactor(two, "spaces").with_model("sonnet"))
        .await
        .unwrap();
    assert_eq!(g.files[0].path.as_deref(), Some("calc.py"), "of two nobody can tell which");
}
