//! SQL as tokens, and the tables that a schema creates.

use std::collections::HashMap;

use super::types::TYPES;
use crate::validate::hint::Hints;

/// A piece of SQL with its byte.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    /// Words in lower case, names without their quotes, other pieces as written.
    pub text: String,
    pub offset: usize,
    pub length: usize,
    /// A string or a quoted name whose end is missing.
    pub is_open: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Word,
    Quoted,
    Literal,
    Param,
    Punct,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text && matches!(self.kind, Kind::Word | Kind::Punct)
    }

    pub fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Word | Kind::Quoted)
    }
}

/// The tokens of a text; comments are left out. Total: anything else is punctuation. All dialects at once, and any text
/// in a string of code: no parser's own tokens are.
pub fn tokens(text: &str) -> Vec<Token> {
    read(text, false)
}

/// The same for dialects in which a backslash escapes a quote in every string, as in MySQL.
pub fn tokens_with_escapes(text: &str) -> Vec<Token> {
    read(text, true)
}

fn read(text: &str, escapes: bool) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (length, kind) = match c {
            // `E'…'` of PostgreSQL.
            'e' | 'E' if rest[1..].starts_with('\'') => (1 + escaped(&rest[1..], '\''), Some(Kind::Literal)),
            // `q'[…]'` of Oracle.
            'q' | 'Q' if rest[1..].starts_with('\'') => (own_quotes(rest), Some(Kind::Literal)),
            '\'' if escapes => (escaped(rest, '\''), Some(Kind::Literal)),
            // `"""…"""` of BigQuery.
            '"' if rest.starts_with("\"\"\"") => {
                (rest[3..].find("\"\"\"").map_or(rest.len(), |end| end + 6), Some(Kind::Literal))
            }
            '"' if escapes => (escaped(rest, '"'), Some(Kind::Quoted)),
            _ => piece(rest, c),
        };
        if let Some(kind) = kind {
            let raw = &rest[..length];
            let text = match kind {
                Kind::Word => raw.to_lowercase(),
                Kind::Quoted => raw.trim_matches(['"', '`', '[', ']']).to_lowercase(),
                _ => raw.to_owned(),
            };
            let is_open = is_open(raw, kind);
            tokens.push(Token { kind, text, offset: at, length, is_open });
        }
        at += length.max(c.len_utf8());
    }
    tokens
}

