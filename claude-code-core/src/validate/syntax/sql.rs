//! SQL of any dialect. No parser reads them all, so an error is only what every reader refuses: a bracket or a string
//! that nothing ends, a slip that no dialect takes, and a common statement that both parsers refuse.

use super::{brackets, grammar};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::validate::contract::schema::{self, Token};
use crate::validate::contract::slip;
use crate::validate::source::Source;

/// Signs of text that is SQL only once an engine has filled it in.
const TEMPLATE: [&str; 3] = ["{{", "{%", "<%"];
/// Signs of text in which a tool fills in words, or of operators that few dialects have.
const FILLED_IN: [&str; 4] = ["${", "@@", "&&", "#{"];

/// Syntax errors; doubts are warnings.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let text = without_client(&source.text);
    if TEMPLATE.iter().any(|mark| text.contains(mark)) {
        return Vec::new();
    }
    let is_plain = !FILLED_IN.iter().any(|mark| text.contains(mark));
    let (tokens, broken) = reading(&text);
    let certain = broken
        .or_else(|| slip::find(&text, &tokens))
        .or_else(|| refused(&text, &tokens).filter(|_| is_plain));
    if let Some((at, message)) = certain {
        let punct =
            |token: &&Token| token.kind == schema::Kind::Punct && matches!(token.text.as_str(), "(" | ")");
        let pairs: Vec<(usize, u8)> =
            tokens.iter().filter(punct).map(|token| (token.offset, token.text.as_bytes()[0])).collect();
        let places = brackets::places("sql", &text, &pairs);
        let mut found: Vec<Diagnostic> =
            places.into_iter().map(|fault| source.error(fault.at, fault.message)).collect();
        found.push(source.error(at, message));
        found.extend(
            grammar::check(source)
                .into_iter()
                .map(|doubt| Diagnostic { severity: Severity::Warning, ..doubt }),
        );
        return found;
    }
    grammar::check(source)
        .into_iter()
        .map(|doubt| Diagnostic { severity: Severity::Warning, ..doubt })
        .collect()
}

/// The text with what only a client reads blanked: psql's and SQLite's commands, the data after COPY, GO.
fn without_client(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut in_data = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let is_command =
            bare.starts_with('\\') || bare.starts_with(".") || bare.eq_ignore_ascii_case("go") || bare == "/";
        let blank = in_data || is_command;
        if in_data && bare == "\\." {
            in_data = false;
        }
        let upper = bare.to_ascii_uppercase();
        in_data |= upper.starts_with("COPY ") && upper.contains(" FROM STDIN") && upper.ends_with(';');
        match blank {
            true => plain.extend(
                line.chars().map(|c| if c == '\n' { c } else { ' ' }.to_string().repeat(c.len_utf8())),
            ),
            false => plain.push_str(line),
        }
    }
    plain
}

/// The tokens of a text in the first of two readings in which strings end and brackets pair: in some dialects a backslash
/// escapes a quote. Where there is none, what is broken.
fn reading(text: &str) -> (Vec<Token>, Option<(usize, String)>) {
    let plain = schema::tokens(text);
    let Some(broken) = broken(text, &plain) else { return (plain, None) };
    let escaped = schema::tokens_with_escapes(text);
    match self::broken(text, &escaped) {
        None => (escaped, None),
        Some(_) => (plain, Some(broken)),
    }
}

/// A comment or a quote that does not end, or a bracket that does not pair.
fn broken(text: &str, tokens: &[Token]) -> Option<(usize, String)> {
    if let Some(at) = open_comment(text, tokens) {
        return Some((at, "the comment that begins here is never closed".to_owned()));
    }
    // MySQL's client takes any mark for the end of a statement, two dollars as a rule.
    let is_mark =
        |at: usize| text[at..].starts_with("$$") && tokens.iter().any(|token| token.is("delimiter"));
    let open = tokens.iter().find(|token| token.is_open && !is_mark(token.offset));
    open.map(|token| (token.offset, "the quote here is never closed".to_owned()))
        .or_else(|| unbalanced(tokens))
}

/// The place of a comment that goes to the end of the text without its end: after the last token there is nothing but
/// comments.
fn open_comment(text: &str, tokens: &[Token]) -> Option<usize> {
    let mut at = tokens.last().map_or(0, |last| last.offset + last.length);
    loop {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        at += match rest.strip_prefix("/*") {
            Some(inner) => match inner.find("*/") {
                Some(end) => end + 4,
                None => return Some(at),
            },
            None => rest.find('\n')? + 1,
        };
    }
}

/// The first bracket that is not closed, or not opened.
fn unbalanced(tokens: &[Token]) -> Option<(usize, String)> {
    let mut open: Vec<usize> = Vec::new();
    for token in tokens {
        let ends = token.is(";") && !open.is_empty();
        match token.text.as_str() {
            "(" if token.is("(") => open.push(token.offset),
            ")" if token.is(")") && open.pop().is_none() => {
                return Some((token.offset, "this `)` closes nothing".to_owned()));
            }
            _ if ends => break,
            _ => {}
        }
    }
    let fault = open.last().map(|offset| (*offset, "the `(` here is never closed".to_owned()));
    fault.or_else(|| stray(tokens))
}

/// A bracket of another kind that closes where none was opened in the whole text.
fn stray(tokens: &[Token]) -> Option<(usize, String)> {
    let is_opened = |open: char| tokens.iter().any(|token| token.text.contains(open));
    let is_stray = |token: &&Token| token.is("}") && !is_opened('{') || token.is("]") && !is_opened('[');
    let token = tokens.iter().find(is_stray)?;
    Some((token.offset, format!("this `{}` closes nothing", token.text)))
}

