//! One error for the whole crate, and the kind that callers act on.

use std::sync::Arc;
use std::time::Duration;

use crate::generation::Generation;
use crate::money::receipt::Receipt;

/// What went wrong, as callers, HTTP statuses, Python exceptions and exit codes tell it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value of the request is out of range or of the wrong form.
    InvalidRequest,
    /// The request could not be read at all (broken JSON, wrong encoding).
    Malformed,
    /// The local twin has no sample answer for this prompt.
    NoSample,
    /// Prompt and answer together are longer than the model's context.
    ContextTooLong,
    /// No credentials, or they were refused.
    Credentials,
    /// The caller is known and may not do this.
    AccessDenied,
    /// No such id within the caller's scope.
    NotFound,
    /// The model is past its end of life.
    Retired,
    /// The model is legacy and closed to accounts that did not use it lately.
    Legacy,
    /// The model is reached only through an inference profile.
    NeedsProfile,
    /// The account must set a data-retention mode for this model first.
    DataRetention,
    /// The service asks to slow down.
    Throttled,
    /// A fixed quota is used up; waiting does not help soon.
    Quota,
    /// Our own host is full; nothing was sent.
    Shed,
    /// A cap on spending would be passed.
    Budget,
    /// A limit of ours on waiting passed.
    Timeout,
    /// The answer ended at max_tokens or at the context's end.
    Truncated,
    /// The connection or the stream broke before the answer's end.
    Cut,
    /// The model ended its turn without an answer.
    Empty,
    /// Code was asked for, and the answer has no file; its words are in the partial result.
    NoCode,
    /// The answer is complete, and a check found an error in it.
    Rejected,
    /// The model declined.
    Refused,
    /// A content filter stopped the answer.
    Filtered,
    /// A guardrail stopped the answer.
    Guardrail,
    /// The service cannot answer now.
    Unavailable,
    /// No connection to the service was made: name, route, proxy, certificate or TLS version.
    Connection,
    /// The host's own credentials for the model service are missing or refused: not the caller's.
    UpstreamCredentials,
    /// Damaged or unexpected bytes, or an unknown stop reason.
    Protocol,
    /// S3, DynamoDB or the local disk failed.
    Storage,
    /// Something else is in progress, or the version read is stale.
    Conflict,
    /// An idempotency key came back with another body.
    KeyReused,
    /// An edit does not fit the file it names.
    EditFailed,
    /// The caller ended the request before its answer was whole.
    Interrupted,
    /// The process was forked after the runtime had started.
    Forked,
}

