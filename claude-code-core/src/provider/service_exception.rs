//! Service exception: the service's own name of a fault, the source of the error that a caller gets.

/// Exception or error type of the service behind an [`Error`](crate::Error).
///
/// ```
/// use claude_code_core::Error;
/// use claude_code_core::provider::ServiceException;
///
/// /// Whether the service named the fault so.
/// fn is(error: &Error, code: &str) -> bool {
///     let source = std::error::Error::source(error);
///     source.and_then(|source| source.downcast_ref::<ServiceException>()).is_some_and(|found| found.code() == code)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the service answered {code}{}", .status.map(|status| format!(", HTTP {status}")).unwrap_or_default())]
pub struct ServiceException {
    code: String,
    status: Option<u16>,
}

impl ServiceException {
    pub(crate) fn new(code: String, status: Option<u16>) -> Self {
        ServiceException { code, status }
    }

    /// The exception or error type, as the service spells it: `ThrottlingException`, `overloaded_error`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The status of the response, where there was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}
