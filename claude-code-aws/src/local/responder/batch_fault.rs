//! Scripted faults of batch inference jobs.

/// What the next job that is created meets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BatchFault {
    /// It is created, and the reply is an error.
    LostReply,
    /// It fails in validation, with this message.
    Fail(String),
    /// It stays scheduled until it is stopped or expires.
    Hold,
    /// It stays in progress until it is stopped or expires: then half of its records are done.
    Slow,
    /// The job needs so many records.
    Minimum(usize),
    /// Every record ends in this error, and the job is completed.
    RecordErrors(String),
    /// The output lacks every nth record.
    Missing(usize),
    /// The output's first line is cut.
    Torn,
    /// The output has its first record twice.
    Repeated,
    /// The output has a record that was not in the input.
    Unknown,
}
