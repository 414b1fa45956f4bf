//! Patches between `*** Begin Patch` and `*** End Patch`, as some agents write them.

use super::super::answer::Edit;

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";

/// The edits of the patches in a text; none if there is no patch.
pub(super) fn edits(text: &str) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut patch: Option<Patch> = None;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        match (&mut patch, line.trim_end()) {
            (None, BEGIN) => patch = Some(Patch::default()),
            (None, _) => {}
            (Some(open), END) => {
                open.end_chunk(&mut edits);
                patch = None;
            }
            (Some(open), _) => open.line(line, at + 1, &mut edits),
        }
    }
    if let Some(mut open) = patch {
        open.end_chunk(&mut edits);
    }
    (!edits.is_empty()).then_some(edits)
}

/// A patch under way.
#[derive(Default)]
struct Patch {
    path: Option<String>,
    line: usize,
    search: String,
    replace: String,
    has_change: bool,
}

impl Patch {
    fn line(&mut self, line: &str, number: usize, edits: &mut Vec<Edit>) {
        let text = line.trim_end();
        let named = ["*** Update File: ", "*** Add File: "].iter().find_map(|head| text.strip_prefix(head));
        if let Some(path) = named {
            self.end_chunk(edits);
            self.path = Some(path.trim().to_owned());
        } else if text.starts_with("@@") || text.starts_with("*** ") {
            self.end_chunk(edits);
        } else {
            self.content(line);
        }
        if !self.has_change && self.search.is_empty() {
            self.line = number;
        }
    }

    fn content(&mut self, line: &str) {
        match line.as_bytes().first() {
            Some(b'+') => {
                self.replace.push_str(&line[1..]);
                self.has_change = true;
            }
            Some(b'-') => {
                self.search.push_str(&line[1..]);
                self.has_change = true;
            }
            first => {
                let text = if first == Some(&b' ') { &line[1..] } else { line };
                self.search.push_str(text);
                self.replace.push_str(text);
            }
        }
    }

    fn end_chunk(&mut self, edits: &mut Vec<Edit>) {
        let (search, replace) = (std::mem::take(&mut self.search), std::mem::take(&mut self.replace));
        if std::mem::take(&mut self.has_change) {
            let (path, line) = (self.path.clone(), self.line);
            edits.push(Edit { path, search, replace, line, divisions: Vec::new(), start: None });
        }
    }
}
