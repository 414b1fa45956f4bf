//! Sample answers: written for this project, keyed by the prompt, one Markdown file each.

mod built_in;
mod find;
mod meaning;
mod parse;
mod render;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use claude_code_core::{Error, Result};

use self::find::Found;
pub(super) use self::find::task;
use self::meaning::Meaning;
use super::responder::{Question, Reply, Responder, Role, StopReason};

/// The built-in samples, read once.
static READ: LazyLock<Arc<[Sample]>> =
    LazyLock::new(|| built_in::BUILT_IN.iter().filter_map(|text| parse::sample(text)).collect());

/// One answer and the prompt that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// The prompt, word for word (white space aside).
    pub prompt: String,
    /// The prompt of the sample that this one refines; none for a sample that stands by itself.
    pub after: Option<String>,
    /// What it is there to show beside its code, such as an answer that is repaired.
    pub shows: Option<String>,
    /// Its language, by which it is asked for.
    pub language: String,
    /// Texts that the message must hold beside the prompt: a refactoring is of one file and no other, a repair says what
    /// is wrong.
    pub given: Vec<String>,
    /// The sentence before the files.
    pub sentence: String,
    /// Path, language and content of each file, in order.
    pub files: Vec<SampleFile>,
    /// The prompt, and what else it may be asked by, as questions are compared with them.
    keys: Vec<String>,
    /// What other prompts of the same meaning have in common.
    meaning: Option<Meaning>,
    /// The answer to a request for a repair, where it is another one.
    repaired: Option<(String, Vec<SampleFile>)>,
    /// After how many lines the first answer is cut off.
    cut: Option<usize>,
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
    samples: Arc<[Sample]>,
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({})", self.samples.len())
    }
}

impl Samples {
    /// The samples that come with the crate.
    pub fn built_in() -> Self {
        Samples { samples: READ.clone() }
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
            // As editors of Windows write it, too.
            let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
            let sample = parse::sample(&text).ok_or_else(|| {
                Error::invalid(format!(
                    "{} is no sample answer: it begins with a line `prompt: …`, then an empty line, then a sentence and \
                     files between lines of four backticks",
                    path.display()
                ))
            })?;
            samples.push(sample);
        }
        samples.extend_from_slice(&READ);
        Ok(Samples { samples: samples.into() })
    }

    /// The samples, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = &Sample> {
        self.samples.iter()
    }

    /// The prompts that have an answer, without those that refine one.
    pub fn prompts(&self) -> Vec<&str> {
        let first = self.samples.iter().filter(|sample| sample.after.is_none());
        first.map(|sample| sample.prompt.as_str()).collect()
    }

    /// The sample answer to a question, labelled as such, or the refusal that names the nearest ones.
    pub fn reply(&self, question: &Question) -> Reply {
        let asked = asked(question);
        let Found { sample, is_exact } = match find::sample(&self.samples, asked) {
            Ok(found) => found,
            Err(message) => return Reply::invalid(message),
        };
        let nonce = render::nonce(asked).or_else(|| render::nonce(&question.system));
        let label = if is_exact { SAMPLE.to_owned() } else { format!("{SAMPLE} for: {}", sample.prompt) };
        let mut full = render::answer(sample, nonce, is_repair(asked));
        if !is_exact {
            full = format!("({label})\n\n{full}");
        }
        if let Some(rest) = render::rest(&full, question) {
            return Reply::text(question, rest).labelled(SAMPLE.to_owned());
        }
        // The first answer has told which sample it is.
        let label = if is_repair(asked) { SAMPLE.to_owned() } else { label };
        match sample.cut.filter(|_| nonce.is_some()).and_then(|lines| render::first(&full, lines)) {
            Some(first) => Reply::text(question, first).stopped_by(StopReason::MaxTokens),
            None => Reply::text(question, &full),
        }
        .labelled(label)
    }
}

/// How the label of a sample begins, with which its answer says on the wire that no model wrote it.
pub(super) const SAMPLE: &str = "sample";

/// The message with the task: the caller's last one, but for the request to go on with a cut answer.
fn asked(question: &Question) -> &str {
    let mut of_caller = question.messages.iter().rev().filter(|turn| turn.role == Role::User);
    let with_task = of_caller.find(|turn| turn.text.contains("<task>"));
    with_task.map_or_else(|| question.last_user_text(), |turn| turn.text.as_str())
}

/// Whether the message also has an answer that checks have rejected.
fn is_repair(message: &str) -> bool {
    message.rsplit_once("</task>").is_some_and(|(_, rest)| rest.contains("and these checks failed:"))
}

/// Samples at the pace of a model, for people who watch.
#[cfg(feature = "cli")]
#[derive(Clone, Debug)]
pub(super) struct Paced(pub(super) Samples);

/// Before each piece of about five tokens: a model of the smallest tier writes some 250 tokens a second.
#[cfg(feature = "cli")]
const PACE: std::time::Duration = std::time::Duration::from_millis(20);

#[cfg(feature = "cli")]
#[async_trait::async_trait]
impl Responder for Paced {
    async fn answer(&self, question: &Question) -> Reply {
        let Paced(samples) = self;
        samples.reply(question).with_faults([super::responder::fault::Fault::Pace(PACE)])
    }
}

#[async_trait::async_trait]
impl Responder for Samples {
    async fn answer(&self, question: &Question) -> Reply {
        self.reply(question)
    }
}
