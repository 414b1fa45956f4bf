//! Going on with an answer that was broken off: its whole files stand, and only the others are asked for.

use std::sync::Arc;

use async_trait::async_trait;
use claude_code_aws::{Check, CodeFile, Diagnostic, GenerateRequest, validate};

use crate::checks::{errors, sources};

/// What is left of a stage.
#[derive(Debug)]
pub enum Rest {
    /// Every file is there, and no check finds an error.
    Nothing,
    /// This request.
    Ask(Box<GenerateRequest>),
}

/// What is left to ask for beside whole files of an earlier answer.
pub async fn rest(request: &GenerateRequest, kept: &[CodeFile], needed: &[String]) -> Rest {
    let names: Vec<&str> = kept.iter().filter_map(|file| file.path.as_deref()).collect();
    if needed.iter().all(|name| names.contains(&name.as_str())) {
        let together = Together { kept: kept.to_vec(), then: request.check.clone() };
        let found = together.check(&[]).await;
        return match errors(&found).is_empty() {
            true => Rest::Nothing,
            false => Rest::Ask(Box::new(repair(request, kept, &found))),
        };
    }
    let words = format!(
        "{}\n\nThese files are written already and given below; do not write them again: {}.",
        request.instructions.as_deref().unwrap_or_default(),
        names.join(", ")
    );
    let mut rest = request.clone().with_instructions(words);
    rest.files.retain(|given| !names.contains(&given.path.as_str()));
    rest.files.extend(sources(kept));
    let then = rest.check.take();
    rest.check = Some(Arc::new(Together { kept: kept.to_vec(), then }));
    Rest::Ask(Box::new(rest))
}

/// A request to mend files that do not pass their checks.
pub fn repair(request: &GenerateRequest, answered: &[CodeFile], found: &[Diagnostic]) -> GenerateRequest {
    let findings: Vec<String> = found.iter().map(ToString::to_string).collect();
    let mut words = request.prompt.clone();
    if let Some(instructions) = &request.instructions {
        words.push_str(&format!("\n\n{instructions}"));
    }
    words.push_str(&format!(
        "\n\nAn answer to this was written, and these checks failed:\n\n{}\n\nMend the files so that they pass; leave \
         everything else as it is.",
        findings.join("\n")
    ));
    let mut files = sources(answered);
    let own = |path: &str| answered.iter().any(|file| file.path.as_deref() == Some(path));
    files.extend(request.files.iter().filter(|given| !own(&given.path)).cloned());
    let then = request.check.clone();
    GenerateRequest {
        model: request.model.clone(),
        max_usd: request.max_usd,
        skip_store: request.skip_store,
        check: Some(Arc::new(Together { kept: answered.to_vec(), then })),
        ..GenerateRequest::refactor(files, words)
    }
}

/// Adds the kept files that an answer does not have.
pub fn complete(files: &mut Vec<CodeFile>, kept: Vec<CodeFile>) {
    let is_new = |file: &CodeFile, files: &[CodeFile]| !files.iter().any(|other| other.path == file.path);
    let more: Vec<CodeFile> = kept.into_iter().filter(|file| is_new(file, files)).collect();
    files.extend(more);
}

/// A check over kept files and those of an answer. Given files are taken as they are by the client's own checks: here
/// they are new ones.
struct Together {
    kept: Vec<CodeFile>,
    then: Option<Arc<dyn Check>>,
}

#[async_trait]
impl Check for Together {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        let mut all = files.to_vec();
        complete(&mut all, self.kept.clone());
        let mut found = validate::check(&all);
        if let Some(check) = self.then.as_ref().filter(|_| errors(&found).is_empty()) {
            found.extend(check.check(&all).await);
        }
        found
    }
}
