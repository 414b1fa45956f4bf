//! `samples`: what the local twin answers.

use claude_code_core::Result;

use crate::cli::args::Global;
use crate::cli::output::exit;
use crate::cli::output::json;
use crate::cli::output::show;
use crate::local::Samples;

/// The prompts, with what each is there to show and what it can be refined by.
pub(crate) fn run(global: Global) -> Result<u8> {
    let samples = Samples::built_in();
    let refined = |prompt: &str| -> Vec<String> {
        let after = samples.iter().filter(|sample| sample.after.as_deref() == Some(prompt));
        after.map(|sample| sample.prompt.clone()).collect()
    };
    let listed = samples.iter().filter(|sample| sample.after.is_none());
    if global.json {
        let values: Vec<serde_json::Value> = listed
            .map(|sample| {
                serde_json::json!({
                    "prompt": sample.prompt, "language": sample.language, "shows": sample.shows,
                    "refine": refined(&sample.prompt),
                })
            })
            .collect();
        show::out(&json::text(&values)?)?;
        return Ok(exit::OK);
    }
    let rows: Vec<Vec<String>> = listed
        // The prompt that the service creator sends is nothing to type.
        .filter(|sample| sample.prompt.len() < TYPED)
        .map(|sample| {
            let mut told: Vec<String> = sample.shows.iter().cloned().collect();
            told.extend(refined(&sample.prompt).iter().map(|prompt| format!("refine: {prompt}")));
            let told = if told.is_empty() { String::new() } else { format!("  ({})", told.join("; ")) };
            vec![sample.language.clone(), format!("{}{told}", sample.prompt)]
        })
        .collect();
    show::out(&show::headed(["language", "prompt"], rows))?;
    show::remark("other words of the same meaning get the same sample; nothing else is answered offline");
    Ok(exit::OK)
}

/// The longest prompt that is shown.
const TYPED: usize = 200;
