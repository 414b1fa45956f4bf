//! Retry with backoff: faults that cost nothing are retried until the deadline, a fault that may have been billed once.
//! The only file that knows the `backoff` crate; it gives the intervals, the jitter is ours and seeded.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff;

use super::{fallback, on_this_candidate, send_to};
use crate::draft::Draft;
use crate::draft::attempt_record::AttemptRecord;
use crate::draft::next_attempt::NextAttempt;
use crate::error::ErrorKind;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::provider::ended::Ended;
use crate::provider::{Billing, Field, GiveUp, ProviderError};
use crate::resume::Anchor;

/// The first interval; Bedrock's token window is a minute, so a quick burst of retries never helps.
const FIRST: Duration = Duration::from_secs(1);
/// The longest interval.
const LONGEST: Duration = Duration::from_secs(30);
/// Safe faults on one candidate after which the next candidate is asked, where there is one.
pub(super) const BEFORE_FALLBACK: usize = 3;
/// The longest wait that a service may ask for where there is another candidate: as long as the tries before it take.
const BEFORE_ELSEWHERE: Duration = Duration::from_secs(3);
/// The second attempt at a connection with a permanent cause rules out an accident of the moment: it need not wait.
const SOONER: u32 = 10;
/// Sends of one request that may end in a fault that may have been paid for: one, and its one repeat.
const MAYBE_PAID: usize = 2;
/// A 408 of the model itself: it would only happen again.
const MODEL_TIMEOUT: &str = "ModelTimeoutException";

/// The same request again, if the last fault allows it.
pub(super) fn attempt(plan: &Plan, draft: &Draft, last: &AttemptRecord) -> Option<NextAttempt> {
    let Ended::Fault(fault) = &last.ended else { return None };
    if let (Billing::No, Some(field)) = (fault.paid, fault.refused_field) {
        return without(plan, draft, last, field);
    }
    match fault.paid {
        Billing::No => safe(plan, draft, last, fault),
        Billing::Maybe => repeat(plan, draft, last, fault),
        Billing::Yes => None,
    }
}

fn safe(plan: &Plan, draft: &Draft, last: &AttemptRecord, fault: &ProviderError) -> Option<NextAttempt> {
    let tries = on_this_candidate(draft, last).take_while(|sent| !sent.paid).count();
    let patient = match fault.kind {
        ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Cut => true,
        ErrorKind::Connection => match fault.give_up {
            Some(GiveUp::Attempts(most)) => unconnected(draft, last) < most,
            _ => true,
        },
        // Expired credentials and a skewed clock are put right by the first failure, or not at all.
        ErrorKind::Credentials => fault.retry_after.is_some() && renewals(draft, last) == 1,
        _ => false,
    };
    let other = fallback::elsewhere(plan, draft, last).is_some();
    let long = fault.retry_after.is_some_and(|asked| asked > BEFORE_ELSEWHERE);
    if !patient || (other && (long || tries >= BEFORE_FALLBACK)) {
        return None;
    }
    let wait = match fault.give_up {
        Some(GiveUp::Attempts(_)) => wait(&plan.id, tries, None) / SOONER,
        _ => wait(&plan.id, tries, fault.retry_after),
    };
    Some(again(plan, draft, last, AttemptReason::Retry, wait))
}

/// How many attempts in a row made no connection.
fn unconnected(draft: &Draft, last: &AttemptRecord) -> usize {
    let failed = |sent: &&AttemptRecord| matches!(&sent.ended, Ended::Fault(fault) if fault.kind == ErrorKind::Connection);
    on_this_candidate(draft, last).take_while(failed).count()
}

/// The same without a field that the model refused, once.
fn without(plan: &Plan, draft: &Draft, last: &AttemptRecord, field: Field) -> Option<NextAttempt> {
    let refused = |sent: &&AttemptRecord| matches!(&sent.ended, Ended::Fault(fault) if fault.refused_field == Some(field));
    let seen = draft.attempts.iter().filter(|sent| sent.candidate == last.candidate).filter(refused).count();
    (seen == 1).then(|| again(plan, draft, last, AttemptReason::Without(field), Duration::ZERO))
}

/// What was asked for last, once more. A resume or repair that could not be had stays one; the task anew would be paid
/// for twice.
fn again(
    plan: &Plan,
    draft: &Draft,
    last: &AttemptRecord,
    why: AttemptReason,
    wait: Duration,
) -> NextAttempt {
    let why = if matches!(last.why, AttemptReason::Resume | AttemptReason::Repair) {
        last.why.clone()
    } else {
        why
    };
    let anchor = Anchor::of(&draft.text).filter(|_| why == AttemptReason::Resume);
    NextAttempt { anchor, ..send_to(plan, draft, last.candidate, why, wait) }
}

/// How often the candidate that was asked last has refused its credentials.
fn renewals(draft: &Draft, last: &AttemptRecord) -> usize {
    let refused = |sent: &&AttemptRecord| matches!(&sent.ended, Ended::Fault(fault) if fault.kind == ErrorKind::Credentials);
    on_this_candidate(draft, last).filter(refused).count()
}

/// One repeat of a send that may have been paid for, whatever the causes were.
fn repeat(plan: &Plan, draft: &Draft, last: &AttemptRecord, fault: &ProviderError) -> Option<NextAttempt> {
    let transient = matches!(
        fault.kind,
        ErrorKind::Cut
            | ErrorKind::Timeout
            | ErrorKind::Unavailable
            | ErrorKind::Throttled
            | ErrorKind::Protocol
    );
    if !transient || !draft.may_repeat || fault.code.as_deref() == Some(MODEL_TIMEOUT) || repeated(draft) {
        return None;
    }
    Some(send_to(plan, draft, last.candidate, AttemptReason::Repeat, wait(&plan.id, 1, fault.retry_after)))
}

/// Whether the one repeat of a maybe-paid send was used, whatever stood between the two: two sends of a request may end
/// so, over all causes and candidates.
pub(super) fn repeated(draft: &Draft) -> bool {
    let broken =
        |sent: &&AttemptRecord| matches!(&sent.ended, Ended::Fault(fault) if fault.paid == Billing::Maybe);
    draft.attempts.iter().filter(broken).count() >= MAYBE_PAID
}

/// Full jitter over an exponential interval; what the service asks for is obeyed, and spread by up to a second.
pub(super) fn wait(seed: &str, nth: usize, retry_after: Option<Duration>) -> Duration {
    let mut intervals = ExponentialBackoff {
        initial_interval: FIRST,
        current_interval: FIRST,
        randomization_factor: 0.0,
        multiplier: 2.0,
        max_interval: LONGEST,
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let interval = (0..nth.clamp(1, 16)).filter_map(|_| intervals.next_backoff()).last().unwrap_or(LONGEST);
    let fraction = fraction(seed, nth);
    match retry_after {
        Some(asked) => asked + Duration::from_secs(1).mul_f64(fraction),
        None => interval.mul_f64(fraction).max(Duration::from_millis(20)),
    }
}

/// A number from 0 to 1 that differs between requests and tries, and never between runs of one test.
fn fraction(seed: &str, nth: usize) -> f64 {
    let hash = crate::answer::file::sha256_hex(format!("{seed}/{nth}").as_bytes());
    let bits = u32::from_str_radix(&hash[..8], 16).unwrap_or(0);
    f64::from(bits) / f64::from(u32::MAX)
}
