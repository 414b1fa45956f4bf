//! Service profile: questions, files and checks of a kind of service, as data in a TOML file of the user's own.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use super::data::{MAX_ANSWER, MAX_ITEMS};
use crate::answer::diagnostic::{Diagnostic, Severity};
use crate::answer::file::{CodeFile, refusal};
use crate::request::{Check, GenerateRequest};
use crate::{Error, Result};

/// Where the prompt has the answers.
const DESCRIPTION: &str = "{{description}}";

/// A kind of service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What is asked of the model; `{{description}}` stands for the answers.
    pub prompt: String,
    /// The files that an answer must have.
    pub files: Vec<String>,
    /// What is asked of the person, in order.
    pub questions: Vec<ProfileQuestion>,
    /// Commands that check the files, as `--check` takes them.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The language, where the files do not tell.
    #[serde(default)]
    pub language: Option<String>,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileQuestion {
    /// The name of the answer in the description.
    pub title: String,
    /// What is asked.
    pub question: String,
    /// An answer that people may begin from.
    #[serde(default)]
    pub example: String,
}

impl Profile {
    /// Reads a profile. Fails naming the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::invalid(format!("profile {}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let profile: Profile = toml::from_str(&text).map_err(|error| wrong(told(&text, &error)))?;
        profile.checked().map_err(wrong)
    }

    fn checked(self) -> Result<Self, String> {
        if self.prompt.trim().is_empty() {
            return Err("the prompt is empty: say what is to be written".to_owned());
        }
        if self.questions.is_empty() || self.questions.len() > MAX_ITEMS {
            return Err(format!("it has {} questions: 1 to {MAX_ITEMS} fit", self.questions.len()));
        }
        if self.files.is_empty() || self.files.len() > MAX_ITEMS {
            return Err(format!("it has {} files: 1 to {MAX_ITEMS} fit", self.files.len()));
        }
        for (at, name) in self.files.iter().enumerate() {
            if let Some(why) = refusal(name) {
                return Err(format!("the file {name:?} is refused: {why}"));
            }
            if self.files[..at].contains(name) {
                return Err(format!("the file {name:?} occurs twice"));
            }
        }
        Ok(self)
    }

    /// An answer as it is kept. Fails if it is empty or longer than a page.
    pub fn answer(answer: &str) -> Result<String> {
        let line = answer.split(|c: char| c.is_whitespace() || c.is_control());
        let line = line.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        match line.chars().count() {
            0 => Err(Error::invalid("the answer is empty: answer the question, or say none")),
            length if length > MAX_ANSWER => Err(Error::invalid(format!(
                "the answer has {length} characters, {MAX_ANSWER} are allowed: say it shorter"
            ))),
            _ if line.eq_ignore_ascii_case("none") => Ok("not said".to_owned()),
            _ => Ok(line),
        }
    }

    /// The prompt with these answers, one for each question.
    pub fn prompt(&self, answers: &[String]) -> String {
        let lines = self.questions.iter().zip(answers);
        let lines: Vec<String> =
            lines.map(|(asked, answer)| format!("- {}: {answer}", asked.title)).collect();
        let description = lines.join("\n");
        match self.prompt.contains(DESCRIPTION) {
            true => self.prompt.replace(DESCRIPTION, &description).trim().to_owned(),
            false => format!("{}\n\n{description}", self.prompt.trim()),
        }
    }

    /// The request for the files; `then` checks what the profile's own check has passed.
    pub fn request(&self, answers: &[String], then: Option<Arc<dyn Check>>) -> GenerateRequest {
        let check = Arc::new(ProfileFiles { files: self.files.clone(), then });
        let mut request = GenerateRequest::new(self.prompt(answers)).with_check(check);
        request.language.clone_from(&self.language);
        request
    }
}

/// The place and the words of a fault, in one line.
fn told(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let line = line.map_or(String::new(), |line| format!("line {line}: "));
    format!("{line}{}", error.message().replace('\n', " "))
}

/// All files of the profile are there, and no others.
struct ProfileFiles {
    files: Vec<String>,
    then: Option<Arc<dyn Check>>,
}

#[async_trait]
impl Check for ProfileFiles {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let fault = |path: &str, message: &str| Diagnostic {
            path: Some(path.to_owned()),
            line: 0,
            column: 0,
            severity: Severity::Error,
            message: message.to_owned(),
        };
        let has = |name: &String| files.iter().any(|file| file.path.as_ref() == Some(name));
        let absent = self.files.iter().filter(|name| !has(name));
        let mut found: Vec<Diagnostic> = absent
            .map(|name| fault(name, "the profile needs this file and the answer does not have it"))
            .collect();
        let others =
            files.iter().filter_map(|file| file.path.as_ref()).filter(|name| !self.files.contains(name));
        found.extend(others.map(|name| fault(name, "the profile does not have this file: leave it out")));
        match &self.then {
            Some(check) if found.is_empty() => check.check(files).await,
            _ => found,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{FILES, STEPS, ServiceData, prompt};
    use super::*;

    const CLOUD_SERVICE: &str = include_str!("../../../examples/profiles/cloud_service.toml");

    #[test]
    fn the_six_files_as_a_profile_are_asked_for_as_the_service_creator_asks() {
        let profile: Profile = toml::from_str(CLOUD_SERVICE).unwrap();
        let profile = profile.checked().unwrap();
        assert_eq!(profile.files, FILES);
        let questions: Vec<(&str, &str)> =
            profile.questions.iter().map(|asked| (asked.question.as_str(), asked.example.as_str())).collect();
        assert_eq!(questions, STEPS.map(|step| (step.question, step.example)));
        let answers: Vec<String> = STEPS.iter().map(|step| Profile::answer(step.example).unwrap()).collect();
        assert_eq!(profile.prompt(&answers), prompt(&ServiceData::sample()));
    }

    #[test]
    fn what_is_wrong_with_a_profile_is_said_with_its_place() {
        let place = tempfile::TempDir::new().unwrap();
        let told = |text: &str| {
            let path = place.path().join("p.toml");
            std::fs::write(&path, text).unwrap();
            Profile::read(&path).unwrap_err().message().to_owned()
        };
        let question = "\n[[questions]]\ntitle = \"Name\"\nquestion = \"Which?\"\n";
        assert!(told("prompt = 3\n").contains("line 1"), "{}", told("prompt = 3\n"));
        assert!(told(&format!("prompt = \"x\"\nfiles = [\"../a\"]{question}")).contains("refused"));
        assert!(told(&format!("prompt = \"x\"\nfiles = [\"a\", \"a\"]{question}")).contains("occurs twice"));
        assert!(told("prompt = \"x\"\nfiles = [\"a\"]\nquestions = []\n").contains("0 questions"));
    }
}
