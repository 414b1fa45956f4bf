//! The form of a sample file: `prompt:` and perhaps `given:` and `also:` lines, a blank line, the sentence, then files,
//! each between fences of four backticks whose info string is `LANGUAGE PATH`. Several `given:` lines must all be in a
//! message; of the samples that fit, the one with the most of them answers.

use super::find::squeezed;
use super::{Sample, SampleFile};

const FENCE: &str = "````";

/// Reads a sample; none if it has no prompt or no file.
pub(super) fn sample(text: &str) -> Option<Sample> {
    let (head, body) = text.split_once("\n\n")?;
    let field = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
    };
    let (sentence, _) = body.split_once(FENCE)?;
    let files = files(body);
    let prompt = field("prompt:")?;
    let also = field("also:");
    let sample = Sample {
        keys: std::iter::once(prompt.as_str()).chain(also.as_deref()).map(squeezed).collect(),
        prompt,
        given: head
            .lines()
            .filter_map(|line| line.strip_prefix("given:"))
            .map(|text| text.trim().to_owned())
            .collect(),
        sentence: sentence.trim().to_owned(),
        files,
    };
    (!sample.files.is_empty()).then_some(sample)
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
