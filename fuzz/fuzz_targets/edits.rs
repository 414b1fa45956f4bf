//! An edit either fits in one place or fails; what it does not name stays as it was.
#![no_main]

use std::collections::BTreeMap;

use claude_code_core::edit::{Edit, apply, diff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.splitn(3, '\u{0}');
    let (file, search, replace) =
        (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let files =
        BTreeMap::from([("a.py".to_owned(), file.to_owned()), ("b.py".to_owned(), "kept\n".to_owned())]);
    let edit =
        Edit { path: Some("a.py".into()), search: search.into(), replace: replace.into(), ..Edit::default() };
    if let Ok(changed) = apply(&files, &[edit]) {
        for change in changed {
            assert_eq!(change.path, "a.py");
            assert_eq!(change.before, file);
            let _ = diff(&change.path, &change.before, &change.after);
        }
    }
});
