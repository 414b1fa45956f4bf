//! No false alarms: good projects of our own, and recorded answers.

use claude_code_core::{CodeFile, Language, read_answer};
use serde_json::Value;

use super::{block, corpus, errors, project, service};

pub const PROJECTS: [&str; 10] = [
    "express",
    "flask_sqlite",
    "go_service",
    "python_package",
    "rust_java_c",
    "sam",
    "shell_docker",
    "sql_migrations",
    "terraform",
    "web_page",
];

#[test]
fn finds_no_error_in_the_golden_service() {
    assert_eq!(errors(&service()), []);
}

#[test]
fn finds_no_error_in_ten_good_projects() {
    let alarms: Vec<_> =
        PROJECTS.iter().flat_map(|name| errors(&project(name))).map(|d| d.to_string()).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

/// What files of other people were wrongly told for: each set is sound.
const REAL: &[&[(&str, &str)]] = &[
    &[("two.sh", "cat <<-\"A\" <<B\n\tone\n\tA\ntwo\nB\n")],
    &[("clean.sh", "shopt -s extglob\nls !(a|b).txt +([0-9])\n")],
    &[("app/a.py", "def f(x: Later = None):  # NOQA: F821\n    return x\n")],
    &[("test/issue_files/E23.py", "print(b1, sys)\n")],
    &[("LICENSE.python", "A. HISTORY OF THE SOFTWARE\n")],
    &[("docs/ref/templates/builtins.txt", "Write {{ if }} so::\n\n    {{ block.super }} {{ block }}\n")],
    &[("src/Program.template.cs", "namespace %name.PascalCased%\n{\n}\n")],
    &[("pkg/_threads/__init__.py", "from ._ithreads import Worker\n\nWorker()\n")],
    &[
        ("pyproject.toml", "[project]\ndependencies = [\"markdown-it-py\"]\n"),
        ("requirements.txt", "markdown-it-py==3\n"),
        ("src/a/b.py", "import markdown_it\n\nmarkdown_it.MarkdownIt()\n"),
    ],
    &[(
        "template.yaml",
        "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Mine:\n    Type: A::B::C::MODULE\nOutputs:\n  A:\n    Value: !Ref MineBucket\n",
    )],
    &[("main.tf", "variable \"x\" {}\n\nlocals {\n  a = var.m\n  b = { (var.k) = 1 }\n}\n")],
    &[(
        "tests/test_app.py",
        "app = FastAPI()\napi = APIRouter()\napp.include_router(api, prefix=\"/app\")\nclient = TestClient(app)\n\n\n@app.get(\"/api/\")\ndef f():\n    return client.get(\"/app/\")\n\n\nfrom fastapi import APIRouter, FastAPI\nfrom fastapi.testclient import TestClient\n",
    )],
    &[(
        "app/new.py",
        "from contextlib import suppress\n\nwith suppress(ImportError):\n    from .fast import go\nmatch 1:\n    case int() as n if n: print(t\"{n}\", f\"{n!r:>{10}}\")\ntry: ...\nexcept ValueError, TypeError: ...\n\n\nclass Box[T: int = int]:\n    def get[U](self, other: U, *more: *tuple[T, ...]) -> U: return other\n",
    )],
];

#[test]
fn finds_no_error_in_what_real_files_have() {
    let files =
        |set: &[(&str, &str)]| set.iter().map(|(path, text)| super::file(path, text)).collect::<Vec<_>>();
    let alarms: Vec<_> = REAL.iter().flat_map(|set| errors(&files(set))).collect();
    assert!(alarms.is_empty(), "{alarms:#?}");
}

/// The closed fenced blocks at the left margin of an answer.
fn blocks(text: &str) -> Vec<CodeFile> {
    let mut found = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        open = match (open, line.strip_prefix("```")) {
            (None, Some(info)) => Some((info.trim().to_owned(), String::new())),
            (Some((info, content)), Some("")) => {
                let language = Language::known(&info).unwrap_or_else(Language::text);
                found.push(block(language.as_str(), &content));
                None
            }
            (Some((info, content)), _) => Some((info, content + line + "\n")),
            (None, None) => None,
        };
    }
    found
}

fn is_validated(file: &CodeFile) -> bool {
    let languages = "python javascript typescript tsx go java rust c bash html css terraform json yaml toml csharp cpp php ruby sql";
    languages.split(' ').any(|language| language == file.language.as_str())
}

/// The recorded answers, by id.
fn recorded() -> Vec<(String, String)> {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap().to_owned();
    let records = corpus::records("answers.jsonl");
    let mut answers: Vec<_> =
        records.iter().map(|record| (text(record, "id"), text(record, "text"))).collect();
    answers.sort();
    answers
}

/// Chosen by rule: the first ten by id with at least two blocks in a language that is validated.
#[test]
fn finds_no_error_in_ten_recorded_answers_with_several_files() {
    let answers = recorded().into_iter().map(|(id, text)| (id, blocks(&text)));
    let several: Vec<(String, Vec<CodeFile>)> = answers
        .filter(|(_, files)| files.iter().filter(|file| is_validated(file)).count() >= 2)
        .take(10)
        .collect();
    let alarms: Vec<String> = several
        .iter()
        .flat_map(|(id, files)| errors(files).into_iter().map(move |d| format!("{id} {d}")))
        .collect();
    println!("{} recorded answers with several files ran, {} errors", several.len(), alarms.len());
    assert!(!several.is_empty());
    assert!(alarms.is_empty(), "{alarms:#?}");
}

/// Recorded answers with a fault or a sketch in them, by the last part of the id: a class that nothing imports,
/// `def f(self, ...)`, the middle of an object, an `except` without its block, JavaScript called JSON.
const FAULTY: [&str; 6] =
    ["answer-0047", "history-0029", "history-0082", "history-0116", "crlf-0238", "fixture-0048"];

#[test]
fn finds_an_error_in_no_recorded_answer_but_those_that_have_one() {
    let (mut count, mut files, mut alarms) = (0, 0, Vec::new());
    for (id, text) in recorded() {
        let answer = read_answer(&text);
        (count, files) = (count + 1, files + answer.files.len());
        if !FAULTY.iter().any(|end| id.ends_with(end)) {
            alarms.extend(errors(&answer.files).into_iter().map(|d| format!("{id} {d}")));
        }
    }
    println!(
        "{count} recorded answers with {files} files ran, {} errors beside {} known",
        alarms.len(),
        FAULTY.len()
    );
    assert!(alarms.is_empty(), "{alarms:#?}");
}
