//! Secrets in code: keys and tokens by their form.

use super::source::Source;
use crate::answer::diagnostic::Diagnostic;

/// Starts of tokens, how many characters of the token's alphabet follow at least, and what it is.
const TOKENS: [(&str, usize, &str); 15] = [
    ("AKIA", 16, "an AWS access key id"),
    ("ASIA", 16, "a temporary AWS access key id"),
    ("ghp_", 36, "a GitHub token"),
    ("gho_", 36, "a GitHub token"),
    ("ghs_", 36, "a GitHub token"),
    ("ghu_", 36, "a GitHub token"),
    ("github_pat_", 50, "a GitHub token"),
    ("xoxb-", 20, "a Slack token"),
    ("xoxp-", 20, "a Slack token"),
    ("xapp-", 20, "a Slack token"),
    ("sk-ant-", 20, "an Anthropic API key"),
    ("sk_live_", 20, "a Stripe key"),
    ("rk_live_", 20, "a Stripe key"),
    ("AIza", 35, "a Google API key"),
    ("npm_", 36, "an npm token"),
];

/// Keys that documentation uses, and words that show a placeholder.
const EXAMPLES: [&str; 5] = ["EXAMPLE", "example", "xxxx", "XXXX", "your"];

/// Names of variables that hold the secret half of an AWS key.
const SECRET_NAMES: [&str; 3] = ["aws_secret_access_key", "aws_secret_key", "secretaccesskey"];

/// Warnings for what looks like a real secret. The message does not repeat it.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let text = &source.text;
    let mut found = Vec::new();
    for (start, length, what) in TOKENS {
        for at in memchr::memmem::find_iter(text.as_bytes(), start) {
            let is_part = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let body = token(&text[at + start.len()..]);
            let is_upper = !matches!(start, "AKIA" | "ASIA")
                || body.len() == 16 && !body.contains(|c: char| c.is_ascii_lowercase());
            if !is_part && body.len() >= length && is_upper && !is_example(body) {
                found.push(source.warning(at, format!("this looks like {what}; keep secrets out of code")));
            }
        }
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        let line = text[at..].lines().next().unwrap_or("");
        let body = text[at..].lines().nth(1).unwrap_or("");
        if line.contains("PRIVATE KEY-----") && token(body.trim()).len() > 40 && !is_example(body) {
            found.push(source.warning(at, "this is a private key; keep secrets out of code"));
        }
    }
    found.extend(aws_secret(source));
    found
}

/// A value of 40 characters beside the name of a secret key.
fn aws_secret(source: &Source) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    let is_there = |text: &str| memchr::memmem::find(source.text.as_bytes(), text.as_bytes()).is_some();
    if !["secret", "Secret", "SECRET"].iter().any(|word| is_there(word)) {
        return found;
    }
    for line in source.text.split_inclusive('\n') {
        let folded = line.to_ascii_lowercase();
        let named = SECRET_NAMES.iter().find_map(|name| folded.find(name).map(|at| at + name.len()));
        let value = named
            .and_then(|end| line.get(end..))
            .unwrap_or("")
            .trim_start_matches(|c: char| " \t\"':=".contains(c));
        if named.is_some() && token(value).len() == 40 && !is_example(value) {
            let at = start + line.len() - value.len();
            found.push(source.warning(at, "this looks like an AWS secret key; keep secrets out of code"));
        }
        start += line.len();
    }
    found
}

/// The characters at the start that tokens are made of.
fn token(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_+/=".contains(c))).unwrap_or(text.len());
    &text[..end]
}

fn is_example(text: &str) -> bool {
    let token = token(text);
    EXAMPLES.iter().any(|word| token.contains(word))
}
