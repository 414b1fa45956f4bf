//! Corpus look-up: recorded answers and traffic. A small one of our own making is committed (`tests/corpus`, written by
//! its `make.py`); the large one is read from CLAUDE_CODE_AWS_CORPUS, else from beside the checkout.

use std::path::PathBuf;

use serde_json::Value;

fn read(path: PathBuf) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Path of a file of the large corpus.
fn large_path(file: &str) -> PathBuf {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus"));
    std::env::var_os("CLAUDE_CODE_AWS_CORPUS").map_or_else(beside, PathBuf::from).join(file)
}

/// Records of one file of the large corpus alone; none where it is not there, which is printed.
#[allow(dead_code)]
pub fn large(file: &str) -> Option<Vec<Value>> {
    let records = read(large_path(file));
    if records.is_none() {
        println!("corpus {file}: only our own records ran ({} is not there)", large_path(file).display());
    }
    records
}

/// Records of one file: our own, then those of the large corpus where it is there.
#[allow(dead_code)]
pub fn records(file: &str) -> Vec<Value> {
    let own =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../claude-code-core/tests/corpus")).join(file);
    let mut records = read(own).unwrap();
    assert!(!records.is_empty(), "our own {file} has records");
    records.extend(large(file).unwrap_or_default());
    records
}

/// How many records must have run: one number where the large corpus is there, another where it is not.
#[allow(dead_code)]
pub fn at_least(file: &str, with_large: usize, own: usize) -> usize {
    if large_path(file).exists() { with_large } else { own }
}

/// Prints how many records of a file ran through a test.
#[allow(dead_code)]
pub fn print_count(file: &str, ran: usize, of: usize) {
    println!("corpus {file}: {ran} of {of} records ran");
}
