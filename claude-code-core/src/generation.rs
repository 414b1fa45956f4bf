//! Generation: the result of a request, with files, the model's text, and the receipt.

use std::sync::Arc;

use crate::answer::diagnostic::Diagnostic;
use crate::answer::file::{self, CodeFile};
use crate::answer::language::Language;
use crate::answer::stop_reason::StopReason;
use crate::clock::UtcMillis;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Tier;
use crate::money::price::Cost;
use crate::money::receipt::Receipt;
use crate::money::usage::Usage;
use crate::request::{GenerateRequest, SourceFile};

/// One send, with why it was made and what became of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The model, as sent.
    pub model: String,
    /// `first`, `retry`, `repeat`, `failover to …`, `fallback`, `resume`, `repair`, `escalate`, `without …`.
    pub why: String,
    /// `complete`, or the kind of what went wrong.
    pub outcome: String,
    /// What it cost. A fault before any generation costs 0.
    pub cost: Cost,
    /// Whether the cost is the ceiling because the true figure never arrived.
    pub unknown: bool,
    /// Milliseconds waited before the send.
    pub waited_ms: u64,
    /// The service's id of the request, where it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// How an answer came from the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Cached {
    /// Seconds since it was generated.
    pub age_seconds: u64,
}

/// The files that a refactoring was given. They go along with its result within the process and are no part of its
/// value: results with other ones are equal, and no form of a result that is written down has them.
#[derive(Clone, Debug, Default)]
pub struct Given(pub Arc<[SourceFile]>);

impl PartialEq for Given {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A result: one schema for HTTP, jobs, the command line, Python and the manifest in S3.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Generation {
    /// UUIDv7.
    pub id: String,
    /// Complete, and no check found an error.
    pub accepted: bool,
    /// Of the whole result.
    pub language: Language,
    /// Every file and every code block, in the order of the answer.
    pub files: Vec<CodeFile>,
    /// The model's whole answer as received, files included.
    pub text: String,
    /// The model that answered last, as sent.
    pub model: String,
    /// The tier of that model.
    pub tier: Tier,
    /// Why this tier.
    pub tier_reason: String,
    /// Why the model ended its turn; none if it never did.
    pub stop_reason: Option<StopReason>,
    /// Tokens of all sends together.
    pub usage: Usage,
    /// What it cost, item by item.
    pub receipt: Receipt,
    /// Every send.
    pub attempts: Vec<Attempt>,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// What a refactoring changed, as a unified diff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
    /// Set if it came from the cache.
    pub cached: Option<Cached>,
    /// Whether it is in the store.
    pub stored: bool,
    /// Why not, if it was meant to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_problem: Option<String>,
    /// Where: the file's key, or the prefix of several with its final slash.
    pub s3_key: Option<String>,
    /// `2026-11-21T20:46:00.123Z`.
    #[serde(with = "iso")]
    pub generated_at: UtcMillis,
    /// Whether the answer is one of the twin's samples and not a model's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sample: bool,
    /// What was asked. Not part of the public schema: the row keeps it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prompt: String,
    /// The batch it belongs to, kept on the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_id: Option<String>,
    /// Its name in the response cache, while it is put: the row keeps it, so that erasing the result ends what the cache
    /// would serve.
    #[serde(skip)]
    pub cache_key: Option<String>,
    /// What a refactoring was given, for the next refinement.
    #[serde(skip)]
    pub given: Given,
}

// Prompts and answers are the user's: Debug tells sizes and figures only.
impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation")
            .field("id", &self.id)
            .field("accepted", &self.accepted)
            .field("files", &self.files.len())
            .field("text_bytes", &self.text.len())
            .field("model", &self.model)
            .field("stop_reason", &self.stop_reason)
            .field("usage", &self.usage)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

impl Generation {
    /// The only file's text. Several, or none: an error naming them.
    pub fn code(&self) -> Result<&str> {
        match self.files.as_slice() {
            [only] => Ok(&only.content),
            [] => Err(Error::new(ErrorKind::NotFound, "the answer has no file; its words are in text")),
            several => {
                let names: Vec<_> =
                    several.iter().map(|f| f.path.as_deref().unwrap_or("(unnamed)")).collect();
                Err(Error::invalid(format!(
                    "the answer has {} files ({}); read files instead of code",
                    names.len(),
                    names.join(", ")
                )))
            }
        }
    }

    /// The one result schema, as HTTP, jobs, the command line and Python give it: without what was asked and the batch,
    /// which the row keeps.
    pub fn schema(&self) -> serde_json::Value {
        let mut schema = serde_json::to_value(self).unwrap_or_default();
        if let Some(fields) = schema.as_object_mut() {
            fields.remove("prompt");
            fields.remove("batch_id");
        }
        schema
    }

    /// Bytes of all files.
    pub fn code_length(&self) -> u64 {
        self.files.iter().map(|f| f.size() as u64).sum()
    }

    /// Its files as a request takes them; of a refactoring those too that it was given and did not change.
    pub fn sources(&self) -> Vec<SourceFile> {
        let mut sources = self.given.0.to_vec();
        // A file without a name can only mean the only given one.
        let only =
            sources.first().filter(|_| sources.len() == 1 && self.files.len() == 1).map(|f| f.path.clone());
        for (name, file) in file::names(&self.files).into_iter().zip(&self.files) {
            let path = file.path.clone().or_else(|| only.clone()).unwrap_or(name);
            let content = file.content.clone();
            match sources.iter_mut().find(|known| known.path == path) {
                Some(known) => known.content = content,
                None => sources.push(SourceFile { path, content }),
            }
        }
        sources
    }

    /// A request to change this result as the instructions say.
    pub fn refine_request(&self, instructions: impl Into<String>) -> GenerateRequest {
        GenerateRequest::refactor(self.sources(), instructions).with_language(self.language.as_str())
    }

    /// Itself if accepted, else an error with the first finding and with this result as its partial.
    pub fn raise_for_rejected(self) -> Result<Self> {
        if self.accepted {
            return Ok(self);
        }
        let first =
            self.diagnostics.iter().find(|d| d.severity == crate::answer::diagnostic::Severity::Error);
        let told = first.map_or_else(
            || "it is not accepted".to_owned(),
            |d| format!("{} line {}: {}", d.path.as_deref().unwrap_or("(unnamed)"), d.line, d.message),
        );
        Err(Error::new(ErrorKind::Rejected, format!("the answer was rejected: {told}")).with_partial(self))
    }
}

mod iso {
    use crate::UtcMillis;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(moment: &UtcMillis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&moment.iso())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UtcMillis, D::Error> {
        let text = String::deserialize(deserializer)?;
        UtcMillis::from_iso(&text).ok_or_else(|| serde::de::Error::custom("not a UTC time with milliseconds"))
    }
}
