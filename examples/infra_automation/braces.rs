//! Terraform and TypeScript as values: a tolerant reader of literals, blocks and calls. That the syntax is right is
//! checked elsewhere; what is no literal is kept as it is written.

use crate::node::{Node, Value};

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Text(String),
    Word(String),
    Mark(char),
    Line,
}

/// A call or construction: its name, its line, its arguments.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) is_new: bool,
    pub(crate) line: u32,
    pub(crate) arguments: Vec<Node>,
}

/// The blocks and attributes of a Terraform file. A block is a mapping with its labels under `labels`.
pub(crate) fn terraform(text: &str) -> Node {
    let mut reader = Reader { tokens: tokens(text, true), at: 0 };
    Node::map(1, reader.body())
}

/// Every call and construction of a TypeScript file, nested ones too.
pub(crate) fn calls(text: &str) -> Vec<Call> {
    let mut reader = Reader { tokens: tokens(text, false), at: 0 };
    let mut found = Vec::new();
    for at in 0..reader.tokens.len() {
        let (Token::Word(name), line) = reader.tokens[at].clone() else { continue };
        reader.at = at + 1;
        if reader.take('(') {
            let is_new = at > 0 && reader.tokens[at - 1].0 == Token::Word("new".to_owned());
            found.push(Call { name, is_new, line, arguments: reader.list(')') });
        }
    }
    found
}

fn tokens(text: &str, is_terraform: bool) -> Vec<(Token, u32)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let (here, next) = (chars[at], chars.get(at + 1).copied().unwrap_or('\0'));
        match (here, next) {
            ('\n', _) => {
                if is_terraform {
                    found.push((Token::Line, line));
                }
                line += 1;
                at += 1;
            }
            ('/', '/') | ('#', _) if here == '/' || is_terraform => {
                while at < chars.len() && chars[at] != '\n' {
                    at += 1;
                }
            }
            ('/', '*') => {
                while at < chars.len() && !(chars[at] == '*' && chars.get(at + 1) == Some(&'/')) {
                    line += u32::from(chars[at] == '\n');
                    at += 1;
                }
                at += 2;
            }
            ('<', '<') if is_terraform => at = heredoc(&chars, at, &mut line, &mut found),
            ('"' | '\'' | '`', _) => {
                let (text, end) = quoted(&chars, at);
                found.push((Token::Text(text), line));
                line += chars[at..end].iter().filter(|c| **c == '\n').count() as u32;
                at = end;
            }
            (c, _) if is_word(c) => {
                let start = at;
                while at < chars.len() && (is_word(chars[at]) || chars[at] == '.') {
                    at += 1;
                }
                found.push((Token::Word(chars[start..at].iter().collect()), line));
            }
            (c, _) => {
                if !c.is_whitespace() {
                    found.push((Token::Mark(c), line));
                }
                at += 1;
            }
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@')
}

/// The text of a string and where it ends; interpolations stay as they are written.
fn quoted(chars: &[char], start: usize) -> (String, usize) {
    let (quote, mut at, mut text) = (chars[start], start + 1, String::new());
    while at < chars.len() && chars[at] != quote {
        if chars[at] == '\\' && at + 1 < chars.len() {
            at += 1;
        }
        text.push(chars[at]);
        at += 1;
    }
    (text, (at + 1).min(chars.len()))
}

fn heredoc(chars: &[char], start: usize, line: &mut u32, found: &mut Vec<(Token, u32)>) -> usize {
    let rest: String = chars[start..].iter().collect();
    let mut lines = rest.split_inclusive('\n');
    let head = lines.next().unwrap_or_default();
    let word = head.trim().trim_start_matches(['<', '-', '~']).to_owned();
    let (mut text, mut used, began) = (String::new(), head.chars().count(), *line);
    *line += 1;
    for next in lines {
        used += next.chars().count();
        *line += 1;
        if next.trim() == word {
            break;
        }
        text.push_str(next);
    }
    found.push((Token::Text(text), began));
    found.push((Token::Line, *line));
    start + used
}