/// The length of a string in which a backslash escapes.
fn escaped(rest: &str, quote: char) -> usize {
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a string whose quote is a mark of its own: `q'[…]'`, `q'!…!'`.
fn own_quotes(rest: &str) -> usize {
    let Some(open) = rest[2..].chars().next() else { return rest.len() };
    let close = match open {
        '[' => ']',
        '(' => ')',
        '{' => '}',
        '<' => '>',
        other => other,
    };
    let from = 2 + open.len_utf8();
    rest[from..].find(&format!("{close}'")).map_or(rest.len(), |at| from + at + close.len_utf8() + 1)
}

/// Whether a string or a quoted name lacks its end: then it goes to the end of the text.
fn is_open(raw: &str, kind: Kind) -> bool {
    if kind == Kind::Param {
        return false;
    }
    let raw = raw.strip_prefix(['e', 'E', 'q', 'Q']).filter(|rest| rest.starts_with('\'')).unwrap_or(raw);
    let quote = raw.chars().next().unwrap_or(' ');
    if quote == '$' {
        let tag = raw[1..].find('$').map_or(raw, |end| &raw[..end + 2]);
        return raw.len() < 2 * tag.len() || !raw.ends_with(tag);
    }
    let is_quoted = matches!((kind, quote), (Kind::Literal, '\'') | (Kind::Quoted, '"' | '`'));
    is_quoted && (raw.len() < 2 || !raw.ends_with(quote))
}

/// Where the word ends that begins at a byte; dollars are none of its letters.
fn word_end(rest: &str, from: usize) -> Option<usize> {
    let end = rest[from..].find(|c: char| !(c.is_alphanumeric() || c == '_'))?;
    Some(from + end)
}

fn piece(rest: &str, c: char) -> (usize, Option<Kind>) {
    let upto = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |n| from + n + end.len());
    let word = |from: usize| {
        let end = rest[from..].find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        end.map_or(rest.len(), |n| from + n)
    };
    match c {
        _ if c.is_whitespace() => (c.len_utf8(), None),
        '-' if rest.starts_with("--") => (rest.find('\n').unwrap_or(rest.len()), None),
        '#' if rest[1..].starts_with(' ') => (rest.find('\n').unwrap_or(rest.len()), None),
        '/' if rest.starts_with("/*") => (upto("*/", 2), None),
        '\'' => (upto("'", 1), Some(Kind::Literal)),
        '"' => (upto("\"", 1), Some(Kind::Quoted)),
        '`' => (upto("`", 1), Some(Kind::Quoted)),
        '[' if rest[1..].starts_with(|c: char| c.is_alphabetic()) => (upto("]", 1), Some(Kind::Quoted)),
        '$' if rest.starts_with("$$") => (upto("$$", 2), Some(Kind::Literal)),
        '$' if rest[1..].starts_with(|c: char| c.is_alphabetic()) => {
            // `$tag$ … $tag$`; `$name` alone is a parameter.
            match word_end(rest, 1).filter(|end| rest[*end..].starts_with('$')) {
                Some(end) => (upto(&rest[..=end], end + 1), Some(Kind::Literal)),
                None => (word(1), Some(Kind::Param)),
            }
        }
        '%' if rest.starts_with("%(") => {
            // The letter of `%(name)s`; a text that ends before it has none.
            let end = upto(")", 2);
            let letter = rest[end..].starts_with(|c: char| c.is_ascii_alphabetic());
            (end + usize::from(letter), Some(Kind::Param))
        }
        '%' if rest.starts_with("%s") => (2, Some(Kind::Param)),
        '{' => (upto("}", 1), Some(Kind::Param)),
        ':' if rest.starts_with("::") => (word(2).max(2), Some(Kind::Literal)),
        ':' | '@' | '$' => (word(1), Some(Kind::Param)),
        '?' => (1, Some(Kind::Param)),
        _ if c.is_alphabetic() || c == '_' => (word(0), Some(Kind::Word)),
        _ if c.is_ascii_digit() => (word(0), Some(Kind::Literal)),
        _ => (c.len_utf8(), Some(Kind::Punct)),
    }
}

