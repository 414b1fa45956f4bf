//! No file of an answer, however broken, makes the checks panic.
#![no_main]

use claude_code_core::validate::check;
use claude_code_core::{CodeFile, Language};
use libfuzzer_sys::fuzz_target;

/// One path for each way of checking, and those whose contents are read together.
const PATHS: [&str; 28] = [
    "a.py",
    "b.py",
    "s.sql",
    "README.md",
    "requirements.txt",
    "a.yaml",
    "a.json",
    "a.toml",
    "a.js",
    "b.ts",
    "a.tsx",
    "a.go",
    "a.rs",
    "a.c",
    "A.java",
    "a.sh",
    "a.html",
    "a.css",
    "main.tf",
    "pyproject.toml",
    "a.php",
    "A.cs",
    "a.cpp",
    "a.rb",
    "chart/templates/a.yaml",
    "t.html.j2",
    "tsconfig.json",
    "a.mts",
];

fn file(path: &str, content: &str) -> CodeFile {
    CodeFile {
        path: Some(path.to_owned()),
        language: Language::from_path(path).unwrap_or_else(Language::text),
        content: content.to_owned(),
        complete: true,
        rejected: None,
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let parts = text.split('\u{0}').take(4).enumerate();
    let mut files: Vec<CodeFile> =
        parts.map(|(at, part)| file(PATHS[(usize::from(*first) + at) % PATHS.len()], part)).collect();
    // SQL in a string is read by a reader of its own.
    files.push(file("sql.py", &format!("Q = \"SELECT {}\"\n", text.replace(['"', '\\', '\n'], " "))));
    files.push(file("schema.sql", "CREATE TABLE t (id INT, name TEXT);\n"));
    let _ = check(&files);
});
