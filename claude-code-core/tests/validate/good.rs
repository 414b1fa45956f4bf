//! No false alarms: good projects of our own, and recorded answers.

use claude_code_core::{CodeFile, Language};
use serde_json::Value;

use super::{block, errors, project, service};

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

/// Chosen by rule: the first ten by id with at least two blocks in a language that is validated.
#[test]
fn finds_no_error_in_ten_recorded_answers_with_several_files() {
    let root = std::env::var("CLAUDE_CODE_AWS_CORPUS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus").to_owned());
    let Ok(lines) = std::fs::read_to_string(format!("{root}/answers.jsonl")) else {
        println!("0 recorded answers: {root}/answers.jsonl is not there; skipped");
        return;
    };
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut answers: Vec<(String, Vec<CodeFile>)> = records
        .map(|record| (record["id"].as_str().unwrap().to_owned(), blocks(record["text"].as_str().unwrap())))
        .filter(|(_, files)| files.iter().filter(|file| is_validated(file)).count() >= 2)
        .collect();
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    let alarms: Vec<String> = answers
        .iter()
        .take(10)
        .flat_map(|(id, files)| errors(files).into_iter().map(move |d| format!("{id} {d}")))
        .collect();
    println!("{} recorded answers with several files ran, {} errors", answers.len().min(10), alarms.len());
    assert!(alarms.is_empty(), "{alarms:#?}");
}
