//! Best result so far: the last complete answer, else the best incomplete one; returned if nothing better comes.

use super::Draft;
use crate::answer::diagnostic::Diagnostic;
use crate::answer::file::CodeFile;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::outcome::Outcome;
use crate::plan::CandidateId;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::StopReason;
use crate::provider::ended::Ended;

/// Candidate result with its diagnostics.
pub(super) struct Kept {
    files: Vec<CodeFile>,
    text: String,
    diagnostics: Vec<Diagnostic>,
    stop_reason: Option<StopReason>,
    candidate: CandidateId,
}

impl Draft {
    /// Notes what the checks found in a complete answer, and keeps it if something may be asked for again.
    pub fn checked(&mut self, diagnostics: Vec<Diagnostic>) {
        self.diagnostics = diagnostics;
        self.diagnostics.extend(self.unfinished());
        // Nothing follows an accepted answer: it needs no copy. One whose edits do not fit is none to fall back on.
        if self.has_errors() && self.edit_problems.is_empty() && !self.lacks_code {
            let text = format!("{}{}", self.mended, self.text);
            self.kept = Some(self.keep(self.files.clone(), text));
        }
    }

    /// Whether a complete answer was reached, now or before.
    pub fn has_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Makes room for another answer. A repair mends the complete answer before it; everything else takes its place,
    /// and of what was received and paid for the best is kept.
    pub(super) fn begin_anew(&mut self, why: &AttemptReason) {
        let is_complete = self.is_complete();
        let (files, text) = (std::mem::take(&mut self.files), std::mem::take(&mut self.text));
        self.finished.clear();
        if *why == AttemptReason::Repair {
            // A repair that failed is asked for again about the same files.
            if is_complete {
                self.mended.push_str(&text);
                self.mending = Some(files);
            }
            self.files = self.mending.clone().unwrap_or_default();
            return;
        }
        let before = std::mem::take(&mut self.mended);
        self.mending = None;
        if !is_complete && is_better(&files, &text, self.best.as_ref()) {
            self.best = Some(self.keep(files, before + &text));
        }
    }

    /// Where the last send is not what the result should be made of, puts in its place what is; gives its candidate and
    /// stop reason.
    pub(super) fn restore(&mut self, outcome: &Outcome) -> (CandidateId, Option<StopReason>) {
        let last = (self.last_candidate(), self.last_stop());
        if self.is_complete() {
            return last;
        }
        let kept = match outcome {
            Outcome::Rejected => self.kept.take(),
            Outcome::Accepted => None,
            Outcome::Incomplete(_) | Outcome::Failed(_) => {
                self.best.take().filter(|best| !is_better(&self.files, &self.text, Some(best)))
            }
        };
        let Some(kept) = kept else { return last };
        self.files = kept.files;
        self.mended = kept.text;
        self.text.clear();
        self.diagnostics = kept.diagnostics;
        (kept.candidate, kept.stop_reason)
    }

    fn keep(&self, files: Vec<CodeFile>, text: String) -> Kept {
        let (candidate, stop_reason) = (self.last_candidate(), self.last_stop());
        Kept { files, text, diagnostics: self.diagnostics.clone(), stop_reason, candidate }
    }

    fn last_candidate(&self) -> CandidateId {
        self.attempts.last().map_or(CandidateId::FIRST, |last| last.candidate)
    }

    fn last_stop(&self) -> Option<StopReason> {
        match self.attempts.last() {
            Some(AttemptRecord { ended: Ended::Complete(reason) | Ended::Truncated(reason), .. }) => {
                Some(reason.clone())
            }
            _ => None,
        }
    }
}

/// Whether there is more of an answer than of the one kept: more whole files, then more text.
fn is_better(files: &[CodeFile], text: &str, than: Option<&Kept>) -> bool {
    let rank = |files: &[CodeFile], text: &str| (files.iter().filter(|f| f.complete).count(), text.len());
    !text.is_empty() && than.is_none_or(|kept| rank(files, text) > rank(&kept.files, &kept.text))
}
