//! Where conversations, services and their files are kept: one table and one bucket behind a seam, and over it the
//! rules on scopes and versions, written once.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conversation::{CodeRef, Conversation};
use super::data::ServiceData;
use super::files::FILES;
use crate::Clock;
use crate::answer::diagnostic::Diagnostic;
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::money::receipt::Receipt;
use crate::state::{OnlyIf, PutError, Scope};
use crate::{Error, ErrorKind, Result};

/// The key of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RowKey {
    /// `SERVICE#{id}` or `CONVERSATION#{id}`.
    pub pk: String,
    /// `METADATA`, `CODE#{id}` or `DATA`.
    pub sk: String,
}

/// A row as it was read.
#[derive(Clone, PartialEq)]
pub struct Row {
    /// Whose it is.
    pub scope: Scope,
    /// What it says.
    pub body: Value,
    /// Grows with every put.
    pub version: u64,
}

// What it says is the user's: Debug tells nothing of it.
impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row(version {})", self.version)
    }
}

/// Rows and files of services: DynamoDB and S3, or memory.
#[async_trait::async_trait]
pub trait ServiceStore: std::fmt::Debug + Send + Sync {
    /// The row, whoever it belongs to.
    async fn row(&self, key: &RowKey) -> Result<Option<Row>>;

    /// Puts a row under a condition and gives its new version.
    async fn put_row(
        &self,
        key: &RowKey,
        scope: &Scope,
        body: &Value,
        only_if: OnlyIf,
    ) -> Result<u64, PutError>;

    /// The file under this key, `{service-id}/{code-id}/{name}`; none if there is none. `AccessDenied` where the store
    /// does not tell whether there is one.
    async fn file(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// Puts a file; one that is there is followed by a new version of it.
    async fn put_file(&self, key: &str, content: &str) -> Result<()>;

    /// Up to `limit` rows of a partition, the last first, before the one with the sort key `before`.
    async fn rows(&self, pk: &str, limit: usize, before: Option<&str>) -> Result<Vec<Row>>;

    /// Removes a row; one that is not there is a success.
    async fn delete_row(&self, key: &RowKey) -> Result<()>;

    /// Removes the files whose keys begin so, with all their versions.
    async fn delete_files(&self, prefix: &str) -> Result<()>;
}

/// A file of written code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeEntry {
    /// Its name.
    pub path: String,
    /// Its language.
    pub language: Language,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
}

impl CodeEntry {
    /// The entry of a file.
    pub fn of(file: &CodeFile) -> Self {
        CodeEntry {
            path: file.path.clone().unwrap_or_default(),
            language: file.language.clone(),
            size: file.size() as u64,
            sha256: file.sha256(),
        }
    }
}

/// What is known of one writing of the six files: the row `SERVICE#{id}` / `CODE#{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// The service.
    pub service_id: String,
    /// This writing.
    pub code_id: String,
    /// The files, in their order.
    pub files: Vec<CodeEntry>,
    /// Whether no check found an error.
    pub accepted: bool,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
    /// The model that wrote last; none where an earlier run had written all files and not the row.
    pub model: Option<String>,
    /// What the last run cost, unpriced where it ended before it wrote that down; earlier runs that were cut off have
    /// their own receipts in the budget.
    pub receipt: Receipt,
    /// Whether it is the twin's sample and no model's.
    #[serde(default)]
    pub sample: bool,
    /// `2026-11-21T20:46:00.123Z`.
    pub generated_at: String,
}

impl Code {
    /// The prefix of its files in the bucket.
    pub fn prefix(&self) -> String {
        format!("{}/{}/", self.service_id, self.code_id)
    }
}

/// Conversations and services, each within its scope.
#[derive(Clone, Debug)]
pub struct Services {
    pub(super) store: Arc<dyn ServiceStore>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Services {
    /// Services in this store.
    pub fn new(store: Arc<dyn ServiceStore>, clock: Arc<dyn Clock>) -> Self {
        Services { store, clock }
    }

    /// A new conversation.
    pub async fn start(&self, scope: &Scope, id: &str) -> Result<Conversation> {
        let conversation = Conversation::new(id);
        self.put(scope, &conversation_key(id), &conversation, OnlyIf::AbsentAt(self.clock.now())).await?;
        Ok(conversation)
    }

    /// The conversation and its version. `NotFound` outside the scope.
    pub async fn conversation(&self, scope: &Scope, id: &str) -> Result<(Conversation, u64)> {
        self.get(scope, &conversation_key(id), "conversation").await
    }

    /// Keeps the conversation over the version that was read; `Conflict` if somebody else was faster.
    pub async fn save(&self, scope: &Scope, conversation: &Conversation, version: u64) -> Result<u64> {
        self.put(scope, &conversation_key(&conversation.id), conversation, OnlyIf::Version(version)).await
    }

    /// Keeps what the service is, unless its row says so already.
    pub async fn describe(&self, scope: &Scope, code: &CodeRef) -> Result<()> {
        #[derive(Serialize)]
        struct Metadata<'a> {
            service_id: &'a str,
            service_data: &'a ServiceData,
            updated_at: String,
        }
        let key = service_key(&code.service_id, "METADATA".into());
        let kept = self.store.row(&key).await?.map(|row| row.body["service_data"].clone());
        if kept.and_then(|kept| serde_json::from_value(kept).ok()).as_ref() == Some(&code.data) {
            return Ok(());
        }
        let updated_at = self.clock.now().iso();
        let row = Metadata { service_id: &code.service_id, service_data: &code.data, updated_at };
        self.put(scope, &key, &row, OnlyIf::Any).await.map(|_| ())
    }

