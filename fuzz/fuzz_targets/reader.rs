//! Any text in any chunking reads as the same files as the text at once, and what was shown is what was found.
#![no_main]

use std::collections::BTreeMap;

use claude_code_core::read::{AnswerEvent, AnswerReader, read_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let whole = read_answer(&text);
    let step = usize::from(*first % 61) + 1;
    let mut reader = AnswerReader::new(None, None);
    let mut pieces = Vec::new();
    let mut left: &str = &text;
    while !left.is_empty() {
        let (chunk, after) = left.split_at(left.ceil_char_boundary(step));
        pieces.extend(reader.feed(chunk));
        left = after;
    }
    let (last, answer) = reader.finish();
    pieces.extend(last);
    // Everything: files, text, notes, edits, fences.
    assert!(answer == whole, "the answer depends on how it was cut");
    let mut shown: BTreeMap<usize, (u32, String)> = BTreeMap::new();
    for piece in pieces {
        match piece {
            AnswerEvent::FileStarted { index, revision, .. } => {
                shown.insert(index, (revision, String::new()));
            }
            AnswerEvent::FileChunk { index, revision, text } => {
                let file = shown.get_mut(&index).expect("a chunk belongs to a file that began");
                assert_eq!(file.0, revision);
                file.1 += &text;
            }
            _ => {}
        }
    }
    for (file, index) in answer.files.iter().zip(&answer.indices) {
        assert_eq!(shown[index].1, file.content);
    }
});
