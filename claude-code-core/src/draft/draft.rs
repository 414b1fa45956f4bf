//! Draft: a result in progress: what has arrived, what it cost, and how each attempt ended.

use std::collections::BTreeSet;
use std::time::Duration;

use super::best_so_far::Kept;
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::CodeFile;
use crate::clock::UtcMillis;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::edit::EditProblem;
use crate::error::{Error, ErrorKind};
use crate::metrics::Timing;
use crate::model::token_estimate::estimate_tokens;
use crate::money::price::Cost;
use crate::money::receipt::Receipt;
use crate::money::usage::Usage;
use crate::money::usage_figures::InferenceGeo;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::{CandidateId, Plan};
use crate::provider::attempt::Timeouts;
use crate::provider::ended::Ended;
use crate::provider::{Field, ProviderError};
use crate::read::{Answer, AnswerEvent, AnswerReader};
use crate::resume::{Anchor, Joined, Splice};

/// Draft: the result in progress.
pub struct Draft {
    /// Files of the answer so far; after a cut those that are whole, and the half one.
    pub files: Vec<CodeFile>,
    /// The answer as received, files included.
    pub text: String,
    /// Every attempt, in order.
    pub attempts: Vec<AttemptRecord>,
    /// Whether a sample of the local twin answered.
    pub sampled: bool,
    /// What all sends cost.
    pub receipt: Receipt,
    /// Tokens of all sends.
    pub usage: Usage,
    /// What the checks found in the last complete answer.
    pub diagnostics: Vec<Diagnostic>,
    /// What the caller should know.
    pub warnings: Vec<String>,
    /// Fields that the candidates were seen to refuse.
    pub without: BTreeSet<(CandidateId, Field)>,
    /// Edits that do not fit the file they name, one a file.
    pub edit_problems: Vec<EditProblem>,
    /// What the files of the last complete answer would lose of the given ones.
    pub losses: Vec<Diagnostic>,
    /// The last complete answer says by the line of the protocol that nothing has to change.
    pub no_change: bool,
    /// The last complete answer has no file although the task is one for code.
    pub lacks_code: bool,
    /// Whether a maybe-paid send may be repeated: not while most of the client's sends fail so.
    pub may_repeat: bool,
    /// When the current attempt began.
    pub began: Option<UtcMillis>,
    /// When the first of the last attempts that made no connection began.
    pub unreachable_since: Option<UtcMillis>,
    /// How long a slow reader of the stream held the request up: its deadline moves by as much.
    pub held: Duration,
    /// When the answer began.
    pub timing: Timing,
    pub(super) reader: AnswerReader,
    pub(super) again: AnswerReader,
    splice: Option<Splice>,
    pub(super) revision: u32,
    /// Bytes of text before the send that is under way, and whether it said anything.
    received: usize,
    pub(super) said: bool,
    /// The continuation that is under way, as it was received.
    pub(super) continuation: String,
    /// Text and reader before it.
    pub(super) before: Option<(Anchor, AnswerReader)>,
    /// Files of this answer that are whole, without those that a repair left as they were.
    pub(super) finished: Vec<Option<String>>,
    /// The complete answer breaks off outside its files: in an edit.
    pub(super) breaks_off: bool,
    /// The files that the repair under way mends: what it does not write again stays as it was.
    pub(super) mending: Option<Vec<CodeFile>>,
    /// The answers that repairs mended: the text of a result is everything that it was made from.
    pub(super) mended: String,
    /// The last complete answer: a later send that fails does not lose it.
    pub(super) kept: Option<Kept>,
    /// The best of the unfinished answers that were given up for another one.
    pub(super) best: Option<Kept>,
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

impl Draft {
    /// An empty draft for this plan.
    pub fn new(plan: &Plan) -> Self {
        Draft {
            files: Vec::new(),
            text: String::new(),
            attempts: Vec::new(),
            receipt: Receipt::default(),
            sampled: false,
            usage: Usage::default(),
            diagnostics: Vec::new(),
            warnings: plan.warnings.clone(),
            without: BTreeSet::new(),
            edit_problems: Vec::new(),
            losses: Vec::new(),
            no_change: false,
            lacks_code: false,
            may_repeat: true,
            began: None,
            unreachable_since: None,
            held: Duration::ZERO,
            timing: Timing::default(),
            reader: reader(plan),
            again: reader(plan),
            splice: None,
            revision: 0,
            received: 0,
            said: false,
            continuation: String::new(),
            before: None,
            finished: Vec::new(),
            breaks_off: false,
            mending: None,
            mended: String::new(),
            kept: None,
            best: None,
        }
    }

