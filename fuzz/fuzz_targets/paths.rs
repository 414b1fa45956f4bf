//! A path that is accepted never leaves its root, under the rules of either system.
#![no_main]

use std::path::{Component, Path};

use claude_code_core::answer::path::{fold, refusal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let path = String::from_utf8_lossy(data);
    if refusal(&path).is_some() {
        return;
    }
    assert!(Path::new(path.as_ref()).components().all(|part| matches!(part, Component::Normal(_))));
    assert!(!path.contains(['\\', ':', '\0']) && !path.starts_with(['/', '~']));
    for part in path.split('/') {
        assert!(!part.is_empty() && part != "." && part != "..");
        assert!(!part.ends_with([' ', '.']) && !part.starts_with(' '));
        assert!(!fold(part).trim().is_empty());
    }
});
