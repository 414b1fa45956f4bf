//! Result construction from the draft.

use super::Draft;
use crate::answer::file::CodeFile;
use crate::answer::language::Language;
use crate::draft::outcome::Outcome;
use crate::edit::apply;
use crate::generation::{Attempt, Generation, Given};
use crate::plan::Plan;

impl Draft {
    /// The result with this outcome.
    pub fn into_generation(mut self, plan: &Plan, outcome: &Outcome) -> Generation {
        let (candidate, stop_reason) = self.restore(outcome);
        let candidate = plan.candidate(candidate);
        Generation {
            id: plan.id.clone(),
            accepted: matches!(outcome, Outcome::Accepted),
            language: language(plan, &self.files),
            diff: plan.request.work.changes_files().then(|| apply::diff(&plan.request.files, &self.files)),
            files: self.files,
            text: joined(self.mended, self.text),
            model: candidate.model.to_string(),
            tier: candidate.tier,
            tier_reason: plan.tier_reason.clone(),
            stop_reason,
            usage: self.usage,
            receipt: self.receipt,
            attempts: self.attempts.iter().map(Attempt::from).collect(),
            diagnostics: self.diagnostics,
            warnings: self.warnings,
            cached: None,
            stored: false,
            stored_problem: None,
            s3_key: None,
            generated_at: plan.started,
            sample: plan.policy.samples || self.sampled,
            prompt: plan.request.prompt.clone(),
            batch_id: plan.request.batch_id.clone(),
            cache_key: None,
            given: Given::default(),
        }
    }
}

/// Both texts; the usual one, without a repair before it, as it is.
fn joined(before: String, text: String) -> String {
    if before.is_empty() { text } else { before + &text }
}

/// The language that was asked for, else the one that most of the code is in; of equal ones the first.
fn language(plan: &Plan, files: &[CodeFile]) -> Language {
    plan.language.clone().unwrap_or_else(|| {
        let bytes_of = |language: &Language| -> usize {
            files.iter().filter(|file| file.language == *language).map(CodeFile::size).sum()
        };
        let named = files.iter().map(|file| &file.language).filter(|language| **language != Language::text());
        named.rev().max_by_key(|language| bytes_of(language)).cloned().unwrap_or_else(Language::text)
    })
}
