//! Our own file markers.

use claude_code_core::read::read_answer;
use proptest::prelude::*;

use super::merge;

const NONCE: &str = "0badc0de";

fn file(path: &str, content: &str) -> String {
    format!("=== file {NONCE}: {path} ===\n{content}=== end {NONCE}: {path} ===\n")
}

#[test]
fn keeps_everything_between_the_markers() {
    let content = "```python\nx\n```\n=== file 11111111: b.py ===\n=== end 11111111: b.py ===\n";
    let text = format!("Here:\n\n{}Done.\n", file("a.md", content));
    for nonce in [None, Some(NONCE)] {
        let (pieces, answer) = merge::read([text.as_str()], nonce);
        merge::check_previews(&pieces, &answer);
        assert_eq!(answer.files.len(), 1);
        assert_eq!(
            (answer.files[0].path.as_deref(), answer.files[0].content.as_str()),
            (Some("a.md"), content)
        );
        assert!(answer.complete);
        assert_eq!(answer.text, "Here:\n\nDone.\n");
    }
}

#[test]
fn reads_other_fences_as_text_once_a_marker_occurs() {
    let text = format!("```sh\npip install x\n```\n\n{}\n```sh\nrun\n```\n", file("a.py", "a = 1\n"));
    let (pieces, answer) = merge::read([text.as_str()], Some(NONCE));
    merge::check_previews(&pieces, &answer);
    assert_eq!(answer.files.len(), 1);
    assert_eq!(answer.files[0].path.as_deref(), Some("a.py"));
    assert_eq!(answer.text, "```sh\npip install x\n```\n\n\n```sh\nrun\n```\n");
    assert!(answer.complete && answer.fences.is_empty());
}

#[test]
fn forgets_more_blocks_than_files_follow() {
    let text = format!("```sh\none\n```\n\n```sh\ntwo\n```\n{}", file("a.py", "a = 1\n"));
    let (pieces, answer) = merge::read([text.as_str()], Some(NONCE));
    merge::check_previews(&pieces, &answer);
    let previews = merge::previews(&pieces);
    assert_eq!(answer.indices, [0]);
    assert_eq!((previews[&1].path.as_deref(), previews[&1].content.as_str()), (None, ""));
}

#[test]
fn takes_markers_within_one_fence_around_the_answer() {
    let text = format!("```\n{}{}```\n", file("a.py", "a = 1\n"), file("b.py", "b = 1\n"));
    let answer = read_answer(&text);
    let paths: Vec<_> = answer.files.iter().map(|f| f.path.as_deref()).collect();
    assert_eq!(paths, [Some("a.py"), Some("b.py")]);
    assert_eq!(answer.text, "```\n```\n");
}

#[test]
fn a_missing_or_foreign_end_is_incomplete() {
    let cut = read_answer(&format!("=== file {NONCE}: a.py ===\na = 1\nb ="));
    assert_eq!(
        (cut.files[0].content.as_str(), cut.files[0].complete, cut.complete),
        ("a = 1\nb =", false, false)
    );
    let other = read_answer(&format!("=== file {NONCE}: a.py ===\na\n=== end {NONCE}: b.py ===\nText\n"));
    assert!(!other.files[0].complete && other.text == "Text\n" && other.notes.len() == 1);
    let next = read_answer(&format!("=== file {NONCE}: a.py ===\na\n{}", file("b.py", "b\n")));
    let complete: Vec<_> = next.files.iter().map(|f| f.complete).collect();
    assert_eq!(complete, [false, true]);
}

#[test]
fn half_an_end_is_neither_content_nor_an_end() {
    let text = file("src/a.py", "a = 1\n");
    let end = text.find("=== end").unwrap();
    for cut in end + 3..text.len() - 2 {
        let answer = read_answer(&text[..cut]);
        assert_eq!((answer.files[0].content.as_str(), answer.files[0].complete), ("a = 1\n", false), "{cut}");
    }
}

