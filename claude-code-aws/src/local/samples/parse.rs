//! The form of a sample file: a head of `NAME: VALUE` lines, a blank line, the sentence, then files, each between fences
//! of four backticks whose info string is `LANGUAGE PATH`. The head has `prompt:`, and perhaps `also:` (other prompts, word
//! for word), `given:` (all of them must be in a message; of the samples that fit, the one with the most answers), `after:`, `shows:`, `language:`, `cut:`, and `match:`, `may:` and `order:` of its [`Meaning`]. Behind
//! a line `---- repaired` stands the answer to a request for a repair.

use super::find::squeezed;
use super::meaning::{Meaning, language};
use super::{Sample, SampleFile};

const FENCE: &str = "````";
const REPAIRED: &str = "\n---- repaired\n";

/// Reads a sample; none if it has no prompt or no file.
pub(super) fn sample(text: &str) -> Option<Sample> {
    let (head, body) = text.split_once("\n\n")?;
    let all = |name: &'static str| {
        let values = head.lines().filter_map(move |line| line.strip_prefix(name)?.strip_prefix(':'));
        values.map(|value| value.trim().to_owned())
    };
    let field = |name| all(name).next();
    let (first, repaired) = match body.split_once(REPAIRED) {
        Some((first, second)) => (first, answer(second)),
        None => (body, None),
    };
    let (sentence, files) = answer(first)?;
    let prompt = field("prompt")?;
    let language = language(&field("language").unwrap_or_else(|| files[0].language.clone()));
    Some(Sample {
        keys: std::iter::once(prompt.clone()).chain(all("also")).map(|key| squeezed(&key)).collect(),
        meaning: field("match").map(|needed| {
            let [may, order] = ["may", "order"].map(|name| field(name).unwrap_or_default());
            Meaning::new(&prompt, &language, &needed, &may, &order)
        }),
        language,
        given: all("given").collect(),
        after: field("after"),
        shows: field("shows"),
        cut: field("cut").and_then(|lines| lines.parse().ok()),
        prompt,
        sentence,
        files,
        repaired,
    })
}

/// The sentence and the files behind it; none without a file.
fn answer(body: &str) -> Option<(String, Vec<SampleFile>)> {
    let (sentence, _) = body.split_once(FENCE)?;
    Some((sentence.trim().to_owned(), files(body))).filter(|(_, files)| !files.is_empty())
}

fn files(body: &str) -> Vec<SampleFile> {
    let mut files: Vec<SampleFile> = Vec::new();
    let mut open = false;
    for line in body.lines() {
        match (line.strip_prefix(FENCE), open) {
            (Some(info), false) => {
                let (language, path) = info.split_once(' ').unwrap_or((info, info));
                let content = String::new();
                files.push(SampleFile { path: path.to_owned(), language: language.to_owned(), content });
                open = true;
            }
            (Some(_), true) => open = false,
            (None, true) => {
                if let Some(file) = files.last_mut() {
                    file.content.push_str(line);
                    file.content.push('\n');
                }
            }
            (None, false) => {}
        }
    }
    files
}
