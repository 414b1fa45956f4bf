//! Sample answers: written for this project, keyed by the prompt, one Markdown file each.

mod find;
mod parse;
mod render;

use std::fmt;
use std::path::{Path, PathBuf};

use claude_code_core::{Error, Result};

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
    /// Texts that the message must hold beside the prompt: a refactoring is of one file and no other, a repair says what
    /// is wrong.
    pub given: Vec<String>,
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

    /// The samples in the Markdown files of a directory, in the form of those that come with the crate, and after them those
    /// that do. Fails naming the file that is none.
    pub fn of_directory(directory: &Path) -> Result<Self> {
        let unread = |path: &Path, error: &std::io::Error| {
            Error::invalid(format!("cannot read {}: {error}", path.display()))
        };
        let entries = directory.read_dir().map_err(|error| unread(directory, &error))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        let mut samples = Vec::new();
        for path in paths {
            let text = std::fs::read_to_string(&path).map_err(|error| unread(&path, &error))?;
            let sample = parse::sample(&text).ok_or_else(|| {
                Error::invalid(format!(
                    "{} is no sample answer: it begins with a line `prompt: …`, then an empty line, then a sentence and \
                     files between lines of four backticks",
                    path.display()
                ))
            })?;
            samples.push(sample);
        }
        samples.extend(Samples::built_in().samples);
        Ok(Samples { samples })
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
