//! Question wording by the model; the fixed wording where there is none.

use std::time::Duration;

use super::conversation::Conversation;
use super::step::STEPS;
use crate::answer::file::CodeFile;
use crate::money::price::PicoUsd;
use crate::request::GenerateRequest;

const TEMPLATE: &str = include_str!("../../prompts/question.md");
/// The file that the question is written into.
const FILE: &str = "question.txt";
/// The longest question, in characters: what a person reads at a glance.
const LONGEST: usize = 320;
/// Room for a short thought and a sentence.
const MAX_TOKENS: u32 = 1024;
/// A person waits: after this the fixed words are asked.
const PATIENCE: Duration = Duration::from_secs(8);
/// A question is worth a tenth of a cent.
const MAX_USD: PicoUsd = PicoUsd(2_000_000_000);

/// Asks a model to put the waiting step's question in words that fit the answers so far. None after the last.
pub fn question_request(conversation: &Conversation) -> Option<GenerateRequest> {
    let step = STEPS.get(conversation.answered)?;
    let known: Vec<String> = conversation
        .data
        .lines()
        .into_iter()
        .take(conversation.answered)
        .map(|(name, value)| format!("- {name}: {value}"))
        .collect();
    let prompt = crate::plan::prompt::split(TEMPLATE)
        .1
        .replace("{{known}}", &known.join("\n"))
        .replace("{{file}}", FILE)
        .replace("{{question}}", step.question);
    let request = GenerateRequest::new(prompt.trim_end())
        .with_language("text")
        .with_max_tokens(MAX_TOKENS)
        .with_max_sends(1)
        .with_max_usd(MAX_USD)
        .with_timeout(PATIENCE);
    Some(request.without_validation().without_store())
}

/// The question of an answer, if it is one: a single short paragraph that asks.
pub fn adapted(files: &[CodeFile]) -> Option<&str> {
    let [file] = files else { return None };
    let text = file.content.trim();
    let is_question = file.complete
        && text.ends_with('?')
        && text.chars().count() <= LONGEST
        && !text.contains(|c: char| c.is_control());
    is_question.then_some(text)
}