    /// The row of written code: of six files, or of those that a rejected answer had. `NotFound` outside the scope, and
    /// before an answer has ended.
    pub async fn code(&self, scope: &Scope, service_id: &str, code_id: &str) -> Result<Code> {
        let key = service_key(service_id, format!("CODE#{code_id}"));
        self.get(scope, &key, "code").await.map(|(code, _)| code)
    }

    /// Keeps the row of written code; its files are there already.
    pub async fn put_code(&self, scope: &Scope, code: &Code) -> Result<()> {
        let key = service_key(&code.service_id, format!("CODE#{}", code.code_id));
        self.put(scope, &key, code, OnlyIf::Any).await.map(|_| ())
    }

    /// Keeps a file whose end was seen.
    pub async fn put_file(&self, code: &CodeRef, path: &str, content: &str) -> Result<()> {
        self.store.put_file(&format!("{}/{}/{path}", code.service_id, code.code_id), content).await
    }

    /// The files that the row of written code lists, all of them.
    pub async fn files(&self, code: &Code) -> Result<Vec<CodeFile>> {
        let mut files = Vec::new();
        for CodeEntry { path, .. } in &code.files {
            let gone = || {
                Error::new(ErrorKind::Storage, format!("the stored {path} is gone: write the service again"))
            };
            let bytes = self.store.file(&format!("{}{path}", code.prefix())).await.map_err(forbidden)?;
            files.push(stored(path, bytes.ok_or_else(gone)?)?);
        }
        Ok(files)
    }

    /// Those of the six files that a run kept before it ended, or did not end. Where the store does not tell whether
    /// there is a file, there is none, unless `row` lists it: that one is paid for and may not be asked for again.
    pub(super) async fn kept(&self, code: &CodeRef, row: Option<&Code>) -> Result<Vec<CodeFile>> {
        let is_listed = |name: &str| row.is_some_and(|row| row.files.iter().any(|file| file.path == name));
        let mut files = Vec::new();
        for name in FILES {
            match self.store.file(&format!("{}/{}/{name}", code.service_id, code.code_id)).await {
                Ok(bytes) => files.extend(bytes.map(|bytes| stored(name, bytes)).transpose()?),
                Err(error) if error.kind() == ErrorKind::AccessDenied && !is_listed(name) => {}
                Err(error) => return Err(forbidden(error)),
            }
        }
        Ok(files)
    }

    async fn get<T: DeserializeOwned>(&self, scope: &Scope, key: &RowKey, what: &str) -> Result<(T, u64)> {
        let row = self.store.row(key).await?.filter(|row| row.scope == *scope);
        let row = row.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("no such {what}")))?;
        let value = serde_json::from_value(row.body)
            .map_err(|_| Error::new(ErrorKind::Storage, format!("the {what}'s row cannot be read")))?;
        Ok((value, row.version))
    }

    pub(super) async fn put(
        &self,
        scope: &Scope,
        key: &RowKey,
        value: &impl Serialize,
        only_if: OnlyIf,
    ) -> Result<u64> {
        let body = serde_json::to_value(value)
            .map_err(|_| Error::new(ErrorKind::Storage, "the row cannot be written as JSON"))?;
        self.store.put_row(key, scope, &body, only_if).await.map_err(|error| match error {
            PutError::Conflict => Error::new(
                ErrorKind::Conflict,
                "the conversation went on meanwhile: read it again and repeat",
            ),
            PutError::Store(error) => error,
        })
    }
}

fn stored(name: &str, bytes: Vec<u8>) -> Result<CodeFile> {
    let content = String::from_utf8(bytes).map_err(|_| {
        Error::new(ErrorKind::Storage, format!("the stored {name} is damaged: write it again"))
    })?;
    let language = Language::from_path(name).unwrap_or_else(Language::text);
    Ok(CodeFile { path: Some(name.to_owned()), language, content, complete: true, rejected: None })
}

/// It is the server that may not read the file, and not the caller.
fn forbidden(error: Error) -> Error {
    match error.kind() {
        ErrorKind::AccessDenied => error.with_kind(ErrorKind::Storage),
        _ => error,
    }
}

pub(super) fn conversation_key(id: &str) -> RowKey {
    RowKey { pk: format!("CONVERSATION#{id}"), sk: "DATA".into() }
}

pub(super) fn service_key(id: &str, sk: String) -> RowKey {
    RowKey { pk: format!("SERVICE#{id}"), sk }
}