impl ErrorKind {
    /// Whether the same request may well succeed later, unchanged.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            ErrorKind::Throttled
                | ErrorKind::Shed
                | ErrorKind::Timeout
                | ErrorKind::Cut
                | ErrorKind::Unavailable
                | ErrorKind::Connection
                | ErrorKind::Conflict
        )
    }

    /// Whether the service is busy: it may answer in a moment.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self, ErrorKind::Throttled | ErrorKind::Unavailable)
    }

    /// Whether the model is closed to the caller: it stays so until somebody changes the account, the id or the quota.
    pub(crate) fn is_closed(self) -> bool {
        matches!(
            self,
            ErrorKind::Quota
                | ErrorKind::AccessDenied
                | ErrorKind::Retired
                | ErrorKind::Legacy
                | ErrorKind::NeedsProfile
                | ErrorKind::DataRetention
                | ErrorKind::NotFound
        )
    }

    /// The status of a response that tells this error: the HTTP API's own table.
    ///
    /// ```
    /// assert_eq!(claude_code_core::ErrorKind::Budget.http_status(), 402);
    /// ```
    pub fn http_status(self) -> u16 {
        match self {
            ErrorKind::Malformed => 400,
            ErrorKind::Budget => 402,
            ErrorKind::AccessDenied | ErrorKind::NeedsProfile | ErrorKind::DataRetention => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::Retired | ErrorKind::Legacy => 410,
            ErrorKind::ContextTooLong => 413,
            ErrorKind::InvalidRequest
            | ErrorKind::NoSample
            | ErrorKind::KeyReused
            | ErrorKind::EditFailed
            | ErrorKind::Rejected
            | ErrorKind::Refused
            | ErrorKind::Filtered
            | ErrorKind::Guardrail => 422,
            ErrorKind::Shed => 429,
            ErrorKind::Truncated
            | ErrorKind::Cut
            | ErrorKind::Empty
            | ErrorKind::NoCode
            | ErrorKind::Interrupted => 502,
            ErrorKind::Throttled
            | ErrorKind::Quota
            | ErrorKind::Unavailable
            | ErrorKind::Connection
            | ErrorKind::Credentials
            | ErrorKind::UpstreamCredentials
            | ErrorKind::Protocol => 503,
            ErrorKind::Timeout => 504,
            ErrorKind::Storage | ErrorKind::Forked => 500,
        }
    }

    /// The name in snake case, as in JSON and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::InvalidRequest => "invalid_request",
            ErrorKind::Malformed => "malformed",
            ErrorKind::NoSample => "no_sample",
            ErrorKind::ContextTooLong => "context_too_long",
            ErrorKind::Credentials => "credentials",
            ErrorKind::AccessDenied => "access_denied",
            ErrorKind::NotFound => "not_found",
            ErrorKind::Retired => "retired",
            ErrorKind::Legacy => "legacy",
            ErrorKind::NeedsProfile => "needs_profile",
            ErrorKind::DataRetention => "data_retention",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Quota => "quota",
            ErrorKind::Shed => "shed",
            ErrorKind::Budget => "budget",
            ErrorKind::Timeout => "timeout",
            ErrorKind::Truncated => "truncated",
            ErrorKind::Cut => "cut",
            ErrorKind::Empty => "empty",
            ErrorKind::NoCode => "no_code",
            ErrorKind::Rejected => "rejected",
            ErrorKind::Refused => "refused",
            ErrorKind::Filtered => "filtered",
            ErrorKind::Guardrail => "guardrail",
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Connection => "connection",
            ErrorKind::UpstreamCredentials => "upstream_credentials",
            ErrorKind::Protocol => "protocol",
            ErrorKind::Storage => "storage",
            ErrorKind::Conflict => "conflict",
            ErrorKind::KeyReused => "key_reused",
            ErrorKind::EditFailed => "edit_failed",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::Forked => "forked",
        }
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Error of a call that gave no result. The message is one line: what failed, with which value, and what to do.
/// It never contains the prompt, the answer or a secret.
///
/// ```
/// use claude_code_core::{Error, ErrorKind};
///
/// fn is_worth_another_try(error: &Error) -> bool {
///     if let Some(receipt) = error.receipt() {
///         eprintln!("{error}; so far it cost {}", receipt.total());
///     }
///     error.kind() != ErrorKind::Budget && error.is_retryable()
/// }
///
/// assert!(is_worth_another_try(&Error::new(ErrorKind::Throttled, "the service asks to slow down: wait")));
/// ```
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    kind: ErrorKind,
    message: String,
    retry_after: Option<Duration>,
    request_id: Option<String>,
    partial: Option<Box<Generation>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

// What a program prints whose `main` returns this error: the line for a person, and what a bug report needs.
impl std::fmt::Debug for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Parts { kind, message, retry_after, request_id, partial, .. } = &*self.0;
        write!(f, "{message} ({kind}")?;
        if let Some(wait) = retry_after {
            write!(f, ", retry after {} s", wait.as_secs_f64().ceil())?;
        }
        if let Some(id) = request_id {
            write!(f, ", request {id}")?;
        }
        match partial {
            Some(partial) if !partial.files.is_empty() => {
                write!(f, ", with {} received files)", partial.files.len())
            }
            _ => f.write_str(")"),
        }
    }
}

/// The result of everything here that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind with its line for a person.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Error(Box::new(Parts {
            kind,
            message,
            retry_after: None,
            request_id: None,
            partial: None,
            source: None,
        }))
    }

    /// A value of the request that cannot be used.
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::InvalidRequest, message)
    }

    /// The same error, of another kind.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The same error, with another line for a person.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same error, with how long the service asked to wait.
    #[must_use]
    pub fn with_retry_after(mut self, wait: impl Into<Option<Duration>>) -> Self {
        self.0.retry_after = wait.into();
        self
    }

    /// The same error, with the service's id of the failed request.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<Option<String>>) -> Self {
        self.0.request_id = id.into();
        self
    }

    /// The same error, carrying what was received and paid for.
    #[must_use]
    pub fn with_partial(mut self, partial: Generation) -> Self {
        self.0.partial = Some(Box::new(partial));
        self
    }

    /// The same error, with its cause for [`source`](std::error::Error::source). The message does not repeat it.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// What callers act on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// One line for a person.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How long the service asked to wait, where it said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The service's id of the failed request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What was received and paid for until then: files, text, attempts and receipt.
    pub fn partial(&self) -> Option<&Generation> {
        self.0.partial.as_deref()
    }

    /// What was received and paid for until then, taken out.
    pub fn into_partial(self) -> Option<Generation> {
        self.0.partial.map(|partial| *partial)
    }

    /// What the failed call cost, if anything was sent.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.0.partial.as_ref().map(|partial| &partial.receipt)
    }

    /// Whether the same request may well succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }
}
