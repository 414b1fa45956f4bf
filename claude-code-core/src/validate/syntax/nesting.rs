//! Bounds recursion: how deep a recursive-descent parser can go on a text, and a stack that is large enough for it.

/// Stacks larger than this are not reserved: such a text is left to the grammars, which do not recurse.
const MAX_STACK: usize = 64 << 20;

/// Every parser's own need, whatever the text.
const BASE_STACK: usize = 512 << 10;

/// Unoptimised code has frames about ten times as large.
const SCALE: usize = if cfg!(debug_assertions) { 10 } else { 1 };

/// A level of brackets passes through every rule of a grammar, so it needs as much of the stack as so many operators.
const BRACKET: usize = 10;

/// Angle brackets left open beyond which parsers that try a text as types, and then as comparisons, take too long.
const MAX_ANGLES: usize = 100;

/// What ends a chain of operators besides a comma, a semicolon and a bracket.
#[derive(Clone, Copy, PartialEq)]
pub enum Ends {
    /// The end of a line, unless it or the next line is open: Python, JavaScript, HCL.
    Line,
    /// Nothing else: Rust, PHP, SQL.
    Mark,
}

/// What a parser needs of the stack.
#[derive(Clone, Copy)]
pub struct Need {
    pub ends: Ends,
    /// Bytes for each level of nesting, in optimised code.
    pub frame: usize,
}

/// Runs a parser on a stack that is large enough for any nesting that the text can have. None: it would have to be
/// larger than allowed, which only texts made for it need.
pub fn within<T>(text: &str, need: Need, parse: impl FnOnce() -> T) -> Option<T> {
    let size = BASE_STACK.checked_add(bound(text, need.ends).checked_mul(need.frame)?)?.checked_mul(SCALE)?;
    (size <= MAX_STACK * SCALE).then(|| stacker::maybe_grow(size, size, parse))
}

/// Words after which an expression or a statement goes on in the next line, or that go on with the line before.
const OPEN_WORDS: [&str; 24] = [
    "not",
    "await",
    "typeof",
    "void",
    "delete",
    "new",
    "yield",
    "return",
    "throw",
    "else",
    "do",
    "lambda",
    "keyof",
    "infer",
    "async",
    "in",
    "instanceof",
    "as",
    "satisfies",
    "extends",
    "and",
    "or",
    "is",
    "case",
];

/// The most tokens that can wait for each other at one place: those since the last separator of every open bracket.
/// Strings and comments count too: it only has to bound.
pub fn bound(text: &str, ends: Ends) -> usize {
    let mut count = Count::default();
    let mut is_word = false;
    let mut word_start = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().copied().enumerate() {
        let in_word = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        if in_word && !is_word {
            word_start = at;
            count.token();
        }
        if !in_word {
            match byte {
                b'(' | b'[' | b'{' => count.open(),
                b')' | b']' => count.close(),
                b'}' => {
                    count.close();
                    if !goes_on(&text[at + 1..]) {
                        count.separate();
                    }
                }
                b',' | b';' => count.separate(),
                b'\n' if ends == Ends::Line => {
                    let last = text.get(word_start..at).unwrap_or("").trim_end();
                    let is_open = ends_open(&text[..at]) || OPEN_WORDS.contains(&last);
                    if !is_open && !goes_on(&text[at + 1..]) {
                        count.separate();
                    }
                }
                _ if byte.is_ascii_punctuation() => count.token(),
                _ => {}
            }
        }
        is_word = in_word;
    }
    count.most
}

#[derive(Default)]
struct Count {
    /// Tokens that wait in each open bracket, the innermost last.
    outer: Vec<usize>,
    /// Their sum.
    sum: usize,
    here: usize,
    most: usize,
}

impl Count {
    fn token(&mut self) {
        self.here += 1;
        self.most = self.most.max(self.sum + self.here);
    }

    fn open(&mut self) {
        self.here += BRACKET;
        self.most = self.most.max(self.sum + self.here);
        self.sum += self.here;
        self.outer.push(self.here);
        self.here = 0;
    }

    fn close(&mut self) {
        if let Some(before) = self.outer.pop() {
            self.sum -= before;
            self.here = before;
        }
    }

    fn separate(&mut self) {
        self.here = 0;
    }
}

/// Whether more angle brackets are left open in one statement than people write.
pub fn has_open_angles(text: &str) -> bool {
    let mut open = 0_usize;
    let mut before = b' ';
    for byte in text.bytes() {
        match byte {
            b'<' => open += 1,
            b'>' if before != b'=' => open = open.saturating_sub(1),
            b';' | b'{' | b'}' => open = 0,
            _ => {}
        }
        if open > MAX_ANGLES {
            return true;
        }
        before = byte;
    }
    false
}

/// Whether a text ends with an operator.
fn ends_open(text: &str) -> bool {
    let last = text.bytes().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    last.is_some_and(|byte| b"+-*/%&|^?:=<>!~@\\.".contains(&byte))
}

/// Whether a text begins with what goes on with the line before.
fn goes_on(text: &str) -> bool {
    let next = text.trim_start();
    let end = next.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(next.len());
    let is_comment = next.starts_with("//") || next.starts_with("/*") || next.starts_with("* ");
    let is_operator = next.bytes().next().is_some_and(|byte| b"+-*/%&|^?:=<>!~.".contains(&byte));
    !is_comment && is_operator || OPEN_WORDS.contains(&&next[..end])
}