    /// Makes ready for the answer to `ask`: a resume goes on, everything else starts over.
    pub fn open(&mut self, plan: &Plan, attempt: &NextAttempt) {
        if attempt.why == AttemptReason::Downgrade {
            let (first, asked) = (&plan.first().model, &plan.candidate(attempt.candidate).model);
            self.warnings.push(format!("the budget did not allow {first}: {asked} was asked"));
        }
        let open = (self.reader.open_language(), self.reader.open_path());
        self.splice = attempt.anchor.as_ref().map(|a| Splice::new(a.clone(), open.0.clone(), open.1.clone()));
        self.continuation.clear();
        self.before = attempt.anchor.as_ref().map(|anchor| (anchor.clone(), self.reader.clone()));
        self.said = false;
        if attempt.anchor.is_none() && !self.attempts.is_empty() {
            self.begin_anew(&attempt.why);
            self.reader = reader(plan);
            self.revision += 1;
        }
        self.received = self.text.len();
    }

    /// Takes a piece of the answer's text and gives what to show of it.
    pub fn take(&mut self, text: &str) -> Vec<AnswerEvent> {
        self.said |= !text.trim().is_empty();
        if self.splice.is_some() {
            self.continuation.push_str(text);
        }
        match &mut self.splice {
            Some(splice) => match splice.feed(text) {
                Some(joined) => self.join(joined),
                None => Vec::new(),
            },
            None => self.read(text),
        }
    }

    /// Goes on where a continuation joins; what it replaces is shown again under a higher revision.
    fn join(&mut self, joined: Joined) -> Vec<AnswerEvent> {
        let mut pieces = Vec::new();
        if joined.keep < self.text.len() {
            let kept = self.text[..joined.keep].to_owned();
            self.reader = self.again.clone();
            self.revision += 1;
            self.text.clear();
            pieces = self.read(&kept);
            let open = pieces.iter().rposition(|piece| matches!(piece, AnswerEvent::FileStarted { .. }));
            let finished = pieces.iter().rposition(|piece| matches!(piece, AnswerEvent::FileFinished { .. }));
            pieces.drain(..open.filter(|at| finished.is_none_or(|end| end < *at)).unwrap_or(pieces.len()));
        }
        pieces.extend(self.read(&joined.text));
        pieces
    }

    pub(super) fn read(&mut self, text: &str) -> Vec<AnswerEvent> {
        self.text.push_str(text);
        let mut pieces = self.reader.feed(text);
        self.stamp(&mut pieces);
        pieces
    }

    /// Files of a later answer replace those of an earlier one: their revisions are higher.
    fn stamp(&self, pieces: &mut [AnswerEvent]) {
        for piece in pieces {
            match piece {
                AnswerEvent::FileStarted { revision, .. }
                | AnswerEvent::FileChunk { revision, .. }
                | AnswerEvent::FileFinished { revision, .. } => *revision += self.revision * 1000,
                AnswerEvent::Text(_) => {}
            }
        }
    }

    /// Closes a send: notes how it ended and what it cost, and gives the last pieces.
    pub fn close(
        &mut self,
        plan: &Plan,
        attempt: &NextAttempt,
        ended: Ended,
        usage: Option<Usage>,
        geo: &InferenceGeo,
    ) -> Vec<AnswerEvent> {
        let mut pieces = Vec::new();
        if let Some(rest) = self.splice.take().and_then(Splice::finish) {
            pieces.extend(self.join(rest));
        }
        if attempt.anchor.is_some() {
            pieces.extend(self.undo_loss());
        }
        let is_last = matches!(ended, Ended::Complete(_)) && attempt.anchor.is_none();
        let reader = if is_last { std::mem::take(&mut self.reader) } else { self.reader.clone() };
        let (mut last, answer) = reader.finish();
        let ended = self.judged(attempt, ended, &answer);
        if matches!(ended, Ended::Complete(_)) {
            self.stamp(&mut last);
            pieces.extend(last);
            self.settle(plan, answer, true);
        } else if !self.text.is_empty() {
            let answer = self.put_back(answer);
            self.settle(plan, answer, false);
        }
        self.book(plan, attempt, ended, usage, geo);
        pieces
    }

