//! Answers that lose something, and answers that only look so.

use super::{accepted, marked, refactored, refused};

const PY: &str = "import os\n\n\ndef first(a):\n    return a + 1\n\n\ndef second(b):\n    value = b * 2\n    return value\n\n\ndef third(c):\n    return os.path.join(c, \"x\")\n";
const JS: &str = "export function first(a) {\n  return a + 1;\n}\n\nexport function second(b) {\n  return b * 2;\n}\n\nexport function third(c) {\n  return c;\n}\n";

fn edit(path: &str, search: &str, replace: &str) -> String {
    format!("Done.\n\n{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
}

#[tokio::test]
async fn a_line_of_equals_signs_in_the_search_text_is_text_where_the_file_has_it() {
    let rst = "Tools\n=======\n\nUsage notes.\n\nMore\n=======\n\nEnd.\n";
    let answer = edit("a.rst", "Tools\n=======\n\nUsage notes.", "Tools\n=======\n\nMore notes.");
    let after = accepted(refactored(&[("a.rst", rst)], "change it", |_| answer.clone()).await);
    assert_eq!(after, rst.replace("Usage", "More"));
    let conflict = "a\n<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b\nz\n";
    let answer = edit("a.ini", "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> b", "x = 3");
    assert_eq!(
        accepted(refactored(&[("a.ini", conflict)], "resolve", |_| answer.clone()).await),
        "a\nx = 3\nz\n"
    );
}

#[tokio::test]
async fn two_dividers_that_both_fit_are_refused() {
    // A heading gets a line above it, or loses the one below it.
    let answer = edit("a.rst", "Tools\n=======", "Tools");
    let why = refused(
        refactored(&[("a.rst", "Tools\n=======\n\nText.\n")], "change it", |_| answer.to_owned()).await,
    );
    assert!(why.contains("two ways"), "{why}");
}

#[tokio::test]
async fn what_is_left_out_is_filled_in_where_its_place_is_plain() {
    let new = PY.replace("a + 1", "a + 10");
    for mark in ["# ... existing code ...", "# rest of the code unchanged", "# ..."] {
        let lazy = new[..new.find("\n\n\ndef second").unwrap()].to_owned() + "\n\n" + mark + "\n";
        let after = accepted(refactored(&[("a.py", PY)], "change first", |n| marked(n, "a.py", &lazy)).await);
        assert_eq!(after, new, "{mark}");
        let middle =
            new.replace("def second(b):\n    value = b * 2\n    return value\n", &format!("{mark}\n"));
        let after =
            accepted(refactored(&[("a.py", PY)], "change first", |n| marked(n, "a.py", &middle)).await);
        assert_eq!(after, new, "{mark} in the middle");
    }
}

#[tokio::test]
async fn a_body_that_is_left_out_is_the_given_one() {
    let new = JS.replace("a + 1", "a + 10");
    let lazy = new
        .replace("{\n  return b * 2;\n}", "{ /* ... */ }")
        .replace("{\n  return c;\n}", "{\n  // ... existing code ...\n}");
    let after = accepted(refactored(&[("a.js", JS)], "change first", |n| marked(n, "a.js", &lazy)).await);
    assert_eq!(after, new);
}

#[tokio::test]
async fn comments_that_were_left_where_they_were_are_not_filled_in_twice() {
    let given = "pub fn one() -> i32 {\n    1\n}\n\n/// Of two.\n#[must_use]\npub fn two() -> i32 {\n    2\n}\n\npub fn three() -> i32 {\n    3\n}\n";
    let lazy = given
        .replace("pub fn two() -> i32 {\n    2\n}", "// ... existing code ...")
        .replace("    1\n", "    10\n");
    let after = accepted(refactored(&[("a.rs", given)], "change one", |n| marked(n, "a.rs", &lazy)).await);
    assert_eq!(after, given.replace("    1\n", "    10\n"));
}

#[tokio::test]
async fn members_that_are_left_out_are_filled_in_with_the_blank_lines_behind_them() {
    let given = "class A:\n    def one(self):\n        return 1\n\n    def two(self):\n        return 2\n\n\ndef three():\n    return 3\n";
    let lazy = "class A:\n    def one(self):\n        return 10\n\n    # ... existing methods ...\n\n\ndef three():\n    return 3\n";
    let after = accepted(refactored(&[("a.py", given)], "change one", |n| marked(n, "a.py", lazy)).await);
    assert_eq!(after, given.replace("return 1\n", "return 10\n"));
    let stubbed = given.replace("    return 3", "    ...  # unchanged").replace("return 1\n", "return 10\n");
    let after = accepted(refactored(&[("a.py", given)], "change one", |n| marked(n, "a.py", &stubbed)).await);
    assert_eq!(after, given.replace("return 1\n", "return 10\n"));
}

#[tokio::test]
async fn what_is_left_out_in_a_replacement_is_filled_in_or_refused() {
    let answer = edit(
        "a.js",
        JS.trim_end(),
        "export function first(a) {\n  return 10;\n}\n\n// ... existing code ...",
    );
    let after = accepted(refactored(&[("a.js", JS)], "change first", |_| answer.clone()).await);
    assert_eq!(after, JS.replace("a + 1", "10"));
    let answer = edit("a.txt", "one\ntwo\nthree", "uno\n# ... rest of the file unchanged ...");
    let why = refused(refactored(&[("a.txt", "one\ntwo\nthree\n")], "change it", |_| answer.clone()).await);
    assert!(why.contains("leaves lines out"), "{why}");
}

#[tokio::test]
async fn a_new_file_with_words_for_code_is_an_error() {
    let why = refused(
        refactored(&[("a.py", PY)], "split it", |n| {
            marked(n, "a.py", PY)
                + &marked(n, "b.py", "def x():\n    return 1\n\n# ... rest of the code ...\n")
        })
        .await,
    );
    assert!(why.contains("b.py:4"), "{why}");
}

#[tokio::test]
async fn a_lost_definition_is_an_error_that_names_it() {
    let lazy = PY.replace("def second(b):\n    value = b * 2\n    return value\n\n\n", "");
    let why = refused(refactored(&[("a.py", PY)], "make first faster", |n| marked(n, "a.py", &lazy)).await);
    assert!(why.contains("lost: second"), "{why}");
    accepted(refactored(&[("a.py", PY)], "remove second", |n| marked(n, "a.py", &lazy)).await);
}

#[tokio::test]
async fn a_definition_that_is_renamed_moved_or_inlined_is_not_lost() {
    let renamed = PY.replace("second", "doubled");
    accepted(refactored(&[("a.py", PY)], "better names", |n| marked(n, "a.py", &renamed)).await);
    let moved = PY.replace("def second(b):\n    value = b * 2\n    return value\n\n\n", "");
    let g = refactored(&[("a.py", PY)], "split it", |n| {
        marked(n, "a.py", &moved)
            + &marked(n, "b.py", "def second(b):\n    value = b * 2\n    return value\n")
    });
    assert!(g.await.unwrap().accepted);
    let calls = "def twice(x):\n    return x * 2\n\n\ndef use(y):\n    return twice(y) + 1\n";
    let inlined = "def use(y):\n    return y * 2 + 1\n";
    accepted(refactored(&[("a.py", calls)], "simplify", |n| marked(n, "a.py", inlined)).await);
}

#[tokio::test]
async fn a_block_without_a_name_is_the_given_file_only_if_it_is_all_of_it() {
    let whole = PY.replace("a + 1", "a + 10");
    let block = |language: &str, text: &str| format!("Here.\n\n```{language}\n{text}```\n");
    let after = accepted(refactored(&[("a.py", PY)], "change it", |_| block("python", &whole)).await);
    assert_eq!(after, whole);
    let alone = block("python", "def first(a):\n    return a + 10\n");
    assert_eq!(accepted(refactored(&[("a.py", PY)], "change it", |_| alone.clone()).await), whole);
    for text in
        [block("bash", "pip install x\n"), block("console", "$ python a.py\n2\n"), block("python", "")]
    {
        let why = refused(refactored(&[("a.py", PY)], "change it", |_| text.clone()).await);
        assert!(why.starts_with("no_code"), "{why}");
    }
    let part = block("python", "value = b * 2\nprint(value)\nreturn value\n");
    let why = refused(refactored(&[("a.py", PY)], "change it", |_| part.clone()).await);
    assert!(why.contains("only a part") || why.starts_with("no_code"), "{why}");
}

#[tokio::test]
async fn a_diff_is_applied_and_never_stored_as_the_file() {
    let diff =
        "--- a/a.py\n+++ b/a.py\n@@ -4,2 +4,2 @@\n def first(a):\n-    return a + 1\n+    return a + 10\n";
    let patch = "*** Begin Patch\n*** Update File: a.py\n@@ def first(a):\n-    return a + 1\n+    return a + 10\n*** End Patch\n";
    let fenced = |language: &str, text: &str| format!("Here.\n\n```{language}\n{text}```\n");
    for answer in [
        fenced("diff", diff),
        fenced("", diff),
        format!("So:\n\n{diff}"),
        fenced("", patch),
        patch.to_owned(),
        fenced("python a.py", diff),
    ] {
        let after = accepted(refactored(&[("a.py", PY)], "change it", |_| answer.clone()).await);
        assert_eq!(after, PY.replace("a + 1", "a + 10"), "{answer}");
    }
}

#[tokio::test]
async fn an_empty_file_does_not_wipe_a_given_one() {
    for answer in ["```python a.py\n```\n", "=== file NONCE: a.py ===\n=== end NONCE: a.py ===\n"] {
        let why = refused(refactored(&[("a.py", PY)], "empty a.py", |n| answer.replace("NONCE", n)).await);
        assert!(why.contains("would be empty") || why.starts_with("no_code"), "{why}");
    }
}

#[tokio::test]
async fn only_the_line_of_the_protocol_says_that_nothing_has_to_change() {
    let g = refactored(&[("a.py", PY)], "check it", |n| format!("All is well.\n\n=== no change {n} ===\n"))
        .await
        .unwrap();
    assert!(g.accepted && g.files.is_empty(), "{g:?}");
    assert!(g.warnings.iter().any(|warning| warning.contains("nothing has to change")), "{:?}", g.warnings);
    for words in ["No change is needed.", "=== no change 00000000 ===\n", "I am sorry, I cannot do that."] {
        let why = refused(refactored(&[("a.py", PY)], "check it", |_| words.to_owned()).await);
        assert!(why.starts_with("no_code"), "{why}");
    }
}

#[tokio::test]
async fn edits_in_other_spellings_are_read() {
    let list = "- First:\n\n  a.py\n  <<<<<<< SEARCH\n  def first(a):\n      return a + 1\n  =======\n  def first(a):\n      return a + 10\n  >>>>>>> REPLACE\n\n- Then nothing.\n";
    let cline = "a.py\n------- SEARCH\n    return a + 1\n=======\n    return a + 10\n+++++++ REPLACE\n";
    let numbered = "a.py\n<<<<<<< SEARCH\n:start_line:5\n-------\n    return a + 1\n=======\n    return a + 10\n>>>>>>> REPLACE\n";
    let new = PY.replace("a + 1", "a + 10");
    let tags = format!(
        "<boltArtifact id=\"x\" title=\"y\">\n<boltAction type=\"file\" filePath=\"a.py\">\n{new}</boltAction>\n</boltArtifact>\n"
    );
    let file = format!("<file path=\"a.py\">\n{new}</file>\n");
    for answer in [
        list,
        cline,
        numbered,
        &tags,
        &file,
        "./a.py\n<<<<<<< SEARCH\n    return a + 1\n=======\n    return a + 10\n>>>>>>> REPLACE\n",
    ] {
        assert_eq!(
            accepted(refactored(&[("a.py", PY)], "change it", |_| answer.to_owned()).await),
            new,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_edit_that_fits_in_two_places_is_refused_with_their_lines() {
    let why = refused(
        refactored(&[("a.py", "x = 1\ny = 2\nx = 1\n")], "change it", |_| edit("a.py", "x = 1", "x = 2"))
            .await,
    );
    assert!(why.contains("lines 1, 3"), "{why}");
}

#[tokio::test]
async fn an_edit_fits_by_levels_and_says_which() {
    let cases = [
        ("x = 1  \ny = 2\n", "x = 1\ny = 2", "x = 3\ny = 2", "x = 3\ny = 2\n", "blanks at the ends"),
        (
            "\tif a {\n\t\tb()\n\t}\n",
            "    if a {\n        b()\n    }",
            "    if a {\n        b()\n        c()\n    }",
            "\tif a {\n\t\tb()\n\t\tc()\n\t}\n",
            "indentation",
        ),
        (
            "<p>1\u{a0}of 3</p>\n<p>it\u{2019}s</p>\n",
            "<p>1 of 3</p>\n<p>it's</p>",
            "<p>one of 3</p>\n<p>it's</p>",
            "<p>one of 3</p>\n<p>it\u{2019}s</p>\n",
            "quotes",
        ),
    ];
    for (given, search, replace, right, told) in cases {
        let g =
            refactored(&[("a.txt", given)], "change it", |_| edit("a.txt", search, replace)).await.unwrap();
        assert_eq!(g.files[0].content, right);
        assert!(g.warnings.iter().any(|warning| warning.contains(told)), "{:?}", g.warnings);
    }
}

#[tokio::test]
async fn an_edit_after_which_a_definition_is_part_of_a_string_is_an_error() {
    let given = "def first():\n    \"\"\"One.\"\"\"\n    return 1\n\n\ndef second():\n    \"\"\"Two.\"\"\"\n    return 2\n";
    let broken = edit("a.py", "    \"\"\"One.\"\"\"\n    return 1", "    \"\"\"One and more.\n    return 1");
    let asked = |files: &[(&str, &str)]| super::request(files, "change the words").without_validation();
    let why = refused(super::answered(asked(&[("a.py", given)]), |_| broken.clone()).await);
    assert!(why.contains("no longer defined: second"), "{why}");
}

#[tokio::test]
async fn a_file_that_is_called_otherwise_is_the_given_one_if_it_is_all_of_it() {
    let new = PY.replace("a + 1", "a + 10");
    for name in ["/src/a.py", "src\\a.py", "Src/A.py", "a.py", "./src/a.py"] {
        let g = refactored(&[("src/a.py", PY)], "change it", |n| marked(n, name, &new)).await.unwrap();
        assert!(g.accepted, "{name}: {:?}", g.diagnostics);
        assert_eq!((g.files[0].path.as_deref(), &g.files[0].content), (Some("src/a.py"), &new), "{name}");
    }
}

#[tokio::test]
async fn blocks_that_show_something_beside_the_named_file_are_text() {
    let new = PY.replace("a + 1", "a + 10");
    let shown = ["def first(a):\n    return a + 1\n", "from a import first\nprint(first(1))\n", PY];
    for block in shown {
        let answer = format!(
            "Before:\n\n```python\n{block}```\n\n```python a.py\n{new}```\n\nUse:\n\n```python\n{block}```\n"
        );
        assert_eq!(
            accepted(refactored(&[("a.py", PY)], "change it", |_| answer.clone()).await),
            new,
            "{block}"
        );
    }
    let edited =
        edit("a.py", "    return a + 1", "    return a + 10") + "\nUse:\n\n```python\nprint(first(1))\n```\n";
    assert_eq!(accepted(refactored(&[("a.py", PY)], "change it", |_| edited.clone()).await), new);
}

#[tokio::test]
async fn of_a_block_before_and_one_after_the_change_the_one_after_counts() {
    let block = |text: &str| format!("```python\n{text}```\n");
    let (before, after) = ("def first(a):\n    return a + 1\n", "def first(a):\n    return a + 10\n");
    for answer in [
        format!("Before:\n\n{}\nAfter:\n\n{}", block(before), block(after)),
        format!("{}\nIt was:\n\n{}", block(after), block(before)),
    ] {
        let right = PY.replace("a + 1", "a + 10");
        assert_eq!(
            accepted(refactored(&[("a.py", PY)], "change it", |_| answer.clone()).await),
            right,
            "{answer}"
        );
    }
}
