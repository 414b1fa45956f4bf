//! Prompt and parameters of one attempt.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::prompt_cache::{self, Points};
use crate::answer::diagnostic::Severity;
use crate::draft::Draft;
use crate::draft::next_attempt::NextAttempt;
use crate::plan::Plan;
use crate::plan::attempt_reason::AttemptReason;
use crate::plan::prompt;
use crate::provider::message::{Message, TextBlock};
use crate::provider::{Field, ModelCall};

/// The call that `ask` stands for.
pub fn call(plan: &Plan, attempt: &NextAttempt, draft: &Draft) -> ModelCall {
    let candidate = plan.candidate(attempt.candidate);
    let sends = |field: Field| !draft.without.contains(&(attempt.candidate, field));
    let effort = plan.request.effort.filter(|effort| sends(Field::Effort) && candidate.takes_effort(*effort));
    let thinking = plan.thinking(candidate).filter(|_| sends(Field::Thinking));
    // Models that take a temperature take none while they think.
    let thinks = thinking.is_some_and(|thinking| thinking.is_on());
    let points =
        if sends(Field::CachePoint) { prompt_cache::points(plan, attempt) } else { Points::default() };
    ModelCall {
        model: candidate.model.clone(),
        system: vec![TextBlock::new(plan.prompt.system.as_str()).kept(points.system)],
        messages: messages(plan, attempt, draft, points),
        max_tokens: attempt.max_tokens,
        temperature: plan
            .request
            .temperature
            .filter(|_| sends(Field::Sampling) && candidate.takes_sampling() && !thinks),
        effort,
        thinking,
        metadata: if sends(Field::Metadata) { metadata(plan) } else { Default::default() },
        guardrail: plan.policy.guardrail.clone(),
        service_tier: plan.policy.service_tier.clone().filter(|_| sends(Field::ServiceTier)),
        place: candidate.place.clone(),
        sent_flag: Default::default(),
        answered: plan.request.job_answer.clone().filter(|_| attempt.why == AttemptReason::BatchJob),
        trace: plan.trace.as_ref().map(|trace| trace.attempt(draft.attempts.len())),
        catalogue: plan.policy.catalogue,
    }
}

/// Pairs that the service takes in a request's metadata.
const PAIRS: usize = 16;

/// The caller's metadata, and the ids by which a receipt is found in the service's invocation log.
fn metadata(plan: &Plan) -> BTreeMap<String, String> {
    let mut metadata = plan.policy.metadata.clone();
    let ids = [
        ("claude_code_request_id", Some(&plan.id)),
        ("claude_code_batch_id", plan.request.batch_id.as_ref()),
    ];
    for (name, id) in ids {
        if let Some(id) = id.filter(|id| is_allowed(id) && metadata.len() < PAIRS) {
            metadata.entry(name.to_owned()).or_insert_with(|| id.clone());
        }
    }
    metadata
}

/// Whether the service takes this text as a value of metadata.
fn is_allowed(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" :_@$#=/+,-.".contains(&b))
}

fn messages(plan: &Plan, attempt: &NextAttempt, draft: &Draft, points: Points) -> Vec<Message> {
    let task = task(plan, attempt, draft, points);
    let Some(anchor) = &attempt.anchor else { return vec![task] };
    let finished: Vec<&str> = draft.finished().iter().filter_map(Option::as_deref).collect();
    vec![task, Message::assistant(anchor.received.trim_end()), Message::user(anchor.request(&finished))]
}

/// The caller's turn; where an answer is mended, also by the rest of a repair that was cut, with what is wrong with it.
fn task(plan: &Plan, attempt: &NextAttempt, draft: &Draft, points: Points) -> Message {
    let mut task = Message::user(plan.prompt.user.as_str());
    task.blocks[0].cache = points.task;
    if attempt.why != AttemptReason::Repair && !(attempt.anchor.is_some() && draft.is_mending()) {
        return task;
    }
    if points.task.is_none() {
        return Message::user(format!("{}\n{}", plan.prompt.user, repair(plan, draft)));
    }
    // Behind a cache point what differs from send to send is a block of its own.
    task.blocks.push(TextBlock::new(format!("\n{}", repair(plan, draft))));
    task
}

/// What is wrong, and only the files that it is wrong with.
fn repair(plan: &Plan, draft: &Draft) -> String {
    if draft.lacks_code {
        return prompt::split(prompt::NO_CODE).1.replace("{{nonce}}", &plan.prompt.nonce);
    }
    let mut findings = String::new();
    for found in draft.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        let path = found.path.as_deref().unwrap_or("(the file without a name)");
        let _ = writeln!(findings, "- {path} line {}: {}", found.line, found.message);
    }
    let mut bodies = String::new();
    for file in draft.failing() {
        let path = file.path.as_deref().unwrap_or("(the file without a name)");
        let _ = write!(bodies, "\n--- {path}\n{}", file.content);
    }
    for given in draft.given_anew(plan) {
        let _ = write!(bodies, "\n--- {}\n{}", given.path, given.content);
    }
    let names: Vec<&str> = draft.answered().iter().filter_map(|file| file.path.as_deref()).collect();
    let (_, text) = prompt::split(prompt::REPAIR);
    text.replace("{{findings}}", findings.trim_end())
        .replace("{{files}}", &names.join(", "))
        .replace("{{failing}}", &bodies)
}
