//! The words and parameters of one send.

use std::fmt::Write;

use super::keep::{self, Points};
use crate::ask::{Ask, Why};
use crate::diagnostic::Severity;
use crate::draft::Draft;
use crate::message::{Message, TextBlock};
use crate::plan::Plan;
use crate::provider::{Field, ModelCall};
use crate::request::SourceFile;

const REPAIR: &str = include_str!("../../prompts/repair.md");

/// The call that `ask` stands for.
pub fn call(plan: &Plan, ask: &Ask, draft: &Draft) -> ModelCall {
    let candidate = plan.candidate(ask.candidate);
    let sends = |field: Field| !draft.without.contains(&(ask.candidate, field));
    let effort = plan.request.effort.filter(|effort| sends(Field::Effort) && candidate.takes_effort(*effort));
    let thinking = plan.thinking(candidate).filter(|_| sends(Field::Thinking));
    // Models that take a temperature take none while they think.
    let thinks = thinking.is_some_and(|thinking| thinking.is_on());
    let points = if sends(Field::CachePoint) { keep::points(plan, ask) } else { Points::default() };
    ModelCall {
        model: candidate.model.clone(),
        system: vec![TextBlock::new(plan.prompt.system.as_str()).kept(points.system)],
        messages: messages(plan, ask, draft, points),
        max_tokens: ask.max_tokens,
        temperature: plan
            .request
            .temperature
            .filter(|_| sends(Field::Sampling) && candidate.takes_sampling() && !thinks),
        effort,
        thinking,
        metadata: if sends(Field::Metadata) { plan.policy.metadata.clone() } else { Default::default() },
        guardrail: plan.policy.guardrail.clone(),
        service_tier: plan.policy.service_tier.clone().filter(|_| sends(Field::ServiceTier)),
        place: candidate.place.clone(),
        departure: Default::default(),
    }
}

fn messages(plan: &Plan, ask: &Ask, draft: &Draft, points: Points) -> Vec<Message> {
    let mut task = Message::user(plan.prompt.user.as_str());
    task.blocks[0].cache = points.task;
    match (&ask.why, &ask.anchor) {
        // Behind a cache point what differs from send to send is a block of its own.
        (Why::Repair, _) if points.task.is_some() => {
            task.blocks.push(TextBlock::new(format!("\n{}", repair(plan, draft))));
            vec![task]
        }
        (Why::Repair, _) => vec![Message::user(format!("{}\n{}", plan.prompt.user, repair(plan, draft)))],
        (_, Some(anchor)) => {
            let finished: Vec<&str> =
                draft.files.iter().filter(|f| f.complete).filter_map(|f| f.path.as_deref()).collect();
            let rest = anchor.request(&finished);
            vec![task, Message::assistant(anchor.received.trim_end()), Message::user(rest)]
        }
        _ => vec![task],
    }
}

/// Given files that a repair shows once more, for the model must write them whole: one that an edit did not fit, and
/// those that fail beside an answer that has them not.
pub(super) fn given_anew<'a>(plan: &'a Plan, draft: &'a Draft) -> impl Iterator<Item = &'a SourceFile> {
    let unfit = draft.edit_problem.as_ref().and_then(|problem| problem.path.as_deref());
    plan.request.files.iter().filter(move |given| {
        let path = Some(given.path.as_str());
        let fails =
            draft.diagnostics.iter().any(|d| d.severity == Severity::Error && d.path.as_deref() == path);
        path == unfit || (fails && !draft.files.iter().any(|file| file.path.as_deref() == path))
    })
}

/// What is wrong, and only the files that it is wrong with.
fn repair(plan: &Plan, draft: &Draft) -> String {
    let errors = || draft.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let mut findings = String::new();
    for found in errors() {
        let path = found.path.as_deref().unwrap_or("(the file without a name)");
        let _ = writeln!(findings, "- {path} line {}: {}", found.line, found.message);
    }
    let failing = draft.files.iter().filter(|file| errors().any(|d| d.path == file.path));
    let mut bodies = String::new();
    for file in failing {
        let path = file.path.as_deref().unwrap_or("(the file without a name)");
        let _ = write!(bodies, "\n--- {path}\n{}", file.content);
    }
    for given in given_anew(plan, draft) {
        let _ = write!(bodies, "\n--- {}\n{}", given.path, given.content);
    }
    let names: Vec<&str> = draft.files.iter().filter_map(|file| file.path.as_deref()).collect();
    let text = REPAIR.split_once("\n\n").map_or(REPAIR, |(_, text)| text);
    text.replace("{{findings}}", findings.trim_end())
        .replace("{{files}}", &names.join(", "))
        .replace("{{failing}}", &bodies)
}
