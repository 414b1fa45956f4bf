//! The eight shapes of an answer with several files that published extractors fail on.

use claude_code_core::read::{Answer, read_answer};

use super::merge;

const SERVICE: &str = "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get(\"/ping\")\ndef ping():\n    return \"pong\"\n";
const SCHEMA: &str = "CREATE TABLE guests (\n    id INTEGER PRIMARY KEY,\n    name TEXT NOT NULL\n);\n";
const CONFIG: &str = "server:\n  port: 8080\n  workers: 2\n";
const NEEDS: &str = "flask==3.1\n";
const CLIENT: &str = "export async function ping() {\n  return (await fetch(\"/ping\")).text();\n}\n";
const README: &str = "# Guest book\n\n## Install\n\n```bash\npip install guestbook\n```\n\n## Run\n\n```\npython backend_service.py\n```\n\nOpen `http://localhost:8080`.\n";

fn five() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("backend_service.py", "python", SERVICE),
        ("database_schema.sql", "sql", SCHEMA),
        ("config.yaml", "yaml", CONFIG),
        ("requirements.txt", "text", NEEDS),
        ("web/client.js", "javascript", CLIENT),
    ]
}

fn block(fence: &str, (path, info, content): (&str, &str, &str)) -> String {
    format!("**{path}**\n\n{fence}{info}\n{content}{fence}\n\n")
}

fn answer_of(blocks: &[String]) -> String {
    format!("Here are the files of the service.\n\n{}Tell me if you need tests.\n", blocks.concat())
}

fn read(text: &str) -> Answer {
    let (pieces, answer) = merge::read([text], None);
    merge::check_previews(&pieces, &answer);
    assert_eq!(answer, read_answer(text));
    answer
}

fn named(answer: &Answer) -> Vec<(&str, &str)> {
    answer.files.iter().map(|f| (f.path.as_deref().unwrap_or("(none)"), f.content.as_str())).collect()
}

fn expected(files: &[(&'static str, &'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    files.iter().map(|(path, _, content)| (*path, *content)).collect()
}

#[test]
fn keeps_five_files() {
    let text = answer_of(&five().iter().map(|f| block("```", *f)).collect::<Vec<_>>());
    let answer = read(&text);
    assert_eq!(named(&answer), expected(&five()));
    assert!(answer.complete && answer.notes.is_empty(), "{:?}", answer.notes);
    let languages: Vec<_> = answer.files.iter().map(|f| f.language.as_str()).collect();
    assert_eq!(languages, ["python", "sql", "yaml", "text", "javascript"]);
}

#[test]
fn keeps_a_readme_in_a_fence_of_four_whole() {
    let mut files = five();
    files.insert(1, ("README.md", "markdown", README));
    let blocks: Vec<_> =
        files.iter().map(|f| block(if f.0 == "README.md" { "````" } else { "```" }, *f)).collect();
    let answer = read(&answer_of(&blocks));
    assert_eq!(named(&answer), expected(&files));
    assert!(answer.complete);
}

#[test]
fn keeps_a_readme_in_a_fence_of_three_whole_wherever_it_stands() {
    for place in [0, 2, 5] {
        let mut files = five();
        files.insert(place, ("README.md", "markdown", README));
        let blocks: Vec<_> = files.iter().map(|f| block("```", *f)).collect();
        let answer = read(&answer_of(&blocks));
        assert_eq!(named(&answer), expected(&files), "README at {place}");
        assert!(answer.complete);
    }
}

#[test]
fn takes_tilde_fences_with_backtick_fences_inside() {
    let mut files = five();
    files.push(("README.md", "markdown", README));
    let blocks: Vec<_> = files.iter().map(|f| block("~~~", *f)).collect();
    assert_eq!(named(&read(&answer_of(&blocks))), expected(&files));
}

#[test]
fn says_that_a_cut_last_file_is_incomplete() {
    let text = answer_of(&five().iter().map(|f| block("```", *f)).collect::<Vec<_>>());
    let end = text.find("(await fetch").unwrap();
    let answer = read(&text[..end]);
    assert_eq!(answer.files.len(), 5);
    assert!(answer.files[..4].iter().all(|f| f.complete));
    assert!(!answer.files[4].complete && !answer.complete);
    assert_eq!(answer.files[4].path.as_deref(), Some("web/client.js"));
    assert!(CLIENT.starts_with(&answer.files[4].content));
}

#[test]
fn keeps_hostile_names_out_and_their_content_in() {
    let hostile = [
        "../../etc/cron.d/x",
        "/etc/passwd",
        "C:\\Windows\\evil.bat",
        "~/.bashrc",
        "a/../../b.py",
        ".git/hooks/pre-commit",
    ];
    let blocks: Vec<_> = hostile.iter().map(|path| block("```", (path, "", "x = 1\n"))).collect();
    let answer = read(&answer_of(&blocks));
    assert_eq!(answer.files.len(), hostile.len());
    for (file, name) in answer.files.iter().zip(hostile) {
        assert_eq!(file.content, "x = 1\n");
        let refused = claude_code_core::answer::file::refusal(name);
        assert_eq!(file.rejected, refused, "{name}");
        assert_eq!(file.path.is_none(), refused.is_some(), "{name}");
    }
}

#[test]
fn takes_the_last_of_two_files_with_one_name() {
    let text = answer_of(&[
        block("```", ("app.py", "python", "first = 1\n")),
        block("```", ("b.py", "python", "b = 1\n")),
        block("```", ("app.py", "python", "second = 2\n")),
    ]);
    let answer = read(&text);
    assert_eq!(named(&answer), [("b.py", "b = 1\n"), ("app.py", "second = 2\n")]);
    assert!(answer.notes.iter().any(|n| n.contains("app.py")), "{:?}", answer.notes);
}

#[test]
fn keeps_crlf_as_it_is() {
    let mut files = five();
    files.push(("README.md", "markdown", README));
    let blocks: Vec<_> = files.iter().map(|f| block("```", *f)).collect();
    let answer = read(&answer_of(&blocks).replace('\n', "\r\n"));
    let with_crlf: Vec<_> = files.iter().map(|(p, _, c)| (*p, c.replace('\n', "\r\n"))).collect();
    let found: Vec<_> = named(&answer).into_iter().map(|(p, c)| (p, c.to_owned())).collect();
    assert_eq!(found, with_crlf);
}

#[test]
fn code_without_a_name_tells_its_language_where_it_can() {
    let cases = [
        ("def f(x):\n    return x\n", Some("python")),
        ("import os\n\n@cache\ndef f():\n    end = 1\n", Some("python")),
        ("pub fn f() {}\n", Some("rust")),
        ("package main\n\nfunc main() {}\n", Some("go")),
        ("const f = (a) => a;\n", Some("javascript")),
        ("const f = (a: number): string => String(a);\n", Some("typescript")),
        ("require 'set'\nputs 1\n", Some("ruby")),
        ("import java.util.List;\npublic class A {\n  private int a;\n}\n", Some("java")),
        ("#!/bin/sh\necho hi\n", Some("bash")),
        ("SELECT a\nFROM b\n", Some("sql")),
        ("resource \"aws_s3_bucket\" \"b\" {}\n", Some("terraform")),
        ("some words\n", None),
        ("", None),
    ];
    for (code, language) in cases {
        let told = claude_code_core::Language::from_code(code);
        assert_eq!(told.as_ref().map(claude_code_core::Language::as_str), language, "{code}");
    }
}
