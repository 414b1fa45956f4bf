//! The bytes of the user's file that the answer says nothing of.

use super::{accepted, marked, refactored};

#[tokio::test]
async fn a_whole_file_keeps_line_ends_bom_and_last_newline() {
    let cases = [
        ("one = 1\r\ntwo = 2\r\n", "one = 10\ntwo = 2\n", "one = 10\r\ntwo = 2\r\n"),
        ("\u{feff}one = 1\n", "one = 10\n", "\u{feff}one = 10\n"),
        ("one = 1\ntwo = 2", "one = 10\ntwo = 2\n", "one = 10\ntwo = 2"),
        // Mixed: lines that stay keep their own end, new ones get the usual one.
        (
            "a = 1\r\nb = 2\nc = 3\r\nd = 4\r\n",
            "a = 1\nb = 2\nc = 30\nd = 4\n",
            "a = 1\r\nb = 2\nc = 30\r\nd = 4\r\n",
        ),
        ("a = 1\n\x0c\nb = 2\t\n", "a = 1\n\x0c\nb = 20\t\n", "a = 1\n\x0c\nb = 20\t\n"),
        ("one = 1\n", "one = 10\r\n", "one = 10\n"),
    ];
    for (given, answer, right) in cases {
        let after = refactored(&[("a.ini", given)], "change it", |n| marked(n, "a.ini", answer)).await;
        assert_eq!(accepted(after), right, "{given:?}");
    }
}

#[tokio::test]
async fn an_edit_keeps_line_ends_bom_and_last_newline() {
    let edit = |search: &str, replace: &str| {
        format!("a.ini\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n")
    };
    let cases = [
        ("\u{feff}one = 1\ntwo = 2\n", "one = 1", "one = 10", "\u{feff}one = 10\ntwo = 2\n"),
        (
            "one = 1\r\ntwo = 2\r\n",
            "one = 1\ntwo = 2",
            "one = 1\nnew = 3\ntwo = 2",
            "one = 1\r\nnew = 3\r\ntwo = 2\r\n",
        ),
        ("a = 1\nb = 2", "b = 2", "b = 2\nc = 3", "a = 1\nb = 2\nc = 3"),
        (
            "a = 1\r\nb = 2\nc = 3\r\n",
            "a = 1\nb = 2\nc = 3",
            "a = 1\nb = 2\nc = 4",
            "a = 1\r\nb = 2\nc = 4\r\n",
        ),
    ];
    for (given, search, replace, right) in cases {
        let after = refactored(&[("a.ini", given)], "change it", |_| edit(search, replace)).await;
        assert_eq!(accepted(after), right, "{given:?}");
    }
}

#[tokio::test]
async fn a_whole_file_in_blanks_keeps_the_tabs_of_the_file() {
    let given = "all: a\n\tcc a.c\n\nclean:\n\trm -f a\n\tif x; then \\\n\t\ty; fi\n";
    let said = given.replace('\t', "    ").replace("rm -f a\n", "rm -f a b\n    echo done\n");
    let right = given.replace("rm -f a\n", "rm -f a b\n\techo done\n");
    let after = refactored(&[("Makefile", given)], "clean b too", |n| marked(n, "Makefile", &said)).await;
    assert_eq!(accepted(after), right);
    let asked = "Indent with spaces.";
    let after =
        refactored(&[("Makefile", given)], asked, |n| marked(n, "Makefile", &given.replace('\t', "    ")))
            .await;
    assert_eq!(accepted(after), given.replace('\t', "    "));
}
