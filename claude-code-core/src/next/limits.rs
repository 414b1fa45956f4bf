//! The bounds that no cause of another send may pass: sends, time, money.

use super::Step;
use crate::ask::Ask;
use crate::clock::UtcMillis;
use crate::draft::Draft;
use crate::error::{Error, Kind};
use crate::outcome::{Outcome, Sent};
use crate::plan::Plan;
use crate::price::Cost;

/// Whether sends or time are used up, and what it is then.
pub(super) fn reached(plan: &Plan, draft: &Draft, last: &Sent, now: UtcMillis) -> Option<Outcome> {
    // One send allowed means one send, whatever became of it.
    let no_more = plan.limits.max_sends == 1 || draft.paid_sends() >= plan.limits.max_sends;
    (no_more || now >= deadline(plan, draft)).then(|| super::stop::concluded(draft, last))
}

/// Whether the send could still begin in time.
pub(super) fn in_time(plan: &Plan, draft: &Draft, ask: &Ask, now: UtcMillis) -> bool {
    now.plus(ask.wait) < deadline(plan, draft)
}

/// The deadline moves by the time that a slow reader held the request up.
pub(crate) fn deadline(plan: &Plan, draft: &Draft) -> UtcMillis {
    plan.limits.deadline.plus(draft.held)
}

/// The send, if its ceiling fits under the request's cap.
pub(super) fn checked(plan: &Plan, draft: &Draft, ask: Ask) -> Step {
    let cap = plan.limits.max_usd;
    let refusal = match ask.ceiling {
        Cost::Unpriced { .. } if plan.limits.max_usd_is_set => format!(
            "the price of {} is unknown, and a cap of ${cap} is set: take the cap away or name a model of the catalogue",
            plan.candidate(ask.candidate).model
        ),
        Cost::Priced(ceiling) if ceiling.saturating_add(draft.receipt.total().known()) > cap => format!(
            "one send to {} can cost ${ceiling}, ${} is spent, and ${cap} is the cap: raise max_usd or lower max_tokens",
            plan.candidate(ask.candidate).model,
            draft.receipt.total().known()
        ),
        _ => return Step::Ask(ask),
    };
    Step::Stop(match draft.sent.last() {
        // What was reached before stands; the cap only ends the attempts at more.
        Some(last) if last.paid => super::stop::concluded(draft, last),
        _ => Outcome::Failed(Error::new(Kind::Budget, refusal)),
    })
}
