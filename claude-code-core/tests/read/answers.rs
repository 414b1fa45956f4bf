//! All recorded answers against CommonMark's blocks, and against what they really hold.

use claude_code_core::answer::file::sha256_hex;
use claude_code_core::read::{Answer, read_answer};
use serde_json::Value;

use super::corpus;
use super::merge;

const FILE: &str = "answers.jsonl";

fn text(record: &Value) -> &str {
    record["text"].as_str().unwrap()
}

fn blocks(record: &Value) -> Vec<&Value> {
    let blocks = record["expected_commonmark"]["commonmark_blocks"].as_array().unwrap();
    blocks.iter().filter(|b| b.get("indented").is_none()).collect()
}

/// Whether an edit begins outside every block: the fences within it are the file's own text.
fn edits_outside(record: &Value) -> bool {
    let blocks = blocks(record);
    let line = |b: &Value, key: &str| b[key].as_u64().unwrap();
    (1..)
        .zip(text(record).lines())
        .filter(|(_, content)| content.starts_with("<<<<<<<"))
        .any(|(at, _)| !blocks.iter().any(|b| (line(b, "first_line")..=line(b, "end_line")).contains(&at)))
}

/// Where CommonMark's reading is the right one: no Markdown in fences, every block closed, no sentinel, no edit
/// outside a block.
fn is_plain(record: &Value) -> bool {
    let word = |b: &Value| b["info"].as_str().unwrap().split_whitespace().next().unwrap_or("").to_lowercase();
    blocks(record).iter().all(|b| b["closed"] == true && !["md", "markdown"].contains(&word(b).as_str()))
        && !text(record).contains("=== file ")
        && !edits_outside(record)
}

fn differs(answer: &Answer, record: &Value) -> Option<String> {
    let expected = blocks(record);
    if answer.fences.len() != expected.len() {
        return Some(format!("{} fences, expected {}", answer.fences.len(), expected.len()));
    }
    for (fence, block) in answer.fences.iter().zip(expected) {
        if fence.info != block["info"].as_str().unwrap() || !fence.closed {
            return Some(format!("fence {fence:?}, expected {block}"));
        }
        let sha = block["content_sha256"].as_str().unwrap();
        match fence.file.map(|at| &answer.files[at]) {
            Some(file) if file.complete || file.content.contains("<<<<<<<") => {
                let unified = file.content.replace("\r\n", "\n");
                if sha256_hex(unified.as_bytes()) != sha {
                    return Some(format!("content of {} bytes, expected {block}", unified.len()));
                }
            }
            Some(_) => return Some("a closed block is not complete".to_owned()),
            // Edits, or a file that a later one replaced: nothing else may be missing.
            None if answer.edits.is_empty() => return Some(format!("lost {block}")),
            None => {}
        }
    }
    None
}

