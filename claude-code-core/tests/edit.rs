//! Edits fit in one place or fail; the rest stays byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use std::collections::BTreeMap;

use claude_code_core::edit::{Applied, Edit, apply, apply_each, diff, shrinkage};
use claude_code_core::{Error, ErrorKind};
use proptest::prelude::*;

const CODE: &str = "def f():\n    a = 1\n    return a\n\n\ndef g():\n    a = 1\n    return a + 1\n";

fn edit(search: &str, replace: &str) -> Edit {
    Edit { search: search.to_owned(), replace: replace.to_owned(), ..Edit::default() }
}

fn one(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("a.py".to_owned(), text.to_owned())])
}

/// The only file after these edits.
fn edited(text: &str, edits: &[Edit]) -> String {
    let changed = apply(&one(text), edits).unwrap();
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].before, text);
    changed[0].after.clone()
}

fn why(text: &str, edits: &[Edit]) -> String {
    apply(&one(text), edits).unwrap_err().to_string()
}

#[test]
fn replaces_lines_that_fit_exactly() {
    let after = edited(CODE, &[edit("    return a + 1\n", "    b = a\n    return b\n")]);
    assert_eq!(after, CODE.replace("    return a + 1\n", "    b = a\n    return b\n"));
}

#[test]
fn whole_lines_win_over_pieces_of_lines() {
    assert_eq!(edited("max = 1\nx = 1\n", &[edit("x = 1", "x = 2")]), "max = 1\nx = 2\n");
}

#[test]
fn replaces_a_piece_of_a_line_that_occurs_once() {
    assert_eq!(edited("a = f(1) + g(2)\n", &[edit("g(2)", "h")]), "a = f(1) + h\n");
}

#[test]
fn removes_lines_and_their_end() {
    assert_eq!(edited("a\nb\nc\n", &[edit("b\n", "")]), "a\nc\n");
    assert_eq!(edited("a\nb", &[edit("b", "c\nd\n")]), "a\nc\nd");
}

#[test]
fn tolerates_white_space_at_line_ends() {
    assert_eq!(edited("a  \nb\t\nc\n", &[edit("a\nb\n", "x\n")]), "x\nc\n");
}

#[test]
fn tolerates_another_indentation_that_is_the_same_on_every_line() {
    let text = "class A:\n    def f(self):\n        a = 1\n\n        return a\n";
    let deeper =
        edited(text, &[edit("def f(self):\n    a = 1\n\n    return a\n", "def f(self):\n    return 1\n")]);
    assert_eq!(deeper, "class A:\n    def f(self):\n        return 1\n");
    let shallower = edited("a = 1\nb = 2\n", &[edit("    a = 1\n    b = 2\n", "    if a:\n        b = 2\n")]);
    assert_eq!(shallower, "if a:\n    b = 2\n");
    assert!(why("  a = 1\n    b = 2\n", &[edit("a = 1\nb = 2\n", "")]).contains("not in the file"));
}

#[test]
fn keeps_the_line_ends_of_the_file() {
    assert_eq!(edited("a\r\nb\r\nc\r\n", &[edit("b\n", "x\ny\n")]), "a\r\nx\r\ny\r\nc\r\n");
    assert_eq!(edited("a\nb\n", &[edit("b\r\n", "x\r\ny\r\n")]), "a\nx\ny\n");
}

#[test]
fn an_ambiguous_edit_fails_with_its_number_and_the_lines() {
    let edits = [edit("def f():\n", "def h():\n"), edit("    a = 1\n", "")];
    assert_eq!(
        why(CODE, &edits),
        "edit 2 of a.py does not fit: its search text fits in 2 places: lines 2, 7; add lines around it"
    );
}

#[test]
fn a_later_edit_sees_what_the_earlier_ones_left() {
    assert_eq!(edited("a\n", &[edit("a\n", "b\n"), edit("b\n", "c\n")]), "c\n");
    assert!(why("a\n", &[edit("a\n", "b\n"), edit("a\n", "c\n")]).starts_with("edit 2"));
}

#[test]
fn an_empty_search_makes_a_new_file_only() {
    let new = Edit { path: Some("src/b.py".to_owned()), ..edit("", "x\n") };
    let changed = apply(&one("a\n"), &[new]).unwrap();
    assert_eq!(
        (changed[0].path.as_str(), changed[0].before.as_str(), changed[0].after.as_str()),
        ("src/b.py", "", "x\n")
    );
    assert!(why("a\n", &[edit("", "x")]).contains("the file exists"));
    let outside = Edit { path: Some("../b.py".to_owned()), ..edit("", "x\n") };
    assert!(apply(&one("a\n"), &[outside]).is_err());
}

#[test]
fn a_file_must_be_named_where_there_are_several() {
    let mut files = one("a\n");
    files.insert("b.py".to_owned(), "a\n".to_owned());
    assert!(apply(&files, &[edit("a\n", "b\n")]).unwrap_err().why.contains("names no file"));
    let missing = Edit { path: Some("c.py".to_owned()), ..edit("a\n", "b\n") };
    let problem = apply(&files, &[missing]).unwrap_err();
    assert_eq!(
        (problem.block, problem.path.as_deref(), problem.why.as_str()),
        (1, Some("c.py"), "there is no such file")
    );
    assert_eq!(Error::from(problem).kind(), ErrorKind::EditFailed);
}

