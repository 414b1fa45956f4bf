//! A result in the making: what has arrived so far, what it cost, and what became of each send.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::ask::{Ask, Why};
use crate::catalogue::Catalogue;
use crate::clock::UtcMillis;
use crate::diagnostic::{Diagnostic, Severity};
use crate::edit::EditProblem;
use crate::error::Error;
use crate::file::CodeFile;
use crate::generation::{Attempt, Generation};
use crate::invoke::Patience;
use crate::language::Language;
use crate::next;
use crate::outcome::{Ended, Outcome, Sent};
use crate::plan::Plan;
use crate::price::Cost;
use crate::provider::{Field, ProviderError, StopReason};
use crate::read::{Answer, AnswerReader, Piece};
use crate::receipt::Receipt;
use crate::refactor;
use crate::resume::{Joined, Splice};
use crate::usage::Usage;

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
    /// The edit that does not fit the file it names.
    pub edit_problem: Option<EditProblem>,
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
    /// The answers that repairs mended: the text of a result is everything that it was made from.
    mended: String,
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
            edit_problem: None,
            may_repeat: true,
            held: Duration::ZERO,
            reader: reader(plan),
            again: reader(plan),
            splice: None,
            revision: 0,
            received: 0,
            mending: Vec::new(),
            mended: String::new(),
            kept: None,
        }
    }

    /// Makes ready for the answer to `ask`: a resume goes on, everything else begins anew.
    pub fn open(&mut self, plan: &Plan, ask: &Ask) {
        if ask.why == Why::Downgrade {
            let (first, asked) = (&plan.first().model, &plan.candidate(ask.candidate).model);
            self.warnings.push(format!("the budget did not allow {first}: {asked} was asked"));
        }
        let left_out = next::left_out(plan, ask, self);
        self.warnings.extend(left_out);
        self.splice = ask.anchor.as_ref().map(|anchor| Splice::new(anchor.clone()));
        self.received = self.text.len();
        if ask.anchor.is_none() && !self.sent.is_empty() {
            self.reader = reader(plan);
            let (files, text) = (std::mem::take(&mut self.files), std::mem::take(&mut self.text));
            if ask.why == Why::Repair {
                self.mending = files;
                self.mended.push_str(&text);
            } else {
                self.mended.clear();
            }
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
            self.settle_files(plan, answer, whole);
        } else if !self.mending.is_empty() {
            self.files = std::mem::take(&mut self.mending);
        }
        self.book(plan, ask, ended, usage);
        pieces
    }

    /// The files of the answer; what a repair did not write again stays as it was.
    fn settle_files(&mut self, plan: &Plan, answer: Answer, whole: bool) {
        self.files = std::mem::take(&mut self.mending);
        let (files, problem) = match refactor::files(&plan.request.files, &answer) {
            Ok(files) => (files, None),
            Err(problem) => (answer.files, Some(problem)),
        };
        self.edit_problem = problem;
        for file in files {
            match self.files.iter_mut().find(|old| old.path.is_some() && old.path == file.path) {
                Some(old) => *old = file,
                None => self.files.push(file),
            }
        }
        if whole {
            self.warnings.extend(answer.notes);
        } else if let Some(last) = self.files.last_mut() {
            // Of a cut answer's last file only our own end marker proves that it is whole: a fence line may as well be
            // part of it, and bare code has no end at all.
            let end =
                format!("=== end {}: {} ===", plan.prompt.nonce, last.path.as_deref().unwrap_or_default());
            last.complete &= self.text.lines().any(|line| line.trim_end() == end);
        }
    }

    /// Notes what the checks found in a complete answer, and keeps it if it may be asked for again.
    pub fn checked(&mut self, diagnostics: Vec<Diagnostic>) {
        self.diagnostics = diagnostics;
        if let Some(problem) = &self.edit_problem {
            self.diagnostics.push(Diagnostic {
                path: problem.path.clone(),
                line: 0,
                column: 0,
                severity: Severity::Error,
                message: problem.to_string(),
            });
            return;
        }
        let Some(Sent { ended: Ended::Complete(reason), candidate, .. }) = self.sent.last() else { return };
        // Nothing follows an accepted answer: it needs no copy.
        if !self.has_errors() {
            return;
        }
        self.kept = Some(Kept {
            files: self.files.clone(),
            text: format!("{}{}", self.mended, self.text),
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
        let (catalogue, model) = (Catalogue::builtin(), candidate.known_as());
        let send = match (&usage, paid) {
            (_, false) => None,
            (Some(usage), true) => Some(plan.receipt(candidate, usage)),
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
            outcome: ended.name().to_owned(),
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
            self.mended = kept.text;
            self.text.clear();
            self.diagnostics = kept.diagnostics;
            (candidate, stop_reason) = (kept.candidate, Some(kept.stop_reason));
        }
        let candidate = plan.candidate(candidate);
        Generation {
            id: plan.id.clone(),
            accepted: matches!(outcome, Outcome::Accepted),
            language: language(plan, &self.files),
            diff: plan.request.work.changes_files().then(|| refactor::diff(&plan.request.files, &self.files)),
            files: self.files,
            text: joined(self.mended, self.text),
            model: candidate.model.to_string(),
            tier: candidate.tier,
            tier_reason: plan.tier_reason.clone(),
            stop_reason,
            usage: self.usage,
            receipt: self.receipt,
            attempts: self.attempts,
            diagnostics: self.diagnostics,
            warnings: self.warnings,
            cached: None,
            stored: false,
            stored_problem: None,
            s3_key: None,
            generated_at: plan.started,
            sample: plan.policy.samples,
            prompt: plan.request.prompt.clone(),
            batch_id: plan.request.batch_id.clone(),
            cache_key: None,
        }
    }
}

/// Both texts; the usual one, without a repair before it, as it is.
fn joined(before: String, text: String) -> String {
    if before.is_empty() { text } else { before + &text }
}

fn language(plan: &Plan, files: &[CodeFile]) -> Language {
    let of_files = || files.iter().map(|f| &f.language).find(|l| **l != Language::text()).cloned();
    plan.language.clone().or_else(of_files).unwrap_or_else(Language::text)
}

fn reader(plan: &Plan) -> AnswerReader {
    AnswerReader::new(Some(&plan.prompt.nonce), plan.language.clone())
}
