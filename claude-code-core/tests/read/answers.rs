//! All recorded answers against CommonMark's blocks, and against what they really hold.

use claude_code_core::file::sha256_hex;
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

/// Where CommonMark's reading is the right one: no Markdown in fences, every block closed, no sentinel.
fn is_plain(record: &Value) -> bool {
    let word = |b: &Value| b["info"].as_str().unwrap().split_whitespace().next().unwrap_or("").to_lowercase();
    blocks(record).iter().all(|b| b["closed"] == true && !["md", "markdown"].contains(&word(b).as_str()))
        && !text(record).contains("=== file ")
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

#[test]
fn tells_in_pieces_what_the_answer_holds_for_every_record() {
    for record in corpus::records(FILE) {
        let (pieces, answer) = merge::read([text(&record)], None);
        merge::check_previews(&pieces, &answer);
    }
}

#[test]
#[ignore = "prints what every recorded answer is read as, for a person"]
fn prints_every_record() {
    for record in corpus::records(FILE) {
        let answer = read_answer(text(&record));
        println!("## {} {} complete={}", record["id"], record["features"], answer.complete);
        for (file, index) in answer.files.iter().zip(&answer.indices) {
            let first = file.content.lines().next().unwrap_or("").chars().take(50).collect::<String>();
            let (path, language, size) = (&file.path, &file.language, file.size());
            println!(
                "   {index} {path:?} {language} {size} complete={} {:?} | {first}",
                file.complete, file.rejected
            );
        }
        for edit in &answer.edits {
            println!(
                "   edit {:?} line {} -{} +{}",
                edit.path,
                edit.line,
                edit.search.len(),
                edit.replace.len()
            );
        }
        answer.notes.iter().for_each(|note| println!("   note {note}"));
    }
}
