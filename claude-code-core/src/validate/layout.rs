//! Python's rules on lines, which its grammar is too lenient about: indentation, and statements out of place.

use tree_sitter::Node;

use super::source::Source;
use super::tree;
use crate::answer::diagnostic::Diagnostic;

/// Faults of indentation (the first one) and statements out of place.
pub fn check(source: &Source, root: Node<'_>) -> Vec<Diagnostic> {
    let lines = logical_lines(&source.text);
    if let Some(fault) = indentation(source, &lines) {
        return vec![fault];
    }
    let mut found = if root.has_error() { Vec::new() } else { out_of_place(source, root) };
    found.extend(uneven(source, &lines));
    found
}

/// A line of code with its continuations: where it begins, its indentation, and whether a block must follow.
struct Line {
    start: usize,
    indent: String,
    opens: bool,
}

/// What of the text is scanned: brackets deep, inside a string, the last character of code.
#[derive(Default)]
struct Scan {
    depth: usize,
    quote: Option<(char, bool)>,
    last: char,
    joined: bool,
}

fn logical_lines(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut scan = Scan::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_start_matches([' ', '\t', '\u{c}']);
        let is_code = !body.trim().is_empty() && !body.starts_with('#');
        let begins = scan.depth == 0 && scan.quote.is_none() && !scan.joined;
        if begins && is_code {
            let indent = line[..line.len() - body.len()].to_owned();
            lines.push(Line { start: start + indent.len(), indent, opens: false });
            scan.last = ' ';
        }
        scan.line(line);
        if let Some(last) = lines.last_mut() {
            last.opens = scan.last == ':' && scan.depth == 0 && scan.quote.is_none();
        }
        start += line.len();
    }
    lines
}

impl Scan {
    /// Reads one physical line.
    fn line(&mut self, line: &str) {
        self.joined = false;
        let mut rest = line.trim_end_matches(['\n', '\r']);
        while let Some(c) = rest.chars().next() {
            rest = match self.quote {
                Some(quote) => self.in_string(rest, quote),
                None if c == '#' => "",
                None => self.in_code(rest, c),
            };
        }
        // A simple string ends with its line unless a backslash joins the next one.
        if let Some((_, false)) = self.quote {
            self.quote = self.quote.filter(|_| line.trim_end_matches(['\n', '\r']).ends_with('\\'));
        }
    }

    fn in_string<'t>(&mut self, rest: &'t str, (mark, triple): (char, bool)) -> &'t str {
        if let Some(escaped) = rest.strip_prefix('\\') {
            let mut chars = escaped.chars();
            chars.next();
            return chars.as_str();
        }
        let end: String = std::iter::repeat_n(mark, if triple { 3 } else { 1 }).collect();
        if let Some(after) = rest.strip_prefix(&end) {
            self.quote = None;
            self.last = mark;
            return after;
        }
        let mut chars = rest.chars();
        chars.next();
        chars.as_str()
    }

    fn in_code<'t>(&mut self, rest: &'t str, c: char) -> &'t str {
        match c {
            '"' | '\'' => {
                let triple = rest.starts_with("\"\"\"") || rest.starts_with("'''");
                self.quote = Some((c, triple));
                return &rest[if triple { 3 } else { 1 }..];
            }
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            '\\' if rest.len() == 1 => self.joined = true,
            _ => {}
        }
        if !c.is_whitespace() {
            self.last = c;
        }
        &rest[c.len_utf8()..]
    }
}

fn indentation(source: &Source, lines: &[Line]) -> Option<Diagnostic> {
    let mut levels = vec![String::new()];
    let mut opened = false;
    for line in lines {
        let level = levels.last().cloned().unwrap_or_default();
        let deeper = line.indent.len() > level.len() && line.indent.starts_with(&level);
        if opened && !deeper {
            return Some(source.error(line.start, "an indented block is missing before this line"));
        }
        if deeper && !opened {
            return Some(
                source.error(line.start, "unexpected indentation: no block begins before this line"),
            );
        }
        if deeper {
            levels.push(line.indent.clone());
        } else {
            while levels.last().is_some_and(|level| level.len() > line.indent.len()) {
                levels.pop();
            }
            if levels.last() != Some(&line.indent) {
                return Some(source.error(line.start, "this line's indentation matches no block around it"));
            }
        }
        opened = line.opens;
    }
    let end = source.text.trim_end().len();
    opened.then(|| source.error(end, "an indented block is missing after this line"))
}

/// The first block that is indented by another width than the first block of the file. Python takes it; a person
/// would not have written it.
fn uneven(source: &Source, lines: &[Line]) -> Option<Diagnostic> {
    let blocks = lines.windows(2).filter(|pair| pair[0].opens && pair[1].indent.len() > pair[0].indent.len());
    let mut widths = blocks.map(|pair| (pair[1].indent.len() - pair[0].indent.len(), pair[1].start));
    let (usual, _) = widths.next()?;
    let (width, start) = widths.find(|(width, _)| *width != usual)?;
    Some(source.warning(start, format!("this block is indented by {width}, the first one by {usual}")))
}

fn out_of_place(source: &Source, root: Node<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    tree::walk(root, |visit| {
        let node = visit.node;
        let scope = visit.enclosing(&["function_definition", "class_definition", "lambda"]).map(|n| n.kind());
        let in_function = matches!(scope, Some("function_definition" | "lambda"));
        // Notebooks await at the top; an unnamed block may be from one.
        let message = match node.kind() {
            "return_statement" if !in_function => "`return` outside a function",
            "yield" if node.is_named() && !in_function => "`yield` outside a function",
            "break_statement" | "continue_statement" if !in_loop(visit) => {
                "`break` or `continue` outside a loop"
            }
            "print_statement" => "`print` is a function in Python 3 and needs brackets",
            "exec_statement" => "`exec` is a function in Python 3 and needs brackets",
            _ => return,
        };
        found.push(source.error(node.start_byte(), message));
    });
    found
}

fn in_loop(visit: &tree::Visit<'_, '_>) -> bool {
    let kinds = ["for_statement", "while_statement", "function_definition", "class_definition"];
    visit.enclosing(&kinds).is_some_and(|node| matches!(node.kind(), "for_statement" | "while_statement"))
}
