//! The project's file, `claude-code-aws.toml` in the working directory: the checks that its answers must pass.

use std::path::Path;

use claude_code_core::{Error, Result};

use super::output::show;
use crate::checks::Consent;
use crate::connect::config::Config;

const NAME: &str = "claude-code-aws.toml";

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    /// Commands, as `--check` takes them.
    #[serde(default)]
    checks: Vec<String>,
}

/// The commands of the project's file, if a person has agreed to them; agrees to them now if `allows`. Others' files
/// run nothing: a warning says what they ask for.
pub(super) fn checks(allows: bool) -> Result<Vec<String>> {
    let file = Path::new(NAME);
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::invalid(format!("cannot read {NAME}: {error}"))),
    };
    let project: Project = toml::from_str(&text)
        .map_err(|error| Error::invalid(format!("{NAME} is not what it should be: {}", error.message())))?;
    if project.checks.is_empty() {
        return Ok(Vec::new());
    }
    let consent = Consent::new(&Config::from_env()?.local_dir()?);
    let kept = |error: std::io::Error| Error::invalid(format!("cannot keep what was agreed to: {error}"));
    if allows {
        consent.give(file, &project.checks).map_err(kept)?;
    }
    if consent.is_given(file, &project.checks).map_err(kept)? {
        return Ok(project.checks);
    }
    let asked: Vec<String> = project.checks.iter().map(|line| format!("`{line}`")).collect();
    show::note(&format!(
        "warning: {NAME} asks for checks that nobody agreed to, so they do not run: {}; --allow-checks agrees once",
        asked.join(", ")
    ));
    Ok(Vec::new())
}
