//! Service data: the seven answers.

use serde::{Deserialize, Serialize};

use super::step::{STEPS, TOTAL_STEPS};
use crate::store::cut;
use crate::{Error, Result};

/// The longest answer, in characters: a page of text.
pub const MAX_ANSWER: usize = 4096;
/// Items of a list, and URLs; more are no description any more.
pub const MAX_ITEMS: usize = 50;
/// All of a description, in bytes. Its conversation holds it up to three times, in a row that DynamoDB bounds at 400 KB.
pub const MAX_DATA: usize = 64 * 1024;

/// A service as it was described. A field that nobody filled is empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceData {
    /// What kind of service it is.
    pub service_type: String,
    /// What it does, and for whom.
    pub intent: String,
    /// What it must have.
    pub features: Vec<String>,
    /// Whose product stands behind it.
    pub vendor: String,
    /// Where the vendor's API is documented. Given to the model as text; nothing here opens them.
    pub api_docs: Vec<String>,
    /// How it is priced.
    pub pricing_model: String,
    /// How it logs and how its callers sign in.
    pub logging_and_auth: String,
}

// The words are the user's: Debug tells how many there are.
impl std::fmt::Debug for ServiceData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServiceData({} bytes)", self.bytes())
    }
}

impl ServiceData {
    /// The description that the example answers give: the one that the offline sample is for.
    pub fn sample() -> Self {
        let mut data = ServiceData::default();
        for (step, asked) in STEPS.iter().enumerate() {
            data.fill(step, asked.example);
        }
        data
    }

    /// Whether all that it says is said by `other` too: a description of a few fields is a part of a whole one.
    pub fn is_part_of(&self, other: &ServiceData) -> bool {
        let (own, others) = (self.lines(), other.lines());
        own.iter()
            .zip(&others)
            .all(|((_, one), (_, other))| one.is_empty() || one.eq_ignore_ascii_case(other))
    }

    /// Takes the answer to a step, from 0. Fails if it is empty, longer than a page, or too much beside the others.
    pub fn answer(&mut self, step: usize, answer: &str) -> Result<()> {
        if answer.trim().is_empty() {
            return Err(Error::invalid("the message is empty: answer the question"));
        }
        let length = answer.chars().count();
        if length > MAX_ANSWER {
            return Err(Error::invalid(format!(
                "the message has {length} characters, {MAX_ANSWER} are allowed: say it shorter"
            )));
        }
        let bytes = self.bytes() + answer.len();
        if bytes > MAX_DATA {
            return Err(Error::invalid(format!(
                "the message and the answers before it have {bytes} bytes, {MAX_DATA} are allowed: say it shorter"
            )));
        }
        self.fill(step, answer);
        Ok(())
    }

    /// Checks a description that came whole. Fails if it says nothing, or too much.
    pub fn check(&self) -> Result<()> {
        if self.service_type.trim().is_empty() {
            return Err(Error::invalid("service_data.service_type is empty: say what kind of service it is"));
        }
        let longest = self.texts().map(|text| text.chars().count()).max();
        let lists = [&self.features, &self.api_docs];
        if longest.unwrap_or(0) > MAX_ANSWER || lists.iter().any(|list| list.len() > MAX_ITEMS) {
            return Err(Error::invalid(format!(
                "service_data has a text over {MAX_ANSWER} characters or a list over {MAX_ITEMS} items: say it shorter"
            )));
        }
        let bytes = self.bytes();
        if bytes > MAX_DATA {
            return Err(Error::invalid(format!(
                "service_data has {bytes} bytes, {MAX_DATA} are allowed: say it shorter"
            )));
        }
        Ok(())
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        let single =
            [&self.service_type, &self.intent, &self.vendor, &self.pricing_model, &self.logging_and_auth];
        single.into_iter().chain(&self.features).chain(&self.api_docs)
    }

    fn bytes(&self) -> usize {
        self.texts().map(String::len).sum()
    }

    fn fill(&mut self, step: usize, answer: &str) {
        match step.min(TOTAL_STEPS - 1) {
            0 => self.service_type = one_line(answer),
            1 => self.intent = one_line(answer),
            2 => self.features = items(answer),
            3 => self.vendor = one_line(answer),
            4 => self.api_docs = urls(answer),
            5 => self.pricing_model = one_line(answer),
            _ => self.logging_and_auth = one_line(answer),
        }
    }

    /// The fields as the prompt names them, each on one line.
    pub(super) fn lines(&self) -> [(&'static str, String); TOTAL_STEPS] {
        let list = |items: &[String]| one_line(&items.join(", "));
        [
            ("Service type", one_line(&self.service_type)),
            ("Purpose", one_line(&self.intent)),
            ("Features", list(&self.features)),
            ("Vendor", one_line(&self.vendor)),
            ("API documentation", list(&self.api_docs)),
            ("Pricing model", one_line(&self.pricing_model)),
            ("Logging and authentication", one_line(&self.logging_and_auth)),
        ]
    }
}

/// Runs of white space and control characters become one space.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// The items of a list written with commas, semicolons, or one a line with or without bullets.
fn items(answer: &str) -> Vec<String> {
    answer
        .split([',', ';', '\n'])
        .map(|item| one_line(item.trim().trim_start_matches(['-', '*', '•'])))
        .filter(|item| !item.is_empty())
        .take(MAX_ITEMS)
        .collect()
}

/// The web addresses in an answer; `none` and its like have none.
fn urls(answer: &str) -> Vec<String> {
    answer
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>' | '(' | ')' | '"'))
        .map(|word| word.trim_end_matches(['.', ':', '!', '?']))
        .filter(|word| word.starts_with("https://") || word.starts_with("http://"))
        .map(|url| cut(url, 2048).to_owned())
        .take(MAX_ITEMS)
        .collect()
}
