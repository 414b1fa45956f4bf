//! A result in the making: what has arrived so far, what it cost, and what became of each send.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ask::{Ask, Why};
use crate::catalogue::Catalogue;
use crate::clock::UtcMillis;
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::{Error, Kind};
use crate::file::CodeFile;
use crate::generation::{Attempt, Generation};
use crate::invoke::Patience;
use crate::language::Language;
use crate::plan::Plan;
use crate::price::Cost;
use crate::provider::{Field, ProviderError, StopReason};
use crate::read::{Answer, AnswerReader, Piece};
use crate::receipt::Receipt;
use crate::resume::{Joined, Splice};
use crate::usage::Usage;

/// How a send ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// The model finished.
    Complete(StopReason),
    /// The model met a limit: the answer is cut.
    Truncated(StopReason),
    /// The model finished without an answer.
    Empty,
    /// The send failed; a declined answer is such a failure too.
    Fault(ProviderError),
    /// Nothing was sent: the budget refused.
    Refused(Error),
}

/// One send that was made, as the policy reads it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its place among the plan's candidates.
    pub candidate: usize,
    /// Why it was made.
    pub why: Why,
    /// How it ended.
    pub ended: Ended,
    /// Whether it may be on the bill.
    pub paid: bool,
}

/// What has been reached with a request.
#[derive(Debug)]
pub enum Outcome {
    /// Complete, and no check found an error.
    Accepted,
    /// Complete, and a check found errors that stayed.
    Rejected,
    /// Not complete; the error says why and the generation carries what arrived.
    Incomplete(Error),
    /// Nothing came of it.
    Failed(Error),
}

impl Outcome {
    /// Why there is no complete answer, if there is none.
    pub fn error(&self) -> Option<&Error> {
        match self {
            Outcome::Accepted | Outcome::Rejected => None,
            Outcome::Incomplete(error) | Outcome::Failed(error) => Some(error),
        }
    }

    /// The result, or the error carrying what arrived.
    pub fn into_result(self, generation: Arc<Generation>) -> Result<Arc<Generation>, Error> {
        match self {
            Outcome::Accepted | Outcome::Rejected => Ok(generation),
            Outcome::Incomplete(error) | Outcome::Failed(error) => {
                Err(error.with_partial(Arc::unwrap_or_clone(generation)))
            }
        }
    }
}

/// A result in the making.
pub struct Draft {
    /// Files of the answer so far; after a cut those that are whole, and the half one.
    pub files: Vec<CodeFile>,
    /// The answer as received, files included.
    pub text: String,
    /// Every send, as the policy reads it.
    pub sent: Vec<Sent>,
    /// Every send, as the result tells it.
    pub attempts: Vec<Attempt>,
    /// What all sends cost.
    pub receipt: Receipt,
    /// Tokens of all sends.
    pub usage: Usage,
    /// What the checks found in the last complete answer.
    pub diagnostics: Vec<Diagnostic>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// Fields that the candidates were seen to refuse, by place.
    pub without: BTreeSet<(usize, Field)>,
    /// Whether a maybe-paid send may be repeated: not while most of the client's sends fail so.
    pub may_repeat: bool,
    /// How long a slow reader of the stream held the request up: its deadline moves by as much.
    pub held: Duration,
    reader: AnswerReader,
    again: AnswerReader,
    splice: Option<Splice>,
    revision: u32,
    received: usize,
    mending: Vec<CodeFile>,
    kept: Option<Kept>,
}

// Answers are the user's: Debug tells figures only.
impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft")
            .field("files", &self.files.len())
            .field("text_bytes", &self.text.len())
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// The last complete answer: a later send that fails does not lose it.
struct Kept {
    files: Vec<CodeFile>,
    text: String,
    diagnostics: Vec<Diagnostic>,
    stop_reason: StopReason,
    candidate: usize,
}

impl Draft {
    /// An empty draft for this plan.
    pub fn new(plan: &Plan) -> Self {
        Draft {
            files: Vec::new(),
            text: String::new(),
            sent: Vec::new(),
            attempts: Vec::new(),
            receipt: Receipt::default(),
            usage: Usage::default(),
            diagnostics: Vec::new(),
            warnings: plan.warnings.clone(),
            without: BTreeSet::new(),
            may_repeat: true,
            held: Duration::ZERO,
            reader: reader(plan),
            again: reader(plan),
            splice: None,
            revision: 0,
            received: 0,
            mending: Vec::new(),
            kept: None,
        }
    }

    /// Makes ready for the answer to `ask`: a resume goes on, everything else begins anew.
    pub fn open(&mut self, plan: &Plan, ask: &Ask) {
        self.splice = ask.anchor.as_ref().map(|anchor| Splice::new(anchor.clone()));
        self.received = self.text.len();
        if ask.anchor.is_none() && !self.sent.is_empty() {
            self.reader = reader(plan);
            self.mending = if ask.why == Why::Repair { std::mem::take(&mut self.files) } else { Vec::new() };
            self.files.clear();
            self.text.clear();
            self.received = 0;
            self.revision += 1;
        }
    }

