//! Conversation state, and the effect of a message on it.

use serde::{Deserialize, Serialize};

use super::data::ServiceData;
use super::step::{STEPS, TOTAL_STEPS};
use crate::{Error, ErrorKind, Result};

/// The longest name, in characters.
pub const MAX_NAME: usize = 80;
/// So many earlier versions are listed; those before stay in the bucket.
const MAX_EARLIER: usize = 100;

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
    /// The change that makes this code of another one; none where it is written anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// A change of written files, in words.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The code that is changed; it stays as it is.
    pub base: String,
    /// What is to change.
    pub instructions: String,
    /// The only file that may change; none: all of them.
    pub file: Option<String>,
}

// The words are the user's: Debug tells how many there are.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Change(of {}, {} bytes)", self.base, self.instructions.len())
    }
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
    /// The code that was begun last.
    pub code: Option<CodeRef>,
    /// The ids of the codes that were begun before it, the oldest first.
    #[serde(default)]
    pub earlier: Vec<String>,
    /// As its owner named it.
    #[serde(default)]
    pub named: Option<String>,
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
            earlier: Vec::new(),
            named: None,
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
        self.begin(CodeRef { service_id, code_id: new_id(), data: data.clone(), change: None })
    }

    /// The code for a change of `base`: the one that was begun for just this, else a new one of the same service.
    pub fn code_for_change(
        &mut self,
        base: &CodeRef,
        change: (String, Option<String>),
        new_id: impl Fn() -> String,
    ) -> CodeRef {
        let (instructions, file) = change;
        let change = Some(Change { base: base.code_id.clone(), instructions, file });
        if let Some(code) = self.code.as_ref().filter(|code| code.change == change) {
            return code.clone();
        }
        self.begin(CodeRef { code_id: new_id(), change, ..base.clone() })
    }

    fn begin(&mut self, code: CodeRef) -> CodeRef {
        self.earlier.extend(self.code.replace(code.clone()).map(|before| before.code_id));
        let over = self.earlier.len().saturating_sub(MAX_EARLIER);
        self.earlier.drain(..over);
        code
    }

    /// Every code that was begun, the oldest first; of earlier ones the description is the newest's.
    pub fn codes(&self) -> Vec<CodeRef> {
        let Some(newest) = &self.code else { return Vec::new() };
        let earlier = self.earlier.iter();
        let earlier = earlier.map(|id| CodeRef { code_id: id.clone(), change: None, ..newest.clone() });
        earlier.chain([newest.clone()]).collect()
    }

    /// Its name: as its owner named it, else what kind of service it is.
    pub fn name(&self) -> &str {
        self.named.as_deref().unwrap_or(&self.data.service_type)
    }

    /// Names it. Fails if the name is empty or too long.
    pub fn rename(&mut self, name: &str) -> Result<()> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(Error::invalid(format!("name takes 1 to {MAX_NAME} characters")));
        }
        self.named = Some(name);
        Ok(())
    }

    /// The question and the answer of a step, from 1; none where it is not answered.
    pub fn said(&self, step: usize) -> Option<(&str, &str)> {
        let at = step.checked_sub(1).filter(|at| *at < self.answered)? * 2;
        Some((&self.history.get(at)?.text, &self.history.get(at + 1)?.text))
    }

    /// Puts another answer to a step that is answered. `Conflict` for one that is not.
    pub fn edit(&mut self, step: usize, message: &str) -> Result<()> {
        if self.said(step).is_none() {
            let detail = format!("step {step} is not answered yet: there is nothing to edit");
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        let mut data = self.data.clone();
        data.answer(step - 1, message)?;
        self.data = data;
        if let Some(said) = self.history.get_mut(step * 2 - 1) {
            message.clone_into(&mut said.text);
        }
        Ok(())
    }
}
