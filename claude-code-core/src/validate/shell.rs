//! A quote of a shell script that is never closed. The grammar reports an error somewhere; this is certain.

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
