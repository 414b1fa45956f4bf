//! Where a conversation is, and what a message does to it.

use serde::{Deserialize, Serialize};

use super::data::ServiceData;
use super::step::{STEPS, TOTAL_STEPS};
use crate::error::{Error, ErrorKind, Result};

/// A turn of the conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `assistant` or `user`.
    pub role: String,
    /// What was said.
    pub text: String,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({} bytes)", self.role, self.text.len())
    }
}

/// Which code was begun for which description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeRef {
    /// The service.
    pub service_id: String,
    /// One writing of its six files.
    pub code_id: String,
    /// The description that they are written for.
    pub data: ServiceData,
}

/// A conversation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// UUIDv7.
    pub id: String,
    /// How many questions are answered.
    pub answered: usize,
    /// What the answers say so far.
    pub data: ServiceData,
    /// Every question and answer.
    pub history: Vec<Said>,
    /// The code that was begun, once.
    pub code: Option<CodeRef>,
}

impl Conversation {
    /// A conversation that has asked its first question.
    pub fn new(id: impl Into<String>) -> Self {
        let mut new = Conversation {
            id: id.into(),
            answered: 0,
            data: ServiceData::default(),
            history: Vec::new(),
            code: None,
        };
        new.ask(STEPS[0].question);
        new
    }

    /// The step that waits for an answer, from 1; none after the seventh.
    pub fn step(&self) -> Option<usize> {
        (self.answered < TOTAL_STEPS).then_some(self.answered + 1)
    }

    /// The question that waits for an answer.
    pub fn question(&self) -> Option<&str> {
        self.step()?;
        self.history.last().map(|said| said.text.as_str())
    }

    /// Takes the answer to the waiting question. `Conflict` if `step` is another one, or if all are answered.
    pub fn answer(&mut self, step: Option<usize>, message: &str) -> Result<()> {
        let Some(expected) = self.step() else {
            return Err(Error::new(
                ErrorKind::Conflict,
                "all seven questions are answered: send {\"action\":\"generate\"}",
            ));
        };
        if step.is_some_and(|step| step != expected) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the conversation is at step {expected}: answer that one"),
            ));
        }
        self.data.answer(expected - 1, message)?;
        self.history.push(Said { role: "user".into(), text: message.to_owned() });
        self.answered += 1;
        Ok(())
    }

    /// Asks the next question in these words.
    pub fn ask(&mut self, question: &str) {
        self.history.push(Said { role: "assistant".into(), text: question.to_owned() });
    }

    /// The description to generate from: the given one, else the conversation's if all is answered.
    pub fn description(&self, given: Option<ServiceData>) -> Result<ServiceData> {
        let data = match (given, self.step()) {
            (Some(data), _) => data,
            (None, None) => self.data.clone(),
            (None, Some(step)) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    format!(
                        "the conversation is at step {step} of {TOTAL_STEPS}: answer first, or give service_data"
                    ),
                ));
            }
        };
        data.check()?;
        Ok(data)
    }

    /// The code for a description: the one that was begun for just this, else a new one of the same service.
    pub fn code_for(&mut self, data: &ServiceData, new_id: impl Fn() -> String) -> CodeRef {
        if let Some(code) = self.code.as_ref().filter(|code| code.data == *data) {
            return code.clone();
        }
        let service_id = self.code.as_ref().map_or_else(&new_id, |code| code.service_id.clone());
        let code = CodeRef { service_id, code_id: new_id(), data: data.clone() };
        self.code = Some(code.clone());
        code
    }
}
