//! Conclusion: when a request is over, and with which outcome.

use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::outcome::Outcome;
use crate::error::{Error, ErrorKind};
use crate::provider::ended::Ended;
use crate::provider::{ProviderError, ServiceException};

/// A complete answer without errors.
pub(super) fn accepted(draft: &Draft, last: &AttemptRecord) -> Option<Outcome> {
    (matches!(last.ended, Ended::Complete(_)) && !draft.has_errors()).then_some(Outcome::Accepted)
}

/// What it is if nothing more is sent. An earlier complete answer is not lost to a later fault.
pub(super) fn concluded(draft: &Draft, last: &AttemptRecord) -> Outcome {
    match &last.ended {
        Ended::Complete(_) if !draft.edit_problems.is_empty() && !draft.has_kept() => {
            let problem = draft.edit_problems.first().map_or_else(String::new, ToString::to_string);
            let kept = match draft.files.as_slice() {
                [] => "nothing was changed",
                _ => "the other changed files are in partial",
            };
            let message = format!("{problem}: {kept}; ask for the whole file, or for less at once");
            Outcome::Failed(Error::new(ErrorKind::EditFailed, message))
        }
        Ended::Complete(_) if draft.lacks_code && !draft.has_kept() => {
            let message = "code was asked for, and the answer has no file; its words are in partial.text: say what to \
                           write, or ask with task explain or review for words";
            Outcome::Incomplete(Error::new(ErrorKind::NoCode, message))
        }
        Ended::Complete(_) if draft.has_errors() => Outcome::Rejected,
        Ended::Complete(_) => Outcome::Accepted,
        _ if draft.has_kept() => Outcome::Rejected,
        Ended::Truncated(reason) => Outcome::Incomplete(Error::new(
            ErrorKind::Truncated,
            format!(
                "the answer ended at {reason} before it was whole; the files received are in partial: raise \
                 max_tokens or max_sends, or ask for fewer files at once"
            ),
        )),
        Ended::Empty => Outcome::Incomplete(Error::new(
            ErrorKind::Empty,
            "the model ended its turn without an answer: say more exactly what is wanted, or ask another tier",
        )),
        Ended::Refused(error) => Outcome::Failed(error.clone()),
        Ended::Fault(fault) if matches!(fault.kind, ErrorKind::Cut | ErrorKind::Interrupted) => {
            Outcome::Incomplete(error_of(fault))
        }
        Ended::Fault(fault) => Outcome::Failed(error_of(fault)),
    }
}

fn error_of(fault: &ProviderError) -> Error {
    let error = Error::new(fault.kind, fault.message.clone())
        .with_retry_after(fault.retry_after)
        .with_request_id(fault.request_id.clone());
    match &fault.code {
        Some(code) => error.with_source(ServiceException::new(code.clone(), fault.status)),
        None => error,
    }
}