#[test]
fn an_edit_that_does_not_fit_leaves_its_file_alone_and_the_others_changed() {
    let mut files = one("a\n");
    files.insert("b.py".to_owned(), "a\nb\n".to_owned());
    let of = |path: &str, search: &str| Edit { path: Some(path.to_owned()), ..edit(search, "c\n") };
    let edits = [of("b.py", "a\n"), of("b.py", "x\n"), of("a.py", "a\n"), of("b.py", "b\n")];
    let Applied { changed, problems, .. } = apply_each(&files, &edits);
    let after: Vec<_> = changed.iter().map(|c| (c.path.as_str(), c.after.as_str())).collect();
    assert_eq!(after, [("a.py", "c\n")]);
    assert_eq!(
        problems.iter().map(|p| (p.block, p.path.as_deref())).collect::<Vec<_>>(),
        [(2, Some("b.py"))]
    );
}

#[test]
fn an_edit_that_changes_nothing_is_no_change() {
    assert_eq!(apply(&one("a\n"), &[edit("a\n", "a\n")]).unwrap(), []);
}

#[test]
fn writes_a_unified_diff() {
    let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
    let after = "1\n2\n3\n4\nfive\n6\n7\n8";
    assert_eq!(
        diff("a.txt", before, after),
        "--- a/a.txt\n+++ b/a.txt\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n-8\n+8\n\\ No newline at end of file\n"
    );
    assert!(diff("n", "", "x\n").starts_with("--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"));
    assert_eq!(diff("n", "x", "x"), "");
}

#[test]
fn a_large_loss_is_told_and_a_resolved_conflict_or_one_method_is_none() {
    let side = |n: usize| (0..12).map(|line| format!("v{line} = {n}\n")).collect::<String>();
    let conflict = format!("<<<<<<< HEAD\n{}=======\n{}>>>>>>> b\nz = 1\n", side(1), side(2));
    assert_eq!(shrinkage("a.ini", &conflict, &format!("{}z = 1\n", side(2)), ""), None);
    assert!(shrinkage("a.ini", &conflict, "z = 1\n", "").is_some_and(|what| what.contains("lines")));
    let go = "package a\n\ntype T struct{}\n\nfunc (t T) One() int {\n\treturn 1\n}\n";
    assert_eq!(shrinkage("a.go", go, "package a\n\ntype T struct{}\n", ""), None);
    assert_eq!(shrinkage("a.go", go, "package a\n", "").as_deref(), Some("everything that it defines"));
}

/// Applies a unified diff as patch does: by line numbers, every line checked.
fn patched(before: &str, diff: &str) -> String {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let mut after = String::new();
    let mut at = 0;
    let lines: Vec<&str> = diff.split_inclusive('\n').skip(2).collect();
    for (number, line) in lines.iter().enumerate() {
        let ends_bare = lines.get(number + 1).is_some_and(|next| next.starts_with('\\'));
        let text = if ends_bare { line[1..].strip_suffix('\n').unwrap() } else { &line[1..] };
        match line.as_bytes()[0] {
            b'@' => {
                let numbers = line.split([' ', ',']).find_map(|part| part.strip_prefix('-')).unwrap();
                let start: usize = numbers.parse().unwrap();
                let is_empty = line.split(' ').nth(1).unwrap().ends_with(",0");
                let start = if is_empty { start } else { start - 1 };
                after.extend(old[at..start].iter().copied());
                at = start;
            }
            b' ' | b'-' => {
                assert_eq!(old[at], text);
                after.push_str(if line.starts_with(' ') { text } else { "" });
                at += 1;
            }
            b'+' => after.push_str(text),
            _ => {}
        }
    }
    after.extend(old[at..].iter().copied());
    after
}

fn text() -> impl Strategy<Value = String> {
    let line = prop::sample::select(&["a", "b", "  c", "", "d\r", "é", "-x", "+y", "\\z", "@@ q"][..]);
    (prop::collection::vec(line, 0..30), any::<bool>())
        .prop_map(|(lines, ends)| lines.join("\n") + if ends && !lines.is_empty() { "\n" } else { "" })
}

proptest! {
    #[test]
    fn the_diff_leads_from_before_to_after(before in text(), after in text()) {
        prop_assert_eq!(patched(&before, &diff("f", &before, &after)), after);
    }

    #[test]
    fn an_edit_of_one_line_leaves_the_rest_byte_for_byte(before in text(), line in 0_usize..30, crlf in any::<bool>()) {
        let before = if crlf { before.replace('\r', "").replace('\n', "\r\n") } else { before };
        let mut lines: Vec<String> = before.split_inclusive('\n').map(str::to_owned).collect();
        if line < lines.len() {
            let end = if lines[line].ends_with("\r\n") { "\r\n" } else if lines[line].ends_with('\n') { "\n" } else { "" };
            lines[line] = format!("unique {line}{end}");
            let marked = lines.concat();
            let search = format!("unique {line}");
            let after = edited(&marked, &[edit(&search, "new")]);
            prop_assert_eq!(after, marked.replace(&search, "new"));
        }
    }

    #[test]
    fn never_panics_and_never_changes_more_than_it_says(before in text(), search in text(), replace in text()) {
        if let Ok(changed) = apply(&one(&before), &[edit(&search, &replace)]) {
            prop_assert!(changed.len() <= 1);
        }
    }
}
