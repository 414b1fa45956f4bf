//! Leaked marks: what belongs to the form of an answer and stands at the beginning or end of a file. Such a file is not what
//! the model meant, however whole it looks.

/// Lines of edits and patches.
const WHOLE: [&str; 9] = [
    "*** Begin Patch",
    "*** End Patch",
    "<<<<<<< SEARCH",
    ">>>>>>> REPLACE",
    "------- SEARCH",
    "+++++++ REPLACE",
    "]]>",
    "<apply_diff>",
    "<replace_in_file>",
];
/// How lines of tools begin.
const BEGINNINGS: [&str; 8] = [
    "<![CDATA[",
    "<write_to_file",
    "</write_to_file",
    "<boltAction",
    "</boltAction",
    "<edit_file",
    "<file path=",
    "<file_path>",
];
/// Tags that may as well be the file's own in markup.
const TAGS: [&str; 12] = [
    "search",
    "replace",
    "old_str",
    "new_str",
    "old_string",
    "new_string",
    "content",
    "contents",
    "path",
    "file",
    "edit",
    "code",
];
const MARKUP: [&str; 9] = ["html", "xml", "tsx", "javascript", "markdown", "vue", "svelte", "xhtml", "php"];

/// The line, from 1, of the first mark; none if the given text begins or ends so, too.
pub(super) fn find(language: &str, content: &str, given: Option<&str>) -> Option<usize> {
    let ends = |text: &str| {
        let said =
            |(at, line): (usize, &str)| (!line.trim().is_empty()).then(|| (at + 1, line.trim().to_owned()));
        let mut lines = text.lines().enumerate().filter_map(said);
        let first = lines.next();
        [first, lines.last()]
    };
    if is_numbered(content) && !given.is_some_and(is_numbered) {
        return Some(1);
    }
    let known = given.map(ends).unwrap_or_default();
    let is_known = |line: &str| known.iter().flatten().any(|(_, known)| known == line);
    let mut found = ends(content).into_iter().flatten();
    found.find(|(_, line)| is_mark(line, language) && !is_known(line)).map(|(at, _)| at)
}

/// Whether every line begins with its number, as a file is shown to a model.
fn is_numbered(text: &str) -> bool {
    let number = |line: &str| -> Option<usize> {
        let line = line.trim_start();
        let length = line.bytes().take_while(u8::is_ascii_digit).count();
        let is_apart = line[length..].starts_with(['|', '\t', '→']) || line[length..].starts_with(": ");
        is_apart.then(|| line[..length].parse().ok()).flatten()
    };
    let mut lines = text.lines().map(number);
    let Some(Some(first)) = lines.next() else { return false };
    let mut count = 1;
    let is_next = lines.all(|number| {
        count += 1;
        number == Some(first + count - 1)
    });
    is_next && count > 2
}

fn is_mark(line: &str, language: &str) -> bool {
    let is_tag = |tag: &&str| {
        line.strip_prefix("</").or_else(|| line.strip_prefix('<')).is_some_and(|rest| {
            let rest = rest.strip_prefix(*tag).unwrap_or_default();
            rest.starts_with('>') && !rest[1..].contains('<') || rest.ends_with(&format!("</{tag}>"))
        })
    };
    let is_sentinel =
        (line.starts_with("=== file ") || line.starts_with("=== end ")) && line.ends_with(" ===");
    let is_heredoc = line.starts_with("cat >") && line.contains("<<") && !matches!(language, "bash" | "text");
    WHOLE.contains(&line)
        || BEGINNINGS.iter().any(|begin| line.starts_with(begin))
        || is_sentinel
        || is_heredoc
        || (!MARKUP.contains(&language) && TAGS.iter().any(is_tag))
}
