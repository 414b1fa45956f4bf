//! Which sample belongs to a message, or a line that helps where none does.

use super::Sample;
use super::meaning::{Wish, language};

/// A sample, and whether it was asked for word for word.
pub(super) struct Found<'a> {
    pub(super) sample: &'a Sample,
    pub(super) is_exact: bool,
}

/// Samples that are named where there is none for the prompt.
const NEAREST: usize = 3;
/// The longest prompt that is named: one that can be typed.
const TYPED: usize = 120;

/// The sample whose prompt is the task of this message, or means the same. Fails with a line that names the nearest samples
/// and the ways to a real model; it never gives an answer to another task, or in another language.
pub(super) fn sample<'a>(samples: &'a [Sample], message: &str) -> Result<Found<'a>, String> {
    let text = task(message);
    let asked = squeezed(text);
    let stated = stated_language(message);
    let whole = squeezed(message);
    let lacks =
        |sample: &Sample| sample.given.iter().find(|given| !whole.contains(&squeezed(given))).cloned();
    let has_given = |sample: &Sample| lacks(sample).is_none();
    let is_exact = |sample: &&Sample| {
        // Whoever asks without the protocol puts the file behind the prompt.
        let may_go_on = !sample.given.is_empty() && text.len() == message.len();
        sample
            .keys
            .iter()
            .any(|key| asked == *key || may_go_on && asked.starts_with(key) || foresees(sample, key, &asked))
    };
    let speaks = |sample: &Sample| {
        let in_file = |stated: &str| sample.files.iter().any(|file| language(&file.language) == stated);
        stated.as_ref().is_none_or(|stated| *stated == sample.language || in_file(stated))
    };
    let exact = samples.iter().filter(is_exact);
    let (fitting, other): (Vec<_>, Vec<_>) = exact.partition(|sample| has_given(sample) && speaks(sample));
    // Among equals the first one.
    if let Some(sample) = fitting.iter().rev().max_by_key(|sample| sample.given.len()) {
        return Ok(Found { sample, is_exact: true });
    }
    let mut wish = Wish::new(text);
    if let Some(stated) = &stated {
        wish.speaks(stated);
    }
    let brings_files = message.contains("\n=== given ");
    let means = |sample: &&Sample| {
        sample.given.is_empty() != brings_files
            && has_given(sample)
            && sample.meaning.as_ref().is_some_and(|meaning| meaning.fits(&wish, &sample.language))
    };
    if let Some(sample) = samples.iter().find(means) {
        return Ok(Found { sample, is_exact: false });
    }
    let of_file = other.iter().find_map(|sample| lacks(sample));
    Err(match of_file {
        Some(given) if !brings_files => {
            format!("no sample answer for this prompt without its file: send the file with `{given}` too")
        }
        _ => unknown(samples, &wish, has_given),
    })
}

/// Whether a prompt goes on behind the sample's as the sample foresees: with all of its given texts, and in the task itself.
/// A prompt that asks for something else besides is another task.
fn foresees(sample: &Sample, key: &str, asked: &str) -> bool {
    let holds = |rest: &str| sample.given.iter().all(|given| rest.contains(&squeezed(given)));
    !sample.given.is_empty() && asked.strip_prefix(key).is_some_and(holds)
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

/// The language that the request asks for beside its prompt.
fn stated_language(message: &str) -> Option<String> {
    let (_, rest) = message.rsplit_once("</task>\n")?;
    let line = rest.trim_start().lines().next()?;
    line.strip_prefix("Language: ").map(|stated| language(stated.trim()))
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

fn unknown(samples: &[Sample], wish: &Wish, has_given: impl Fn(&Sample) -> bool) -> String {
    let can_be_typed = |sample: &&Sample| sample.prompt.len() <= TYPED && has_given(sample);
    let mut nearest: Vec<&Sample> = samples.iter().filter(can_be_typed).collect();
    // Among equals the first ones: the simplest samples stand there.
    nearest.sort_by_key(|sample| {
        let belongs = usize::from(!sample.given.is_empty()) * 1000;
        std::cmp::Reverse(belongs + wish.likeness(&sample.prompt, &sample.language))
    });
    let nearest: String = nearest.iter().take(NEAREST).map(|sample| format!("\n{}", sample.prompt)).collect();
    format!(
        "no sample answer for this prompt; the local twin has no model. The nearest samples:{nearest}\nA real model: AWS \
         credentials (Bedrock), ANTHROPIC_API_KEY, or a local Messages API server (ANTHROPIC_BASE_URL)."
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::parse;
    use super::*;

    fn samples() -> Vec<Sample> {
        let text = |given: &str, content: &str| {
            format!("prompt: Make a converter.\n{given}\nA sentence.\n\n````python a.py\n{content}\n````\n")
        };
        let given = text("given: The tests of this project fail\n", "mended = True");
        [text("", "first = True"), given].iter().map(|text| parse::sample(text).unwrap()).collect()
    }

    fn content(task: &str) -> Option<String> {
        let message = format!("<task>{task}</task>\nAnswer with files.");
        sample(&samples(), &message).ok().map(|found| found.sample.files[0].content.trim().to_owned())
    }

    #[test]
    fn a_task_that_goes_on_with_the_given_text_has_the_sample_for_it() {
        let task = "Make a converter.\n\nThe tests of this project fail:\n\nassert 1 == 2";
        assert_eq!(content(task).as_deref(), Some("mended = True"));
        assert_eq!(content("Make a converter.").as_deref(), Some("first = True"));
    }

    #[test]
    fn a_task_that_asks_for_something_besides_has_no_sample() {
        assert_eq!(content("Make a converter. Sort its units, too."), None);
    }
}