/// Statements, parted by semicolons outside of brackets and of `BEGIN … END` bodies.
pub fn statements(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        if !token.is(";") {
            continue;
        }
        let part = &tokens[start..at];
        let makes = part.first().is_some_and(|t| t.is("create"))
            && part.iter().take(5).any(|t| t.is("trigger") || t.is("function") || t.is("procedure"));
        let is_body =
            makes && part.iter().any(|t| t.is("begin")) && !part.last().is_some_and(|t| t.is("end"));
        if !is_body {
            parts.push(part);
            start = at + 1;
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// A table with its columns.
#[derive(Default)]
pub struct Table {
    pub columns: HashMap<String, usize>,
    /// A view, or altered in ways that are not followed: it may have other columns.
    pub is_open: bool,
}

/// The tables of a schema by name, in lower case.
#[derive(Default)]
pub struct Schema {
    pub tables: HashMap<String, Table>,
    pub hints: Hints,
}

impl Schema {
    /// Adds what a text of SQL creates and alters.
    pub fn read(&mut self, tokens: &[Token]) {
        for statement in statements(tokens) {
            match statement {
                [create, ..] if create.is("create") => self.create(statement),
                [alter, table, ..] if alter.is("alter") && table.is("table") => self.alter(statement),
                _ => {}
            }
        }
    }

    /// A table that is there, but was made elsewhere: its columns are not known.
    fn is_elsewhere(&mut self, name: String) {
        self.tables.entry(name).or_insert(Table { is_open: true, ..Table::default() });
    }

    fn create(&mut self, statement: &[Token]) {
        let what = statement.iter().take(6).position(|t| t.is("table") || t.is("view"));
        let Some((name, after)) = what.and_then(|at| table_name(statement, at + 1)) else { return };
        let mut table = Table {
            is_open: statement.iter().take(after).any(|t| t.is("view") || t.is("virtual")),
            ..Table::default()
        };
        let rest = &statement[after..];
        table.is_open |=
            !rest.first().is_some_and(|t| t.is("(")) || rest.iter().any(|t| t.is("inherits") || t.is("like"));
        for definition in definitions(rest) {
            if let Some(column) = column(definition) {
                table.columns.insert(column.text.clone(), column.offset);
            }
        }
        // Made twice, as for two databases: it has what one of them gives it.
        let known = self.tables.entry(name).or_default();
        known.is_open |= table.is_open;
        known.columns.extend(table.columns);
    }

    fn alter(&mut self, statement: &[Token]) {
        let Some((name, mut at)) = table_name(statement, 2) else { return };
        if let Some(to) = statement.windows(2).position(|pair| pair[0].is("rename") && pair[1].is("to")) {
            let renamed = table_name(statement, to + 2).map(|(renamed, _)| renamed);
            let columns = self.tables.get(&name).map(|table| table.columns.clone()).unwrap_or_default();
            if let Some(renamed) = renamed {
                self.tables.insert(renamed, Table { columns, is_open: true });
            }
            return;
        }
        if !self.tables.contains_key(&name) {
            return self.is_elsewhere(name);
        }
        let Some(table) = self.tables.get_mut(&name) else { return };
        while statement
            .get(at)
            .is_some_and(|t| t.is("add") || t.is("column") || t.is("if") || t.is("not") || t.is("exists"))
        {
            at += 1;
        }
        let constraint = ["constraint", "primary", "foreign", "unique", "check", "index", "enable", "owner"];
        match statement.get(at) {
            Some(token) if constraint.iter().any(|word| token.is(word)) => {}
            Some(token) if statement.iter().any(|t| t.is("add")) && token.is_name() => {
                table.columns.insert(token.text.clone(), token.offset);
            }
            _ => table.is_open = true,
        }
        table.is_open |= statement.iter().any(|t| t.is("rename") || t.is(","));
    }
}

/// The table named at a position, after `IF NOT EXISTS` and `ONLY`, without its schema; and where it ends. Tables
/// of a system catalogue get the prefix `pg_`, which marks them.
pub fn table_name(tokens: &[Token], mut at: usize) -> Option<(String, usize)> {
    let skipped = ["if", "not", "exists", "only"];
    while tokens.get(at).is_some_and(|token| skipped.iter().any(|word| token.is(word))) {
        at += 1;
    }
    let mut catalogue = "";
    while tokens.get(at + 1).is_some_and(|t| t.is(".")) && tokens.get(at + 2).is_some_and(Token::is_name) {
        let is_system =
            ["information_schema", "pg_catalog", "sys", "mysql"].contains(&tokens[at].text.as_str());
        catalogue = if is_system { "pg_" } else { catalogue };
        at += 2;
    }
    tokens.get(at).filter(|t| t.is_name()).map(|t| (format!("{catalogue}{}", t.text), at + 1))
}

/// The parts between commas of the first bracket.
pub fn definitions(tokens: &[Token]) -> Vec<&[Token]> {
    let mut parts = Vec::new();
    let Some(open) = tokens.iter().position(|t| t.is("(")) else { return parts };
    let (mut depth, mut start) = (0_usize, open + 1);
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" if token.kind == Kind::Punct => depth += 1,
            ")" if token.kind == Kind::Punct => depth -= 1,
            _ => {}
        }
        let ends = depth == 0 || depth == 1 && token.is(",");
        if ends {
            parts.push(&tokens[start.min(at)..at]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

/// The column that a part of CREATE TABLE defines; none for constraints and keys.
pub fn column(definition: &[Token]) -> Option<&Token> {
    let [name, rest @ ..] = definition else { return None };
    let constraint =
        ["constraint", "primary", "foreign", "unique", "check", "exclude", "like", "fulltext", "spatial"];
    let key = ["key", "index", "period"];
    let is_key =
        key.iter().any(|word| name.is(word)) && rest.iter().take(2).any(|t| t.is("(")) && !is_type(rest);
    let is_column = !constraint.iter().any(|word| name.is(word)) && !is_key && name.is_name();
    is_column.then_some(name)
}

fn is_type(rest: &[Token]) -> bool {
    rest.first().is_some_and(|t| TYPES.contains(&t.text.as_str()))
}
