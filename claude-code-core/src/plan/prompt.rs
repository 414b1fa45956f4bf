//! Prompts, from templates that are reviewed as prose.

use std::fmt::Write;
use std::sync::LazyLock;

use crate::answer::file::sha256_hex;
use crate::answer::language::Language;
use crate::request::{GenerateRequest, Work};

const PROTOCOL: &str = include_str!("../../prompts/protocol.md");
/// Prompt of a resume.
pub(crate) const RESUME: &str = include_str!("../../prompts/resume.md");
/// Prompt of a repair.
pub(crate) const REPAIR: &str = include_str!("../../prompts/repair.md");
/// Prompt of a repair where the answer has no file.
pub(crate) const NO_CODE: &str = include_str!("../../prompts/no_code.md");

/// System prompt, read once.
struct Fixed {
    /// Of the answer protocol and of what later sends say.
    versions: String,
    /// The answer protocol, cut where the nonce stands.
    protocol: Vec<&'static str>,
}

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let (version, protocol) = split(PROTOCOL);
    let later = [RESUME, REPAIR, NO_CODE].map(|template| split(template).0).join(".");
    let versions = format!("{version}.{later}");
    Fixed { versions, protocol: protocol.split("{{nonce}}").collect() }
});

/// A written prompt.
#[derive(Clone)]
#[non_exhaustive]
pub struct Prompt {
    /// The system prompt: the same for all tasks of one kind.
    pub system: String,
    /// The caller's turn: task, given files, answer protocol.
    pub user: String,
    /// Marks the file lines of the answer; eight hex digits.
    pub nonce: String,
    /// Version of the templates, those of later sends too: an answer may be made of them. Enters the cache key.
    pub version: String,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prompt({} bytes, version {})", self.system.len() + self.user.len(), self.version)
    }
}

/// Writes the prompt for a request. The user's words stand verbatim between `<task>` and `</task>`.
pub fn write(request: &GenerateRequest, language: Option<&Language>) -> Prompt {
    let (version, system) = split(template(request.work));
    let version = format!("{:?}/{version}.{}", request.work, FIXED.versions).to_ascii_lowercase();
    let nonce = nonce(&version, request);

    let mut user = format!("<task>{}</task>\n", request.prompt);
    if let Some(language) = language {
        let _ = write!(user, "\nLanguage: {language}\n");
    }
    if let Some(instructions) = &request.instructions {
        let _ = write!(user, "\nStanding instructions: {instructions}\n");
    }
    for file in &request.files {
        let end = if file.content.ends_with('\n') { "" } else { "\n" };
        let _ = write!(
            user,
            "\n=== given {nonce}: {path} ===\n{content}{end}=== end given {nonce}: {path} ===\n",
            path = file.path,
            content = file.content
        );
    }
    for (n, part) in FIXED.protocol.iter().enumerate() {
        user.push_str(if n == 0 { "\n" } else { &nonce });
        user.push_str(part);
    }
    Prompt { system: system.to_owned(), user, nonce, version }
}

fn template(work: Work) -> &'static str {
    match work {
        Work::Generate => include_str!("../../prompts/generate.md"),
        Work::Refactor => include_str!("../../prompts/refactor.md"),
        Work::Review => include_str!("../../prompts/review.md"),
        Work::Explain => include_str!("../../prompts/explain.md"),
        Work::Test => include_str!("../../prompts/test.md"),
        Work::Document => include_str!("../../prompts/document.md"),
        Work::Infrastructure => include_str!("../../prompts/infrastructure.md"),
    }
}

/// The first eight hex digits over everything that the answer may quote, so that no given text contains it by
/// design.
fn nonce(version: &str, request: &GenerateRequest) -> String {
    let mut hashed = format!("{version}\0{}", request.prompt);
    for file in &request.files {
        let _ = write!(hashed, "\0{}\0{}", file.path, file.content);
    }
    let mut nonce = sha256_hex(hashed.as_bytes());
    nonce.truncate(8);
    nonce
}

/// A prompt template's version and its text: `version: N`, an empty line, the text.
pub fn split(template: &'static str) -> (&'static str, &'static str) {
    let (head, text) = template.split_once("\n\n").unwrap_or(("version: 0", template));
    (head.trim_start_matches("version:").trim(), text)
}
