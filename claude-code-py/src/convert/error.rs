//! The one table of exceptions, and what each carries.

use claude_code_aws::{Error, ErrorKind};
use pyo3::exceptions::{PyException, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use pyo3::{PyTypeInfo, create_exception};

use crate::result::generation::Generation;
use crate::result::values::Receipt;

/// What every exception has, and its value where there is none.
const FIELDS: [&str; 6] = ["kind", "hint", "request_id", "receipt", "partial", "retry_after"];

create_exception!(
    claude_code,
    ClaudeCodeError,
    PyException,
    "The base of every exception of this package: .kind says what callers act on, .hint what to do, .partial and \
     .receipt what was received and paid for until then, .retry_after (seconds) how long the service asked to wait."
);

/// The exceptions below the base, with their docstrings.
macro_rules! exceptions {
    ($($name:ident: $doc:literal,)*) => {
        $(create_exception!(claude_code, $name, ClaudeCodeError, $doc);)*

        fn export_all(module: &Bound<'_, PyModule>) -> PyResult<()> {
            let py = module.py();
            module.add("ClaudeCodeError", py.get_type::<ClaudeCodeError>())?;
            $(module.add(stringify!($name), py.get_type::<$name>())?;)*
            Ok(())
        }
    };
}

exceptions! {
    InvalidRequestError: "A value of the request cannot be used; nothing was sent.",
    AuthenticationError: "There are no credentials, or they were refused.",
    PermissionDeniedError: "The caller is known and may not do this.",
    NotFoundError: "There is no such id, or it has expired.",
    RateLimitError: "The service asks to slow down; .retry_after says how long, where it said so.",
    BudgetExceededError: "A cap on spending would be passed; the send that would pass it was not made.",
    ModelRetiredError: "The model is past its end of life; the message names its successor.",
    IncompleteAnswerError: "The answer ended too early; .partial has what was received.",
    RejectedAnswerError: "A complete answer in which a check found an error: raise_for_rejected(). .partial is the result.",
    RefusedError: "The model or a filter declined.",
    UnavailableError: "The service cannot answer now, or sent what cannot be read.",
    StorageError: "S3, DynamoDB or the local disk failed.",
    ConflictError: "Something else is in progress, or exists already.",
    EditError: "An edit does not fit the file that it names.",
    ForkedProcessError: "A stream, batch or local database that was open when the process was forked is the parent's.",
}

/// The exception of a kind: decisions about it are made nowhere else.
fn class(py: Python<'_>, kind: ErrorKind) -> PyResult<Bound<'_, PyType>> {
    Ok(match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Malformed
        | ErrorKind::NoSample
        | ErrorKind::ContextTooLong
        | ErrorKind::KeyReused => InvalidRequestError::type_object(py),
        ErrorKind::Credentials | ErrorKind::UpstreamCredentials => AuthenticationError::type_object(py),
        ErrorKind::AccessDenied | ErrorKind::NeedsProfile | ErrorKind::DataRetention => {
            PermissionDeniedError::type_object(py)
        }
        ErrorKind::NotFound => NotFoundError::type_object(py),
        ErrorKind::Retired | ErrorKind::Legacy => ModelRetiredError::type_object(py),
        ErrorKind::Throttled | ErrorKind::Quota | ErrorKind::Shed => RateLimitError::type_object(py),
        ErrorKind::Budget => BudgetExceededError::type_object(py),
        ErrorKind::Timeout => timeout(py)?,
        ErrorKind::Truncated
        | ErrorKind::Cut
        | ErrorKind::Empty
        | ErrorKind::NoCode
        | ErrorKind::Interrupted => IncompleteAnswerError::type_object(py),
        ErrorKind::Rejected => RejectedAnswerError::type_object(py),
        ErrorKind::Refused | ErrorKind::Filtered | ErrorKind::Guardrail => RefusedError::type_object(py),
        ErrorKind::Unavailable | ErrorKind::Connection | ErrorKind::Protocol => {
            UnavailableError::type_object(py)
        }
        ErrorKind::Storage => StorageError::type_object(py),
        ErrorKind::Conflict => ConflictError::type_object(py),
        ErrorKind::EditFailed => EditError::type_object(py),
        ErrorKind::Forked => ForkedProcessError::type_object(py),
        _ => ClaudeCodeError::type_object(py),
    })
}

/// What a caller can do about a kind.
fn hint(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::NoSample => "client.samples() lists the prompts that have an answer offline",
        ErrorKind::ContextTooLong => "send fewer or shorter files",
        ErrorKind::Credentials => {
            "aws sso login, AWS_BEARER_TOKEN_BEDROCK, provider=\"anthropic\", or offline: Client.local()"
        }
        ErrorKind::AccessDenied => {
            "allow bedrock:InvokeModelWithResponseStream on the model and its inference profile"
        }
        ErrorKind::NeedsProfile => "put the geography before the model's id, as in global. or us.",
        ErrorKind::DataRetention => "set the data-retention mode of the account, or choose another model",
        ErrorKind::Retired | ErrorKind::Legacy => "leave model out: the catalogue's choice is a current one",
        ErrorKind::Throttled | ErrorKind::Shed => {
            "wait .retry_after seconds, and send fewer requests at the same time"
        }
        ErrorKind::Quota => "ask AWS for a higher quota, or use another model",
        ErrorKind::Budget => "raise max_usd or CLAUDE_CODE_AWS_MAX_USD_PER_DAY, or choose a cheaper tier",
        ErrorKind::Timeout => "raise timeout; .partial has what was received",
        ErrorKind::Truncated => "raise max_tokens, or ask for less at once; .partial has what was received",
        ErrorKind::Cut | ErrorKind::Empty => "ask again; .partial has what was received",
        ErrorKind::NoCode => {
            "the answer is words; .partial.text has them: say what to write, or use explain() or review()"
        }
        ErrorKind::Rejected => {
            ".partial has the whole result: read its diagnostics, refine it, or ask a higher tier"
        }
        ErrorKind::Refused | ErrorKind::Filtered | ErrorKind::Guardrail => "word the request differently",
        ErrorKind::Unavailable => "ask again later, or choose another model",
        ErrorKind::Connection => "claude-code-aws doctor tests the route: name, proxy, TLS, clock",
        ErrorKind::Storage => "pass store=False to go on without storing",
        ErrorKind::Forked => "fork while no call is under way, or start processes with the \"spawn\" method",
        _ => return None,
    })
}

