//! The examples of the CommonMark specification that hold fences.

use claude_code_core::read::read_answer;

use super::corpus;

const FILE: &str = "commonmark.jsonl";

/// Blocks of these examples that are code by indentation, not by a fence: (example, block).
const INDENTED: &[(u64, usize)] = &[(134, 0), (280, 1)];

/// Info strings that the specification's renderer unescapes; a reader of code keeps them (`C:\x`).
const ESCAPED: &[(u64, &str)] = &[(24, "foo\\+bar"), (34, "f&ouml;&ouml;")];

#[test]
fn reads_every_fence_of_the_specification() {
    let records = corpus::records(FILE);
    let fenced: Vec<_> = records.iter().filter(|r| r["has_fence"] == true).collect();
    corpus::print_count(FILE, fenced.len(), records.len());
    for record in fenced {
        let example = record["example"].as_u64().unwrap();
        let expected: Vec<_> = record["code_blocks"]
            .as_array()
            .unwrap()
            .iter()
            .enumerate()
            .filter(|(at, _)| !INDENTED.contains(&(example, *at)))
            .map(|(_, block)| {
                let escaped = ESCAPED.iter().find(|(e, _)| *e == example).map(|(_, info)| *info);
                let info = escaped.or(block["lang"].as_str()).unwrap_or("");
                (info.to_owned(), block["content"].as_str().unwrap().to_owned())
            })
            .collect();
        let answer = read_answer(record["markdown"].as_str().unwrap());
        let found: Vec<_> = answer
            .fences
            .iter()
            .map(|f| {
                let info = f.info.split_whitespace().next().unwrap_or("").to_owned();
                (info, f.file.map_or(String::new(), |at| answer.files[at].content.clone()))
            })
            .collect();
        assert_eq!(found, expected, "example {example}: {}", record["markdown"]);
    }
}