#[cfg(not(feature = "syntax-all"))]
fn refused(_: &str, _: &[Token]) -> Option<(usize, String)> {
    None
}

/// The first statement of a common kind that no parser takes, if they take most of the others: then the dialect is one
/// that they know. A word that none of them takes may be one of a dialect that is newer than they are: what stands there
/// must be a mark, or the end.
#[cfg(feature = "syntax-all")]
fn refused(text: &str, tokens: &[Token]) -> Option<(usize, String)> {
    use super::nesting::{self, Ends, Need};
    const NEED: Need = Need { ends: Ends::Mark, frame: 3_000 };
    /// A script of a dialect that is not known is not told statement by statement.
    const MOST: usize = 3;

    if tokens.iter().any(|token| ["delimiter", "declare", "loop"].iter().any(|word| token.is(word))) {
        return None;
    }
    let mut faults = Vec::new();
    let statements = schema::statements(tokens);
    for statement in &statements {
        let (Some(first), Some(last)) = (statement.first(), statement.last()) else { continue };
        if !is_common(statement) || statement.iter().any(|token| token.kind == schema::Kind::Param) {
            continue;
        }
        let end = text.len().min(last.offset + last.length);
        let Some(part) = text.get(first.offset..end) else { continue };
        let is_refused = || {
            let read = nesting::within(part, NEED, || {
                parse(part).or_else(|refused| parse(&renamed(part)).map_err(|_| refused))
            })?;
            let (line, column) = read.err()?;
            let tree = crate::validate::tree::parse("sql", part)?;
            tree.root_node().has_error().then_some((line, column))
        };
        if let Some((line, column)) = is_refused() {
            let start: usize = part.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
            let at = first.offset + start + column.saturating_sub(1);
            faults.push(at.min(end));
        }
        if faults.len() > MOST {
            return None;
        }
    }
    let at = faults.into_iter().find(|at| !is_word_at(tokens, *at) || lacks_comma(tokens, *at))?;
    let near: String =
        text.get(text.floor_char_boundary(at)..)?.split_whitespace().next()?.chars().take(24).collect();
    Some((at, format!("no dialect of SQL takes `{near}` here")))
}

/// Whether a column with its type stands where one before it goes on.
#[cfg(feature = "syntax-all")]
fn lacks_comma(tokens: &[Token], at: usize) -> bool {
    let Some(number) = tokens.iter().position(|token| token.offset + token.length > at) else { return false };
    let is_type = |token: &Token| {
        token.kind == schema::Kind::Word
            && crate::validate::contract::types::TYPES.contains(&token.text.as_str())
    };
    let before = number.checked_sub(1).map(|before| &tokens[before]);
    tokens.get(number + 1).is_some_and(is_type)
        && before.is_some_and(|before| !before.is(",") && !before.is("("))
}

#[cfg(feature = "syntax-all")]
fn is_word_at(tokens: &[Token], at: usize) -> bool {
    let token = tokens.iter().find(|token| token.offset + token.length > at);
    token.is_some_and(|token| token.offset <= at && token.kind == schema::Kind::Word)
}

/// A table that is called `user` is one to databases, and a function to a parser.
#[cfg(feature = "syntax-all")]
fn renamed(text: &str) -> String {
    ["references user", "from user", "into user", "join user", "table user", "update user"].iter().fold(
        text.to_owned(),
        |text, name| {
            text.replace(name, &format!("{name}s"))
                .replace(&name.to_uppercase(), &format!("{}s", name.to_uppercase()))
        },
    )
}

/// Statements that every parser knows well.
#[cfg(feature = "syntax-all")]
fn is_common(statement: &[Token]) -> bool {
    let word = |at: usize| statement.get(at).map_or("", |token| token.text.as_str());
    match word(0) {
        "select" | "insert" | "update" | "delete" => true,
        "create" => matches!(word(1), "table" | "view") || word(1) == "index" || word(2) == "index",
        "alter" | "drop" => word(1) == "table",
        _ => false,
    }
}

/// Line and column of the error of the dialect that reads furthest, if none takes the statement.
#[cfg(feature = "syntax-all")]
fn parse(text: &str) -> Result<(), (usize, usize)> {
    use sqlparser::dialect::{
        BigQueryDialect, ClickHouseDialect, Dialect, DuckDbDialect, GenericDialect, HiveDialect,
        MsSqlDialect, MySqlDialect, OracleDialect, PostgreSqlDialect, RedshiftSqlDialect, SQLiteDialect,
        SnowflakeDialect, SparkSqlDialect,
    };
    let dialects: [&dyn Dialect; 13] = [
        &PostgreSqlDialect {},
        &GenericDialect {},
        &SQLiteDialect {},
        &MySqlDialect {},
        &MsSqlDialect {},
        &OracleDialect {},
        &ClickHouseDialect {},
        &SnowflakeDialect,
        &BigQueryDialect {},
        &DuckDbDialect {},
        &SparkSqlDialect {},
        &HiveDialect {},
        &RedshiftSqlDialect {},
    ];
    let mut furthest = (0, 0);
    for dialect in dialects {
        match sqlparser::parser::Parser::parse_sql(dialect, text) {
            Ok(_) => return Ok(()),
            // A limit of the parser is no fault of the text.
            Err(sqlparser::parser::ParserError::RecursionLimitExceeded) => return Ok(()),
            Err(error) => furthest = furthest.max(place(&error.to_string())),
        }
    }
    Err(furthest)
}

/// `… at Line: 3, Column: 7`
#[cfg(feature = "syntax-all")]
fn place(said: &str) -> (usize, usize) {
    let number = |after: &str| {
        let rest = said.rsplit_once(after)?.1;
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    // At the end of the text the parser has no place.
    (number("Line: ").unwrap_or(usize::MAX), number("Column: ").unwrap_or(1))
}