/// The exception of an error, with all it carries.
pub(crate) fn raise(py: Python<'_>, error: Error) -> PyErr {
    build(py, error).unwrap_or_else(|failed| failed)
}

fn build(py: Python<'_>, error: Error) -> PyResult<PyErr> {
    let exception = class(py, error.kind())?.call1((error.message(),))?;
    exception.setattr("kind", error.kind().as_str())?;
    exception.setattr("hint", hint(error.kind()))?;
    // Python 3.11 and later show it below the message of a traceback.
    if let Some(hint) = hint(error.kind())
        && exception.hasattr("add_note")?
    {
        exception.call_method1("add_note", (format!("hint: {hint}"),))?;
    }
    exception.setattr("request_id", error.request_id())?;
    exception.setattr("retry_after", error.retry_after().map(|time| time.as_secs_f64()))?;
    exception.setattr("receipt", error.receipt().cloned().map(Receipt))?;
    exception.setattr("partial", error.into_partial().map(Generation::of))?;
    Ok(PyErr::from_value(exception))
}

/// The one exception with two bases, so that `except TimeoutError` finds it too.
fn timeout(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    static TIMEOUT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = TIMEOUT.get_or_try_init(py, || {
        let body = PyDict::new(py);
        body.set_item("__module__", "claude_code")?;
        body.set_item(
            "__doc__",
            "A limit on waiting passed: first event, idle, or total. Also a TimeoutError.",
        )?;
        let bases = (ClaudeCodeError::type_object(py), PyTimeoutError::type_object(py));
        let class = py.get_type::<PyType>().call1(("RequestTimeoutError", bases, body))?;
        Ok::<_, PyErr>(class.cast_into::<PyType>()?.unbind())
    })?;
    Ok(made.bind(py).clone())
}

/// Puts the exceptions into the module. One that a test makes by hand has every field too, with None in it.
pub(crate) fn export(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    export_all(module)?;
    module.add("RequestTimeoutError", timeout(py)?)?;
    let base = ClaudeCodeError::type_object(py);
    FIELDS.iter().try_for_each(|field| base.setattr(*field, py.None()))
}