struct Reader {
    tokens: Vec<(Token, u32)>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn line(&self) -> u32 {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(_, line)| *line)
    }

    fn take(&mut self, mark: char) -> bool {
        let is_it = self.peek() == Some(&Token::Mark(mark));
        self.at += usize::from(is_it);
        is_it
    }

    fn skip(&mut self) {
        while matches!(self.peek(), Some(Token::Line | Token::Mark(',' | ';'))) {
            self.at += 1;
        }
    }

    /// Attributes and blocks up to a closing brace.
    fn body(&mut self) -> Vec<(String, Node)> {
        let mut entries = Vec::new();
        loop {
            self.skip();
            let line = self.line();
            let name = match self.peek() {
                None => return entries,
                Some(Token::Mark('}')) => {
                    self.at += 1;
                    return entries;
                }
                Some(Token::Word(name) | Token::Text(name)) => name.clone(),
                Some(_) => {
                    self.at += 1;
                    continue;
                }
            };
            self.at += 1;
            let mut labels = Vec::new();
            while let Some(Token::Text(label) | Token::Word(label)) = self.peek() {
                labels.push(Node::text(line, label.clone()));
                self.at += 1;
            }
            if self.take('{') {
                let mut inner = self.body();
                inner.push(("labels".to_owned(), Node { line, value: Value::List(labels) }));
                entries.push((name, Node::map(line, inner)));
            } else if self.take('=') || self.take(':') {
                let value = self.expression().unwrap_or_else(|| Node::text(line, ""));
                entries.push((name, Node { line, ..value }));
            }
        }
    }

    /// A value; what follows a literal up to the next separator makes it an expression.
    fn expression(&mut self) -> Option<Node> {
        let line = self.line();
        let first = match self.peek()?.clone() {
            Token::Text(text) => {
                self.at += 1;
                Node::text(line, text)
            }
            Token::Word(word) => {
                self.at += 1;
                self.word(word, line)
            }
            Token::Mark('[') => {
                self.at += 1;
                Node { line, value: Value::List(self.list(']')) }
            }
            Token::Mark('{') => {
                self.at += 1;
                Node::map(line, self.body())
            }
            _ => return None,
        };
        Some(self.rest(first))
    }

    fn word(&mut self, word: String, line: u32) -> Node {
        if word == "new"
            && let Some(Token::Word(name)) = self.peek().cloned()
        {
            self.at += 1;
            return self.call(name, line);
        }
        self.call(word, line)
    }

    fn call(&mut self, name: String, line: u32) -> Node {
        if !self.take('(') {
            let is_literal = matches!(name.as_str(), "true" | "false" | "null")
                || name.starts_with(|c: char| c.is_ascii_digit());
            let value = if is_literal { Value::Text(name) } else { Value::Expression(name) };
            return Node { line, value };
        }
        let mut arguments = self.list(')');
        if name == "jsonencode" && arguments.len() == 1 {
            return arguments.remove(0);
        }
        Node::map(line, vec![(name, Node { line, value: Value::List(arguments) })])
    }

    fn list(&mut self, end: char) -> Vec<Node> {
        let mut items = Vec::new();
        loop {
            self.skip();
            if self.peek().is_none() || self.take(end) {
                return items;
            }
            match self.expression() {
                Some(item) => items.push(item),
                None => self.at += 1,
            }
        }
    }

    /// Goes to the next separator: `a ? b : c`, `x[0].y`, `=> {…}`.
    fn rest(&mut self, first: Node) -> Node {
        let mut parts = 0;
        loop {
            match self.peek() {
                None | Some(Token::Line | Token::Mark(',' | ']' | '}' | ')' | ';' | '{')) => break,
                Some(Token::Mark('(' | '[')) => {
                    let end = if self.take('(') {
                        ')'
                    } else {
                        self.at += 1;
                        ']'
                    };
                    self.list(end);
                }
                Some(Token::Word(_)) if !self.follows_an_operator() => break,
                Some(Token::Word(word)) => {
                    let (word, line) = (word.clone(), self.line());
                    self.at += 1;
                    self.word(word, line);
                }
                Some(_) => self.at += 1,
            }
            parts += 1;
        }
        match (parts, &first.value) {
            (0, _) => first,
            (_, Value::Text(text) | Value::Expression(text)) => {
                Node { line: first.line, value: Value::Expression(format!("{text} …")) }
            }
            _ => first,
        }
    }

    fn follows_an_operator(&self) -> bool {
        matches!(self.at.checked_sub(1).and_then(|at| self.tokens.get(at)), Some((Token::Mark(_), _)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_terraform_block_is_a_mapping_with_its_lines() {
        let text = "resource \"aws_sqs_queue\" \"q\" {\n  name = \"q\" # a queue\n  policy = jsonencode({\n    Statement = [{ Action = \"sqs:*\" }]\n  })\n  tags = { a = \"b\" }\n  redrive {\n    max = 3\n  }\n}\n";
        let root = terraform(text);
        let block = root.get("resource").unwrap();
        assert_eq!(block.get("name").unwrap().as_text(), Some("q"));
        let action = &block.at("policy.Statement.Action")[0];
        assert_eq!((action.as_text(), action.line), (Some("sqs:*"), 4));
        assert_eq!(block.at("redrive.max")[0].as_text(), Some("3"));
        assert_eq!(block.at("labels")[1].as_text(), Some("q"));
    }

    #[test]
    fn every_construction_of_a_typescript_file_is_found_nested_ones_too() {
        let text = "export class S extends Stack {\n  constructor(scope: Construct, id: string) {\n    super(scope, id);\n    const b = new s3.Bucket(this, 'B', { versioned: true,\n      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL });\n    role.addToPolicy(new iam.PolicyStatement({ actions: ['*'], resources: [b.bucketArn + '/*'] }));\n  }\n}\n";
        let found = calls(text);
        let bucket = found.iter().find(|call| call.name == "s3.Bucket").unwrap();
        assert!(bucket.is_new && bucket.line == 4);
        assert_eq!(bucket.arguments[2].get("versioned").unwrap().as_text(), Some("true"));
        let statement = found.iter().find(|call| call.name == "iam.PolicyStatement").unwrap();
        assert_eq!(statement.arguments[0].at("actions")[0].as_text(), Some("*"));
    }
}
