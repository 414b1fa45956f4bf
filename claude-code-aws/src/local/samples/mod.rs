//! Sample answers: written for this project, keyed by the prompt, one Markdown file each.

mod find;
mod parse;
mod render;

use std::fmt;

pub(super) use self::find::task;
use super::responder::{Question, Reply, Responder};

/// The answers that come with the crate.
const BUILT_IN: [&str; 10] = [
    include_str!("reverse_string.md"),
    include_str!("palindrome.md"),
    include_str!("ring_buffer.md"),
    include_str!("queue_timeout.md"),
    include_str!("debounce.md"),
    include_str!("monthly_revenue.md"),
    include_str!("csv_totals.md"),
    include_str!("refactor_shipping.md"),
    include_str!("fizzbuzz.md"),
    include_str!("service_vfirewall.md"),
];

/// One answer and the prompt that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// The prompt, word for word (white space aside).
    pub prompt: String,
    /// Text that the message must hold beside the prompt: a refactoring is of one file and no other.
    pub given: Option<String>,
    /// The sentence before the files.
    pub sentence: String,
    /// Path, language and content of each file, in order.
    pub files: Vec<SampleFile>,
    /// The prompt, and what else it may be asked by, as questions are compared with them.
    keys: Vec<String>,
}

/// A file of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleFile {
    /// Relative, with `/`.
    pub path: String,
    /// The language as in a code fence.
    pub language: String,
    /// The whole content, ending in a newline.
    pub content: String,
}

/// A responder that plays sample answers and nothing else.
#[derive(Clone)]
pub struct Samples {
    samples: Vec<Sample>,
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({})", self.samples.len())
    }
}

impl Samples {
    /// The samples that come with the crate.
    pub fn built_in() -> Self {
        Samples { samples: BUILT_IN.iter().filter_map(|text| parse::sample(text)).collect() }
    }

    /// The samples, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The prompts that have an answer.
    pub fn prompts(&self) -> Vec<&str> {
        self.samples.iter().map(|sample| sample.prompt.as_str()).collect()
    }
}

impl Samples {
    /// The sample answer to a question, or the refusal that names the nearest one.
    pub fn reply(&self, question: &Question) -> Reply {
        let message = question.last_user_text();
        match find::sample(&self.samples, message) {
            Ok(sample) => {
                let nonce = render::nonce(message).or_else(|| render::nonce(&question.system));
                let text = match nonce {
                    Some(nonce) => render::sentinels(sample, nonce),
                    None => render::markdown(sample),
                };
                Reply::text(question, &text)
            }
            Err(message) => Reply::invalid(message),
        }
    }
}

#[async_trait::async_trait]
impl Responder for Samples {
    async fn answer(&self, question: &Question) -> Reply {
        self.reply(question)
    }
}
