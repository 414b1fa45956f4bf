//! Characters that no reader sees.

use claude_code_core::request::SourceFile;
use claude_code_core::validate::{check, check_beside};
use claude_code_core::{CodeFile, Language};

fn file(path: &str, content: &str) -> CodeFile {
    CodeFile {
        path: Some(path.to_owned()),
        language: Language::from_path(path).unwrap_or_else(Language::text),
        content: content.to_owned(),
        complete: true,
        rejected: None,
    }
}

fn places(path: &str, content: &str) -> Vec<(u32, u32)> {
    let found = check(&[file(path, content)]);
    found.iter().filter(|d| d.message.contains("no reader sees")).map(|d| (d.line, d.column)).collect()
}

#[test]
fn bidirectional_controls_and_what_has_no_width_are_errors_with_their_place() {
    let cases = [
        ("a.py", "if level != 'user\u{202e} \u{2066}# admin\u{2069} \u{2066}':\n    pass\n", 4),
        ("a.js", "const a\u{200b} = 1;\n", 1),
        ("a.rs", "// x\u{2060}y\n", 1),
        ("a.md", "Text \u{e0041}\u{e0042} here\n", 2),
        ("a.ts", "const \u{3164} = 1;\n", 1),
        ("a.py", "x = 'a'  # \u{feff}\n", 1),
        ("a.py", "na\u{200d}me = 1\n", 1),
        ("a.json", "{\"a\": \"x\u{e0100}\"}\n", 1),
        ("a.md", "Smile \u{263a}\u{fe0f}\u{fe01}\u{fe02}\n", 2),
        ("a.js", "const a\u{fe0f} = 1;\n", 1),
        ("a.sh", "rm -rf a # \u{8}\u{8}ls\n", 2),
        ("a.txt", "a\0b\n", 1),
    ];
    for (path, content, count) in cases {
        assert_eq!(places(path, content).len(), count, "{content:?}");
    }
    assert_eq!(places("a.js", "let a;\nlet b\u{200b};\n"), [(2, 6)]);
}

#[test]
fn joiners_and_marks_that_a_script_or_emoji_needs_are_fine_in_text() {
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    let cases = [
        ("a.py", format!("x = '{family}'  # {family}\n")),
        ("a.md", format!("{family} and \u{1f3f4}\u{e0067}\u{e0062}\u{e007f}\n")),
        ("a.js", "const s = \"می\u{200c}خواهم\";\n".to_owned()),
        ("a.xml", "<p>ទំព័រ\u{200b}ដើម</p>\n".to_owned()),
        ("a.html", "<p>שלום\u{200f}</p>\n".to_owned()),
        ("a.txt", "\u{feff}text\n".to_owned()),
        ("a.md", "❤\u{fe0f} and 1\u{fe0f}\u{20e3}\n".to_owned()),
        ("a.js", "const s = '❤\u{fe0f}\u{200d}\u{1f525}';\n".to_owned()),
        ("a.json", "{\"name\": \"葛\u{e0100}城\"}\n".to_owned()),
    ];
    for (path, content) in cases {
        assert_eq!(places(path, &content), [], "{content:?}");
    }
}

#[test]
fn what_a_given_line_had_is_not_the_answers_fault() {
    let before = "a = 'x\u{200b}'\nb = 1\n";
    let given = [SourceFile { path: "a.py".to_owned(), content: before.to_owned() }];
    let after = file("a.py", &before.replace("b = 1", "b = 2"));
    assert!(!check_beside(&[after], &given).iter().any(|d| d.message.contains("no reader sees")));
}