    /// Takes a piece of the answer's text and gives what to show of it.
    pub fn take(&mut self, text: &str) -> Vec<Piece> {
        match &mut self.splice {
            Some(splice) => match splice.feed(text) {
                Some(joined) => self.join(joined),
                None => Vec::new(),
            },
            None => self.read(text),
        }
    }

    /// Goes on where a continuation joins; what it replaces is shown again under a higher revision.
    fn join(&mut self, joined: Joined) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if joined.keep < self.text.len() {
            let kept = self.text[..joined.keep].to_owned();
            self.reader = self.again.clone();
            self.revision += 1;
            self.text.clear();
            pieces = self.read(&kept);
            let open = pieces.iter().rposition(|piece| matches!(piece, Piece::FileStarted { .. }));
            let finished = pieces.iter().rposition(|piece| matches!(piece, Piece::FileFinished { .. }));
            pieces.drain(..open.filter(|at| finished.is_none_or(|end| end < *at)).unwrap_or(pieces.len()));
        }
        pieces.extend(self.read(&joined.text));
        pieces
    }

    fn read(&mut self, text: &str) -> Vec<Piece> {
        self.text.push_str(text);
        let mut pieces = self.reader.feed(text);
        self.stamp(&mut pieces);
        pieces
    }

    /// Files of a later answer replace those of an earlier one: their revisions are higher.
    fn stamp(&self, pieces: &mut [Piece]) {
        for piece in pieces {
            match piece {
                Piece::FileStarted { revision, .. }
                | Piece::FileChunk { revision, .. }
                | Piece::FileFinished { revision, .. } => *revision += self.revision * 1000,
                Piece::Text(_) => {}
            }
        }
    }

    /// Closes a send: notes how it ended and what it cost, and gives the last pieces.
    pub fn close(&mut self, plan: &Plan, ask: &Ask, ended: Ended, usage: Option<Usage>) -> Vec<Piece> {
        let mut pieces = Vec::new();
        if let Some(rest) = self.splice.take().and_then(Splice::finish) {
            pieces.extend(self.join(rest));
        }
        let whole = matches!(ended, Ended::Complete(_));
        let reader = if whole { std::mem::take(&mut self.reader) } else { self.reader.clone() };
        let (mut last, answer) = reader.finish();
        let ended = if whole && self.text.trim().is_empty() { Ended::Empty } else { ended };
        if !matches!(ended, Ended::Refused(_)) && (whole || !self.text.is_empty()) {
            self.stamp(&mut last);
            if whole {
                pieces.extend(last);
            }
            self.settle_files(answer, whole);
        } else if !self.mending.is_empty() {
            self.files = std::mem::take(&mut self.mending);
        }
        self.book(plan, ask, ended, usage);
        pieces
    }

    /// The files of the answer; what a repair did not write again stays as it was.
    fn settle_files(&mut self, answer: Answer, whole: bool) {
        self.files = std::mem::take(&mut self.mending);
        for file in answer.files {
            match self.files.iter_mut().find(|old| old.path.is_some() && old.path == file.path) {
                Some(old) => *old = file,
                None => self.files.push(file),
            }
        }
        if whole {
            self.warnings.extend(answer.notes);
        } else if let Some(last) = self.files.last_mut() {
            // An answer that is nothing but code has no mark of its end: cut, it is half a file.
            last.complete &= !self.text.trim_end().ends_with(last.content.trim_end());
        }
    }

    /// Notes what the checks found in a complete answer, and keeps it.
    pub fn checked(&mut self, diagnostics: Vec<Diagnostic>) {
        self.diagnostics = diagnostics;
        let Some(Sent { ended: Ended::Complete(reason), candidate, .. }) = self.sent.last() else { return };
        self.kept = Some(Kept {
            files: self.files.clone(),
            text: self.text.clone(),
            diagnostics: self.diagnostics.clone(),
            stop_reason: reason.clone(),
            candidate: *candidate,
        });
    }

    /// Whether the last send ended with a complete answer.
    pub fn is_complete(&self) -> bool {
        matches!(self.sent.last(), Some(Sent { ended: Ended::Complete(_), .. }))
    }

    /// Whether a complete answer was reached, now or before.
    pub fn has_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Whether the last send gave no text.
    pub fn added_nothing(&self) -> bool {
        self.text.len() <= self.received
    }

    /// Puts a send on the receipt.
    fn book(&mut self, plan: &Plan, ask: &Ask, ended: Ended, usage: Option<Usage>) {
        let candidate = plan.candidate(ask.candidate);
        let paid = match &ended {
            Ended::Refused(_) => false,
            Ended::Fault(fault) => fault.paid != crate::provider::Paid::No,
            _ => true,
        };
        let (catalogue, model) = (Catalogue::builtin(), &candidate.model);
        let send = match (&usage, paid) {
            (_, false) => None,
            (Some(usage), true) => Some(Receipt::of_send(catalogue, model, usage, false)),
            (None, true) => Some(Receipt::of_unknown(catalogue, model, ask.ceiling)),
        };
        let send = send.map(|send| if plan.policy.samples { send.as_sample() } else { send });
        self.usage += usage.unwrap_or_default();
        let unknown = paid && usage.is_none();
        let cost = send.as_ref().map_or(Cost::ZERO, Receipt::total);
        if let Some(send) = send {
            self.receipt.push_send(u32::try_from(self.attempts.len()).unwrap_or(u32::MAX), send);
        }
        self.attempts.push(Attempt {
            model: candidate.model.to_string(),
            why: ask.why.to_string(),
            outcome: outcome_of(&ended).to_owned(),
            cost,
            unknown,
            waited_ms: u64::try_from(ask.wait.as_millis()).unwrap_or(u64::MAX),
            request_id: match &ended {
                Ended::Fault(fault) => fault.request_id.clone(),
                _ => None,
            },
        });
        if let Ended::Fault(ProviderError { refused_field: Some(field), .. }) = &ended {
            self.without.insert((ask.candidate, *field));
        }
        self.sent.push(Sent { candidate: ask.candidate, why: ask.why.clone(), ended, paid });
    }

    /// Notes that the budget refused the send: nothing was sent.
    pub fn refused(&mut self, plan: &Plan, ask: &Ask, error: Error) {
        self.book(plan, ask, Ended::Refused(error), None);
    }

    /// How long the next send may take, within what is left of the request's time.
    pub fn patience(&self, plan: &Plan, now: UtcMillis) -> Patience {
        let total = plan.limits.deadline.plus(self.held).since(now);
        Patience { first_event: plan.limits.first_event, idle: plan.limits.idle, total }
    }

    /// Whether the last send is charged at its ceiling because its true cost never arrived.
    pub fn last_is_unknown(&self) -> bool {
        self.attempts.last().is_some_and(|attempt| attempt.unknown)
    }

    /// What the last send cost.
    pub fn last_cost(&self) -> Cost {
        self.attempts.last().map_or(Cost::ZERO, |attempt| attempt.cost)
    }

    /// Sends that may be on the bill.
    pub fn paid_sends(&self) -> u32 {
        u32::try_from(self.sent.iter().filter(|sent| sent.paid).count()).unwrap_or(u32::MAX)
    }

    /// Whether a check found an error in the last complete answer.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }

    /// The result with this outcome.
    pub fn into_generation(mut self, plan: &Plan, outcome: &Outcome) -> Generation {
        let mut candidate = self.sent.last().map_or(0, |sent| sent.candidate);
        let mut stop_reason = self.sent.last().and_then(|sent| match &sent.ended {
            Ended::Complete(reason) | Ended::Truncated(reason) => Some(reason.clone()),
            _ => None,
        });
        if let (false, Outcome::Rejected, Some(kept)) = (self.is_complete(), outcome, self.kept.take()) {
            self.files = kept.files;
            self.text = kept.text;
            self.diagnostics = kept.diagnostics;
            (candidate, stop_reason) = (kept.candidate, Some(kept.stop_reason));
        }
        let candidate = plan.candidate(candidate);
        Generation {
            id: plan.id.clone(),
            accepted: matches!(outcome, Outcome::Accepted),
            language: language(plan, &self.files),
            files: self.files,
            text: self.text,
            model: candidate.model.to_string(),
            tier: candidate.tier,
            tier_reason: plan.tier_reason.clone(),
            stop_reason,
            usage: self.usage,
            receipt: self.receipt,
            attempts: self.attempts,
            diagnostics: self.diagnostics,
            warnings: self.warnings,
            diff: None,
            cached: None,
            stored: false,
            stored_problem: None,
            s3_key: None,
            generated_at: plan.started,
            sample: plan.policy.samples,
            prompt: plan.request.prompt.clone(),
            batch_id: plan.request.batch_id.clone(),
        }
    }
}

fn language(plan: &Plan, files: &[CodeFile]) -> Language {
    let of_files = || files.iter().map(|f| &f.language).find(|l| **l != Language::text()).cloned();
    plan.language.clone().or_else(of_files).unwrap_or_else(Language::text)
}

fn reader(plan: &Plan) -> AnswerReader {
    AnswerReader::new(Some(&plan.prompt.nonce), plan.language.clone())
}

fn outcome_of(ended: &Ended) -> &'static str {
    match ended {
        Ended::Complete(_) => "complete",
        Ended::Truncated(_) => Kind::Truncated.as_str(),
        Ended::Empty => Kind::Empty.as_str(),
        Ended::Fault(fault) => fault.kind.as_str(),
        Ended::Refused(error) => error.kind.as_str(),
    }
}