#[test]
fn takes_markers_with_another_nonce_only_where_nothing_else_is_a_file() {
    let (one, two) = (file("a.py", "a\n"), file("b.py", "b\n"));
    let right = "=== file 11111111: c.py ===\nc\n=== end 11111111: c.py ===\n";
    for (text, paths, complete) in [
        (one.clone() + &two, vec!["a.py", "b.py"], true),
        (format!("Text.\n{one}Text.\n=== file {NONCE}: b.py ===\nb\n"), vec!["a.py", "b.py"], false),
        // A beginning without its end, beside a file of the right nonce, in one, beside a fence: text.
        (format!("=== file {NONCE}: b.py ===\nb\n"), vec![], true),
        (format!("{one}{right}"), vec!["c.py"], true),
        (format!("{right}{one}"), vec!["c.py"], true),
        (right.replace("c\n", &one), vec!["c.py"], true),
        (format!("{one}**d.py**\n```python\nd\n```\n"), vec!["d.py"], true),
        (format!("**d.py**\n```python\n{one}```\n"), vec!["d.py"], true),
    ] {
        let (pieces, answer) = merge::read([text.as_str()], Some("11111111"));
        merge::check_previews(&pieces, &answer);
        let found: Vec<_> = answer.files.iter().filter_map(|f| f.path.as_deref()).collect();
        assert_eq!((found, answer.complete), (paths, complete), "{text}\n{:?}", answer.notes);
        let is_inside = text.starts_with(&format!("=== file 11111111: c.py ===\n{one}"))
            || text.contains(&format!("python\n{one}"));
        assert_eq!(answer.notes.is_empty(), is_inside, "{text}\n{:?}", answer.notes);
        let chunks: Vec<String> = text.chars().map(String::from).collect();
        assert!(merge::read(chunks.iter().map(String::as_str), Some("11111111")) == (pieces, answer));
    }
}

#[test]
fn takes_markers_in_crlf() {
    let answer = read_answer(&file("a.py", "a\nb\n").replace('\n', "\r\n"));
    assert_eq!(answer.files[0].content, "a\r\nb\r\n");
    assert!(answer.complete);
}

fn content() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[ -~]{0,20}",
        Just("```".to_owned()),
        Just("=== end 11111111: a ===".to_owned()),
        "\\PC{0,8}\r?"
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.iter().map(|l| format!("{l}\n")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gives_back_any_content_that_stood_between_the_markers(contents in proptest::collection::vec(content(), 1..5)) {
        let text: String = contents.iter().enumerate().map(|(at, c)| file(&format!("f{at}.txt"), c)).collect();
        let (pieces, answer) = merge::read([text.as_str()], Some(NONCE));
        merge::check_previews(&pieces, &answer);
        let found: Vec<_> = answer.files.iter().map(|f| f.content.clone()).collect();
        prop_assert_eq!(found, contents);
        prop_assert!(answer.complete);
    }
}

#[test]
fn a_fence_that_holds_all_of_a_file_is_no_part_of_it() {
    for (path, content, expected) in [
        ("a.py", "```python\na = 1\n```\n", "a = 1\n"),
        ("a.py", "\n```\na = 1\n\n```\n\n", "a = 1\n\n"),
        ("a.py", "~~~~py\n```\n~~~~\n", "```\n"),
        ("a.py", "```python\r\na = 1\r\n```\r\n", "a = 1\r\n"),
        ("a.py", "```python\n```\n", ""),
        // Not all of it, or not one, or Markdown: kept as written.
        ("a.py", "```python\na = 1\n```\nb = 1\n", "```python\na = 1\n```\nb = 1\n"),
        ("a.py", "```python\na = 1\n```\n```\nb\n```\n", "```python\na = 1\n```\n```\nb\n```\n"),
        ("a.py", "a = 1\n```\nb\n```\n", "a = 1\n```\nb\n```\n"),
        ("a.py", "```python\na = 1\n", "```python\na = 1\n"),
        ("a.txt", "```\na\n```\n", "```\na\n```\n"),
        ("README.md", "```sh\nrun\n```\n", "```sh\nrun\n```\n"),
    ] {
        let text = file(path, content) + &file("b.py", "b = 1\n");
        let (pieces, answer) = merge::read([text.as_str()], Some(NONCE));
        merge::check_previews(&pieces, &answer);
        assert_eq!(answer.files[0].content, expected, "{content:?}");
        assert!(answer.complete && answer.files.len() == 2);
        assert_eq!(
            answer.notes.len(),
            usize::from(content.trim_start().starts_with(['`', '~'])),
            "{content:?}: {:?}",
            answer.notes
        );
        for size in [1, 5] {
            let chunks: Vec<String> =
                text.chars().collect::<Vec<_>>().chunks(size).map(|c| c.iter().collect()).collect();
            assert!(
                merge::read(chunks.iter().map(String::as_str), Some(NONCE))
                    == (pieces.clone(), answer.clone())
            );
        }
    }
}

#[test]
fn a_named_block_outside_the_markers_is_text_and_noted() {
    let text = file("a.py", "a = 1\n")
        + "Then **b.py**:\n\n**b.py**\n```python\nb = 1\n```\n\n```sh\nrun a.py\n```\n";
    let (pieces, answer) = merge::read([text.as_str()], Some(NONCE));
    merge::check_previews(&pieces, &answer);
    assert_eq!(answer.files.len(), 1);
    assert_eq!(answer.notes.len(), 1, "{:?}", answer.notes);
    assert!(
        answer.notes[0].contains("line 7 names b.py, but stands outside the file markers"),
        "{:?}",
        answer.notes
    );
}