#[test]
fn reads_the_same_fences_as_commonmark_where_every_block_is_closed() {
    let records = corpus::records(FILE);
    let plain: Vec<_> = records.iter().filter(|r| is_plain(r)).collect();
    corpus::print_count(FILE, plain.len(), records.len());
    let wrong: Vec<_> = plain
        .iter()
        .filter_map(|r| differs(&read_answer(text(r)), r).map(|why| format!("{}: {why}", r["id"])))
        .collect();
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// The records with named files, by the end of their id. All others have none.
const NAMED: &[(&str, &[&str])] = &[
    ("own-two-files", &["src/lib.rs", "src/a.rs"]),
    ("own-crlf", &["src/lib.rs", "src/a.rs"]),
    ("MetaGPT-cached-answer-0005", &["main.py", "game.py"]),
    ("MetaGPT-cached-answer-0044", &["smart_search_engine/main.py"]),
    ("MetaGPT-cached-answer-0047", &["smart_search_engine/security.py"]),
    ("MetaGPT-cached-answer-0052", &["game.py"]),
    ("MetaGPT-cached-answer-0074", &["game.py"]),
    ("MetaGPT-cached-answer-0088", &["main.py"]),
    ("MetaGPT-cached-answer-0102", &["smart_search_engine/testing.py"]),
    ("MetaGPT-cached-answer-0103", &["smart_search_engine/monitoring.py"]),
    ("MetaGPT-cached-answer-0129", &["game.py", "main.py"]),
    ("ai-wire-text-0002", &["main.go"]),
    ("aider-aider-history-0094", &["HISTORY.md"]),
    ("aider-aider-history-0100", &["HISTORY.md"]),
    ("aider-aider-history-0106", &["HISTORY.md"]),
    ("aider-aider-history-0108", &["HISTORY.md"]),
    ("aider-aider-history-0109", &["HISTORY.md"]),
    ("aider-parser-fixture-0222", &["a.txt", "b.txt"]),
    ("aider-parser-fixture-0223", &["a.txt", "b.txt"]),
    ("gptme-parser-fixture-0061", &["f.md"]),
    ("replica-unsafe-paths", &["../../etc/cron.d/x", "/tmp/abs.py", "C:\\\\Users\\\\x.py", "~/.bashrc"]),
];

#[test]
fn loses_and_invents_no_named_file() {
    let records = corpus::records(FILE);
    for record in &records {
        let id = record["id"].as_str().unwrap();
        let names = NAMED.iter().find(|(name, _)| *name == id).map_or(&[][..], |(_, names)| names);
        let expected: Vec<_> =
            names.iter().map(|n| (*n, claude_code_core::answer::file::refusal(n).is_none())).collect();
        let answer = read_answer(text(record));
        let found: Vec<_> =
            answer.files.iter().filter(|f| f.path.is_some() || f.rejected.is_some()).collect();
        assert_eq!(found.len(), expected.len(), "{id}");
        for (file, (name, accepted)) in found.iter().zip(expected) {
            assert_eq!(file.path.as_deref(), accepted.then_some(name), "{id}");
        }
    }
    corpus::print_count(FILE, records.len(), records.len());
}

/// Where CommonMark's reading is not the right one: the number of files, and of edits, that a person finds.
const OTHERS: &[(&str, usize, usize)] = &[
    ("MetaGPT-cached-answer-0029", 1, 0),
    ("MetaGPT-cached-answer-0030", 1, 0),
    ("aider-aider-history-0003", 1, 2),
    ("aider-aider-history-0004", 1, 0),
    ("aider-aider-history-0006", 1, 1),
    ("aider-aider-history-0023", 1, 1),
    ("aider-aider-history-0051", 0, 1),
    ("aider-aider-history-0064", 1, 0),
    ("aider-aider-history-0079", 0, 1),
    ("aider-aider-history-0082", 2, 0),
    ("aider-aider-history-0085", 1, 0),
    ("aider-aider-history-0092", 0, 2),
    ("aider-aider-history-0094", 1, 0),
    ("aider-aider-history-0100", 1, 0),
    ("aider-aider-history-0101", 1, 0),
    ("aider-aider-history-0102", 0, 0),
    ("aider-aider-history-0103", 1, 3),
    ("aider-aider-history-0106", 1, 0),
    ("aider-aider-history-0108", 1, 0),
    ("aider-aider-history-0109", 1, 0),
    ("aider-aider-history-0116", 2, 0),
    ("aider-aider-history-0119", 2, 0),
    ("aider-aider-history-0120", 0, 1),
    ("aider-aider-history-0123", 1, 4),
    ("aider-aider-history-0135", 1, 0),
    ("aider-aider-history-0139", 4, 1),
    ("aider-aider-history-0141", 0, 1),
    ("aider-aider-history-0143", 0, 1),
    ("aider-aider-history-0144", 0, 2),
    ("aider-aider-history-0154", 0, 1),
    ("aider-aider-history-0155", 0, 1),
    ("aider-derived-crlf-0238", 2, 0),
    ("aider-derived-crlf-0239", 0, 2),
    ("aider-derived-crlf-0240", 1, 4),
    ("aider-derived-cut-0247", 1, 1),
    ("aider-derived-cut-0248", 1, 4),
    ("aider-derived-cut-0251", 2, 0),
    ("aider-parser-fixture-0208", 0, 1),
    ("aider-parser-fixture-0209", 0, 4),
    ("aider-parser-fixture-0217", 0, 1),
    ("gptme-assistant-answer-0064", 0, 1),
    ("gptme-parser-fixture-0003", 1, 0),
    ("gptme-parser-fixture-0004", 1, 0),
    ("gptme-parser-fixture-0007", 1, 0),
    ("gptme-parser-fixture-0038", 0, 2),
    ("gptme-parser-fixture-0048", 0, 1),
    ("gptme-parser-fixture-0050", 0, 1),
    ("gptme-parser-fixture-0053", 0, 2),
    ("gptme-parser-fixture-0057", 0, 1),
];

#[test]
fn finds_what_a_person_finds_where_commonmark_errs() {
    let records = corpus::records(FILE);
    let others: Vec<_> = records.iter().filter(|r| !is_plain(r)).collect();
    let found: Vec<_> = others
        .iter()
        .map(|record| {
            let answer = read_answer(text(record));
            (record["id"].as_str().unwrap(), answer.files.len(), answer.edits.len())
        })
        .collect();
    let wrong: Vec<_> = found.iter().filter(|one| !OTHERS.contains(one)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    corpus::print_count(FILE, others.len(), records.len());
}

#[test]
fn tells_in_pieces_what_the_answer_holds_for_every_record() {
    for record in corpus::records(FILE) {
        let (pieces, answer) = merge::read([text(&record)], None);
        merge::check_previews(&pieces, &answer);
    }
}
