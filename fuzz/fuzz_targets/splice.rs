//! A continuation joins what was received on a character boundary, whatever a model writes.
#![no_main]

use claude_code_core::Language;
use claude_code_core::testing::{Anchor, Splice};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let Some((received, rest)) = text.split_once('\u{0}') else { return };
    let Some(anchor) = Anchor::of(received) else { return };
    let _ = anchor.request(&["a.py"]);
    let mut splice = Splice::new(
        anchor,
        (rest.len() % 2 == 0).then(Language::text),
        (rest.len() % 3 == 0).then(|| "a.py".to_owned()),
    );
    let mut joined = Vec::new();
    let mut left = rest;
    while !left.is_empty() {
        let (chunk, after) = left.split_at(left.ceil_char_boundary(7));
        joined.extend(splice.feed(chunk));
        left = after;
    }
    joined.extend(splice.finish());
    for join in joined {
        assert!(join.keep == usize::MAX || received.is_char_boundary(join.keep));
    }
});
