//! Which sample belongs to a message, or a line that helps where none does.

use super::Sample;

/// The sample whose prompt is the task of this message. Fails with a line that names the nearest sample and
/// the ways to a real model; it never gives an answer to another prompt.
pub(super) fn sample<'a>(samples: &'a [Sample], message: &str) -> Result<&'a Sample, String> {
    let asked = squeezed(task(message));
    let whole = squeezed(message);
    let is = |sample: &&Sample| {
        let may_go_on = !sample.given.is_empty();
        sample.keys.iter().any(|key| asked == *key || may_go_on && asked.starts_with(key))
    };
    let lacks =
        |sample: &Sample| sample.given.iter().find(|given| !whole.contains(&squeezed(given))).cloned();
    let known: Vec<&Sample> = samples.iter().filter(is).collect();
    // Among equals the first one.
    let fitting = known.iter().rev().filter(|sample| lacks(sample).is_none());
    match (fitting.max_by_key(|sample| sample.given.len()), known.first()) {
        (Some(sample), _) => Ok(sample),
        (None, Some(sample)) => Err(format!(
            "the sample answer to this prompt is about the file with `{}`; send that file with it",
            lacks(sample).unwrap_or_default()
        )),
        (None, None) => Err(unknown(samples, &asked)),
    }
}

/// The user's own words: between `<task>` and `</task>`, else the whole message.
pub(in crate::local) fn task(message: &str) -> &str {
    let begin = message.find("<task>").map(|at| at + "<task>".len());
    let end = message.rfind("</task>");
    match (begin, end) {
        (Some(begin), Some(end)) if begin <= end => &message[begin..end],
        _ => message,
    }
}

/// Runs of white space become one space: a prompt that was wrapped is still the same prompt.
pub(super) fn squeezed(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    words
}

fn unknown(samples: &[Sample], asked: &str) -> String {
    // Among equals the first one: the simplest sample stands there.
    let nearest = samples.iter().rev().max_by_key(|sample| likeness(asked, &sample.prompt));
    let hint = nearest.map(|sample| format!(" The nearest sample:\n{}", sample.prompt)).unwrap_or_default();
    format!(
        "no sample answer for this prompt; the local twin has no model.{hint}\nA real model: AWS credentials \
         (Bedrock), ANTHROPIC_API_KEY, or a local Messages API server (ANTHROPIC_BASE_URL)."
    )
}

/// How many words two prompts share, in thousandths of all their words; word order does not matter, and
/// neither do case and punctuation.
fn likeness(a: &str, b: &str) -> usize {
    let (a, b) = (words(a), words(b));
    let shared = a.iter().filter(|word| b.contains(*word)).count();
    let all = a.len() + b.len() - shared;
    (shared * 1000).checked_div(all).unwrap_or(0)
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.sort();
    words.dedup();
    words
}
