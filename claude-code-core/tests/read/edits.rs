//! Search/replace edits in fences and outside.

use claude_code_core::read::{Answer, read_answer};

use super::merge;

const EDIT: &str = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n";

fn edits(answer: &Answer) -> Vec<(Option<&str>, &str, &str, usize)> {
    let each = answer.edits.iter();
    each.map(|e| (e.path.as_deref(), e.search.as_str(), e.replace.as_str(), e.line)).collect()
}

fn read(text: &str) -> Answer {
    let (pieces, answer) = merge::read([text], None);
    merge::check_previews(&pieces, &answer);
    answer
}

#[test]
fn finds_edits_below_a_path_above_the_fence() {
    let text = format!("I change it.\n\nsrc/a.py\n```python\n{EDIT}```\n");
    let answer = read(&text);
    assert_eq!(edits(&answer), [(Some("src/a.py"), "old\n", "new\n", 5)]);
    assert!(answer.files.is_empty() && answer.complete);
    assert_eq!(answer.text, text);
}

#[test]
fn finds_edits_below_a_path_inside_the_fence() {
    let answer = read(&format!("```python\na.py\n{EDIT}\n{EDIT}```\n"));
    assert_eq!(edits(&answer), [(Some("a.py"), "old\n", "new\n", 3), (Some("a.py"), "old\n", "new\n", 9)]);
    assert!(answer.files.is_empty());
}

#[test]
fn finds_edits_without_a_fence() {
    let answer = read(&format!("Change:\n\na.py\n<source>python\n{EDIT}</source>\n"));
    assert_eq!(edits(&answer), [(Some("a.py"), "old\n", "new\n", 5)]);
}

#[test]
fn keeps_an_edit_with_a_nested_fence_whole() {
    let text =
        "a.md\n```text\n<<<<<<< ORIGINAL\n```sh\nx\n```\n=======\n```sh\ny\n```\n>>>>>>> UPDATED\n```\n";
    assert_eq!(edits(&read(text)), [(Some("a.md"), "```sh\nx\n```\n", "```sh\ny\n```\n", 3)]);
}

#[test]
fn finds_an_edit_without_a_fence_around_fences() {
    let answer = read("README.md\n<<<<<<< SEARCH\n```\nold\n```\n=======\n```\nnew\n```\n>>>>>>> REPLACE\n");
    assert_eq!(edits(&answer), [(Some("README.md"), "```\nold\n```\n", "```\nnew\n```\n", 2)]);
    assert!(answer.complete);
}

#[test]
fn dots_between_edits_are_no_content() {
    let answer = read(&format!("```python\na.py\n{EDIT}\n...\n\n{EDIT}```\n"));
    assert_eq!(answer.edits.len(), 2);
    assert!(answer.files.is_empty());
}

#[test]
fn ends_edits_in_a_long_fence_at_a_short_one() {
    let answer = read(&format!("a.py\n`````\n{EDIT}```\n"));
    assert_eq!(edits(&answer), [(Some("a.py"), "old\n", "new\n", 3)]);
    assert!(answer.complete && answer.files.is_empty());
}

#[test]
fn keeps_a_block_with_a_broken_edit_as_an_unnamed_incomplete_file() {
    let answer = read("a.py\n```python\n<<<<<<< SEARCH\nold\n=======\nnew\n```\n");
    assert!(answer.edits.is_empty());
    assert_eq!((answer.files[0].path.as_deref(), answer.files[0].complete), (None, false));
    assert!(!answer.complete);
}

#[test]
fn a_cut_edit_makes_the_answer_incomplete() {
    let answer = read_answer("a.py\n<<<<<<< SEARCH\nold\n=======\nne");
    assert!(answer.edits.is_empty() && !answer.complete);
}

#[test]
fn an_edit_of_a_refused_path_has_none() {
    let answer = read_answer(&format!("../a.py\n```python\n{EDIT}```\n"));
    let refused = claude_code_core::answer::file::refusal("../a.py").is_some();
    assert_eq!(answer.edits[0].path.is_none(), refused);
}
