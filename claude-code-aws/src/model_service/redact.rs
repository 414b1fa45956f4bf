//! Redaction of a service's error text: shown, since it often says what to change, unless it repeats what was sent.
//! Servers echo prompts and keys.

use std::collections::HashSet;

use claude_code_core::ModelId;
use claude_code_core::provider::ModelCall;

use crate::model_service::faults::{WORDS, printable};
use crate::secret::Secret;

/// So many bytes of letters and digits in a row that stand in the request too are no chance.
const ECHO: usize = 16;
/// The same for a key: a part of it already says whose it is.
const KEY_ECHO: usize = 8;

/// What was sent, for reading what the service says to it.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) call: &'a ModelCall,
    pub(crate) key: Option<&'a Secret>,
}

impl<'a> Sent<'a> {
    /// A call that went without a key of its own.
    pub(crate) fn without_key(call: &'a ModelCall) -> Self {
        Sent { call, key: None }
    }

    /// The model that was asked.
    pub(crate) fn model(&self) -> &'a ModelId {
        &self.call.model
    }

    /// The service's words, fit for one line; where they repeat something of the request, only how many they are.
    pub(crate) fn words(&self, text: &str) -> String {
        let shown = printable(text, WORDS);
        let told = bare(&shown);
        let turns = self.call.messages.iter().flat_map(|message| &message.blocks);
        let mut texts = self.call.system.iter().chain(turns).map(|block| bare(&block.text));
        let key = self.key.map(|key| bare(key.expose()));
        if key.is_some_and(|key| repeats(&told, &key, KEY_ECHO))
            || texts.any(|text| repeats(&told, &text, ECHO))
        {
            return format!("its {} characters repeat parts of it and are not shown", text.chars().count());
        }
        shown
    }
}

/// Whether the words have so many bytes in a row in common with a text, or the whole of a shorter one of half of that.
fn repeats(told: &[u8], text: &[u8], longest: usize) -> bool {
    let length = longest.min(text.len());
    if length < longest.div_ceil(2) {
        return false;
    }
    let parts: HashSet<&[u8]> = told.windows(length).collect();
    text.windows(length).any(|part| parts.contains(part))
}

/// Letters and digits alone, so that neither JSON's escapes nor other line breaks hide a repetition.
fn bare(text: &str) -> Vec<u8> {
    let mut found = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\\' {
            found.extend(escaped(&mut rest).filter(|c| c.is_alphanumeric()));
        } else if c.is_alphanumeric() {
            found.push(c);
        }
    }
    found.into_bytes()
}

/// The letter that stands behind a backslash as its code; line breaks and marks are none.
fn escaped(rest: &mut std::str::Chars) -> Option<char> {
    if rest.next()? != 'u' {
        return None;
    }
    let code: String = rest.clone().take(4).collect();
    let letter = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)?;
    rest.nth(3);
    Some(letter)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use claude_code_core::provider::message::{Message, TextBlock};

    use super::*;

    fn words(prompt: &str, text: &str) -> String {
        let call =
            ModelCall::new(ModelId::new("anthropic.claude-x").unwrap(), vec![Message::user(prompt)], 1)
                .with_system(vec![TextBlock::new("You write code that is complete.")]);
        Sent { call: &call, key: Some(&Secret::new("sk-ant-0123456789abcdef")) }.words(text)
    }

    #[test]
    fn words_are_shown_unless_they_repeat_prompt_instructions_or_key() {
        let prompt = "if x:\n\t\"größer als 漢字漢字漢字\"\nelse: pass";
        let json = serde_json::json!({ "content": prompt }).to_string();
        let ascii = json
            .replace('ö', "\\u00f6")
            .replace('ß', "\\u00df")
            .replace('漢', "\\u6f22")
            .replace('字', "\\u5b57");
        let echoes = [
            prompt.to_owned(),
            format!("bad request: {json}"),
            ascii,
            "unexpected: You write code that".to_owned(),
            "invalid key sk-ant-01234567...".to_owned(),
        ];
        for echo in echoes {
            let shown = words(prompt, &echo);
            assert!(shown.ends_with("are not shown") && !shown.contains("als"), "{echo}: {shown}");
        }
        let honest = ["temperature: not supported by this model", "max_tokens: 5 > 4", "", "\\", "\\u12"];
        for text in honest {
            assert_eq!(words(prompt, text), text);
        }
    }
}