    /// How the send ended, seen from the whole answer. A model that says nothing, or stops by itself inside a file, when
    /// it is asked for the rest has not finished the answer: it is cut where it was.
    fn judged(&self, attempt: &NextAttempt, ended: Ended, answer: &Answer) -> Ended {
        match ended {
            Ended::Complete(_) if self.text.trim().is_empty() => Ended::Empty,
            Ended::Complete(reason) if attempt.anchor.is_some() && self.gave_up(answer) => {
                Ended::Truncated(reason)
            }
            ended => ended,
        }
    }

    /// Whether the last send ended with a complete answer.
    pub fn is_complete(&self) -> bool {
        matches!(self.attempts.last(), Some(AttemptRecord { ended: Ended::Complete(_), .. }))
    }

    /// Whether the last send gave no text.
    pub fn added_nothing(&self) -> bool {
        self.text.len() <= self.received
    }

    /// Tokens that a resume or repair sends along beside the prompt, estimated from above.
    pub fn sent_along(&self, plan: &Plan) -> u64 {
        let given = self.given_anew(plan);
        let mended = self.mending.as_ref().map_or(0, |_| estimate_tokens(&self.mended));
        estimate_tokens(&self.text) + mended + given.map(|file| estimate_tokens(&file.content)).sum::<u64>()
    }

    /// Puts a send on the receipt.
    fn book(
        &mut self,
        plan: &Plan,
        attempt: &NextAttempt,
        ended: Ended,
        usage: Option<Usage>,
        geo: &InferenceGeo,
    ) {
        let candidate = plan.candidate(attempt.candidate);
        let paid = match &ended {
            Ended::Refused(_) => false,
            Ended::Fault(fault) => fault.paid != crate::provider::Billing::No,
            _ => true,
        };
        let (catalogue, model) = (plan.policy.catalogue, candidate.known_as());
        let of_job = attempt.why == AttemptReason::BatchJob;
        let ceiling = if of_job { plan.ceiling(candidate, plan.prompt_tokens) } else { attempt.ceiling };
        let send = match (&usage, paid) {
            (_, false) => None,
            (Some(usage), true) if of_job => Some(plan.job_receipt(candidate, usage)),
            (Some(usage), true) => Some(plan.receipt(candidate, usage, geo)),
            (None, true) => Some(Receipt::of_unknown(catalogue, model, ceiling)),
        };
        let is_sample = plan.policy.samples || *geo == InferenceGeo::Sample;
        self.sampled |= is_sample;
        let send = send.map(|send| if is_sample { send.as_sample() } else { send });
        self.usage += usage.unwrap_or_default();
        let unknown = paid && usage.is_none();
        let cost = send.as_ref().map_or(Cost::ZERO, Receipt::total);
        if let Some(send) = send {
            self.receipt.push_send(u32::try_from(self.attempts.len()).unwrap_or(u32::MAX), send);
        }
        if let Ended::Fault(ProviderError { refused_field: Some(field), .. }) = &ended {
            self.without.insert((attempt.candidate, *field));
        }
        self.unreachable_since = match &ended {
            Ended::Fault(fault) if fault.kind == ErrorKind::Connection => {
                self.unreachable_since.or(self.began)
            }
            _ => None,
        };
        self.attempts.push(AttemptRecord {
            candidate: attempt.candidate,
            model: candidate.model.to_string(),
            why: attempt.why.clone(),
            ended,
            paid,
            cost,
            unknown,
            waited: attempt.wait,
        });
    }

    /// Notes that the budget refused the send: nothing was sent.
    pub fn refused(&mut self, plan: &Plan, attempt: &NextAttempt, error: Error) {
        self.book(plan, attempt, Ended::Refused(error), None, &InferenceGeo::Unrestricted);
    }

    /// How long the next send may take, within what is left of the request's time.
    pub fn timeouts(&self, plan: &Plan, now: UtcMillis) -> Timeouts {
        let total = plan.limits.deadline.plus(self.held).since(now);
        Timeouts { first_event: plan.limits.first_event, idle: plan.limits.idle, total }
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
        u32::try_from(self.attempts.iter().filter(|attempt| attempt.paid).count()).unwrap_or(u32::MAX)
    }

    /// Whether a check found an error in the last complete answer.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|d| d.severity == Severity::Error)
    }
}

fn reader(plan: &Plan) -> AnswerReader {
    AnswerReader::new(Some(&plan.prompt.nonce), plan.language.clone())
}
