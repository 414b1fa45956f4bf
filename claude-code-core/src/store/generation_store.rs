//! Generation store: the trait of stored results. Files are objects, with one row about them.

use crate::answer::language::Language;
use crate::clock::UtcMillis;
use crate::error::Error;
use crate::generation::Generation;
use crate::money::price::PicoUsd;
use crate::state::Scope;

/// Where a result was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The file's key for one file, the prefix with its final slash for several.
    pub s3_key: String,
}

/// Query of a listing: one language, newest first.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The index needs one.
    pub language: Language,
    /// Not before this moment.
    pub from: Option<UtcMillis>,
    /// Before this moment.
    pub to: Option<UtcMillis>,
    /// Of the batch with this id only. No index has it: each row of the language is looked at.
    pub batch: Option<String>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// Rows at most, 1 to 100.
    pub limit: u32,
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The rows, newest first, without content.
    pub items: Vec<ResultRow>,
    /// Where the next page begins; none on the last.
    pub next: Option<String>,
}

/// A row of the results table.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ResultRow {
    /// The result's id.
    pub id: String,
    /// The prompt, cut to 2,048 bytes on a character boundary.
    pub prompt: String,
    /// Its language.
    pub language: Language,
    /// `2026-11-21T20:46:00.123Z`.
    pub generated_at: String,
    /// Bytes of all files.
    pub code_length: u64,
    /// The object's key, or the prefix of several.
    pub s3_key: String,
    /// The model that answered.
    pub model: String,
    /// Why it ended.
    pub stop_reason: String,
    /// What it cost; none where a price is not known.
    #[serde(default)]
    pub total_usd: Option<PicoUsd>,
}

// The prompt is the user's: Debug leaves it out.
impl std::fmt::Debug for ResultRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ResultRow({}, {}, {}, {} bytes)", self.id, self.generated_at, self.model, self.code_length)
    }
}

/// Results as they are kept: S3 and DynamoDB, or memory. Every id is checked against the scope.
#[async_trait::async_trait]
pub trait GenerationStore: std::fmt::Debug + Send + Sync {
    /// Stores the objects first (put-if-absent), the row last.
    async fn put(&self, scope: &Scope, generation: &Generation) -> Result<Stored, Error>;

    /// The result with its files; `NotFound` outside the scope or after its expiry.
    async fn get(&self, scope: &Scope, id: &str) -> Result<Generation, Error>;

    /// A page of rows, newest first.
    async fn list(&self, scope: &Scope, listing: &Listing) -> Result<Page, Error>;

    /// Removes the row, then its objects, and gives the name of the answer in the response cache, where it has one.
    /// `NotFound` as in [`get`](Self::get).
    async fn delete(&self, scope: &Scope, id: &str) -> Result<Option<String>, Error>;
}

/// Bytes of a prompt that a row holds; a longer one is cut on a character boundary and whole in S3.
pub const PROMPT_IN_ROW: usize = 2048;

impl ResultRow {
    /// The row about a stored result.
    pub fn of(generation: &Generation) -> Self {
        ResultRow {
            id: generation.id.clone(),
            prompt: cut(&generation.prompt, PROMPT_IN_ROW).to_owned(),
            language: generation.language.clone(),
            generated_at: generation.generated_at.iso(),
            code_length: generation.code_length(),
            s3_key: generation.s3_key.clone().unwrap_or_else(|| object_key(generation)),
            model: generation.model.clone(),
            stop_reason: generation.stop_reason.as_ref().map_or_else(String::new, ToString::to_string),
            total_usd: generation.receipt.total().priced(),
        }
    }
}

/// The first bytes of a text, cut at a character boundary.
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// `generated-code/{language}/{timestamp}-{id}`: what all keys of a result begin with.
pub fn key_base(generation: &Generation) -> String {
    format!("generated-code/{}/{}-{}", generation.language, generation.generated_at.compact(), generation.id)
}

/// The key of the only file, or the prefix of several with its final slash.
pub fn object_key(generation: &Generation) -> String {
    match generation.files.as_slice() {
        [only] => format!("{}.{}", key_base(generation), only.language.extension()),
        _ => format!("{}/", key_base(generation)),
    }
}

/// No such result within the caller's scope.
pub fn not_found(id: &str) -> Error {
    Error::new(
        crate::error::ErrorKind::NotFound,
        format!("no result {:?}: list the results to see which exist", cut(id, 64)),
    )
}
