//! The recorded corpus: where it is, and how many of its records a test ran.

use std::path::PathBuf;

use serde_json::Value;

/// The records of one file of the corpus, or none, which is printed with the reason.
pub fn records(file: &str) -> Vec<Value> {
    let root = std::env::var_os("CLAUDE_CODE_AWS_CORPUS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus")),
        PathBuf::from,
    );
    let path = root.join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
        Err(error) => {
            println!("corpus {file}: 0 records ran ({error}; set CLAUDE_CODE_AWS_CORPUS)");
            Vec::new()
        }
    }
}

/// Prints how many records of a file ran through a test.
pub fn print_count(file: &str, ran: usize, of: usize) {
    println!("corpus {file}: {ran} of {of} records ran");
}
