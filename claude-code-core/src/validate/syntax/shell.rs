//! Shell scripts: a quote that is never closed, words without their end. The grammar reports an error somewhere; these are
//! certain.

/// The place of the first quote that is open at the end of a script.
pub fn open_quote(text: &str) -> Option<usize> {
    let mut scan = Scan { text, at: 0, open: Vec::new(), heredocs: Vec::new() };
    while scan.at < text.len() {
        scan.step();
    }
    scan.open.iter().find(|(mark, _)| *mark != '(').map(|(_, at)| *at)
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// What is open, `"`, `'` or `(`, with its place.
    open: Vec<(char, usize)>,
    /// The ends of here-documents that begin with the next line.
    heredocs: Vec<&'t str>,
}

impl<'t> Scan<'t> {
    fn step(&mut self) {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else { return };
        let start = self.at;
        self.at += c.len_utf8();
        let inside = self.open.last().map_or(' ', |(mark, _)| *mark);
        match (inside, c) {
            ('\'', '\'') => drop(self.open.pop()),
            ('\'', _) => {}
            (_, '\\') => self.at += rest[1..].chars().next().map_or(0, char::len_utf8),
            ('"', '"') => drop(self.open.pop()),
            (_, '(') if inside != '"' || self.text[..start].ends_with('$') => self.open.push((c, start)),
            ('(', ')') => drop(self.open.pop()),
            ('"', _) => {}
            (_, '"' | '\'') => self.open.push((c, start)),
            (_, '#') if self.text[..start].ends_with([' ', '\t', '\n', ';', '(']) || start == 0 => {
                self.at = start + rest.find('\n').unwrap_or(rest.len());
            }
            (_, '<') if rest.starts_with("<<<") => self.at = start + 3,
            (_, '<') if rest.starts_with("<<") => self.heredoc(start + 2),
            (_, '\n') => self.skip_heredocs(),
            _ => {}
        }
    }

    fn heredoc(&mut self, from: usize) {
        let word = self.text[from..].trim_start_matches('-').trim_start_matches([' ', '\t']);
        let word = word.trim_start_matches(['"', '\'', '\\']);
        let length = word.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(word.len());
        if length > 0 && !word.starts_with(|c: char| c.is_ascii_digit()) {
            self.heredocs.push(&word[..length]);
            let end = word.as_ptr().addr() - self.text.as_ptr().addr() + length;
            self.at = end + usize::from(self.text[end..].starts_with(['"', '\'']));
        } else {
            self.at = from;
        }
    }

    fn skip_heredocs(&mut self) {
        for end in std::mem::take(&mut self.heredocs) {
            while self.at < self.text.len() {
                let line = self.text[self.at..].split_inclusive('\n').next().unwrap_or_default();
                self.at += line.len();
                if line.trim() == end {
                    break;
                }
            }
        }
    }
}

/// Words that begin a block where a command may stand, with the word that ends it.
const BLOCKS: [(&str, &str); 3] = [("if", "fi"), ("case", "esac"), ("do", "done")];

/// Words after which a command may stand.
const BEFORE_COMMAND: [&str; 8] = ["then", "do", "else", "elif", "if", "while", "until", "!"];

/// The place of a word that has no end, or that ends nothing.
pub fn unended(text: &str) -> Option<(usize, &'static str)> {
    let mut scan = Scan { text, at: 0, open: Vec::new(), heredocs: Vec::new() };
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut may_begin = true;
    while scan.at < text.len() {
        let start = scan.at;
        let is_quoted = scan.open.iter().any(|(mark, _)| *mark != '(');
        scan.step();
        let step = &text[start..scan.at];
        if is_quoted || step.trim().is_empty() && !step.contains('\n') {
            continue;
        }
        if !step.starts_with(|c: char| c.is_ascii_alphanumeric() || "_-$/.=!".contains(c)) {
            // The brackets of `${a}` are no words.
            let is_word = match step.chars().next() {
                Some('{') => !text[..start].ends_with('$'),
                Some('}') => text[..start].ends_with([' ', '\t', '\n', ';']),
                _ => false,
            };
            may_begin = is_word || step.starts_with(['\n', ';', '&', '|', '(', ')']);
            continue;
        }
        let length = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || "_-$/.=!".contains(c)));
        let word = &text[start..length.map_or(text.len(), |length| start + length)];
        scan.at = scan.at.max(start + word.len());
        if may_begin && BLOCKS.iter().any(|(begin, _)| *begin == word) {
            open.push((start, word));
        } else if may_begin && BLOCKS.iter().any(|(_, end)| *end == word) {
            let Some((at, begun)) = open.pop() else {
                return Some((start, "this ends nothing that was begun"));
            };
            if !BLOCKS.contains(&(begun, word)) {
                return Some((at, "what begins here is never ended"));
            }
        }
        may_begin = may_begin && BEFORE_COMMAND.contains(&word);
    }
    open.last().map(|(at, _)| (*at, "what begins here is never ended"))
}
