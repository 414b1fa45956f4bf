//! Files that ask for checks: `claude-code-aws.toml` in the working directory, profiles. They run once a person has agreed.

use std::path::Path;

use claude_code_core::{Error, Result};

use super::output::plain::line;
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
    agreed(file, project.checks, allows)
}

/// The commands that a file asks for, if a person has agreed to exactly these; agrees to them now if `allows`.
pub(super) fn agreed(file: &Path, commands: Vec<String>, allows: bool) -> Result<Vec<String>> {
    if commands.is_empty() {
        return Ok(commands);
    }
    let consent = Consent::new(&Config::from_env()?.local_dir()?);
    let kept = |error: std::io::Error| Error::invalid(format!("cannot keep what was agreed to: {error}"));
    if allows {
        consent.give(file, &commands).map_err(kept)?;
    }
    if consent.is_given(file, &commands).map_err(kept)? {
        return Ok(commands);
    }
    let asked: Vec<String> = commands.iter().map(|line| format!("`{line}`")).collect();
    show::note(&line(&format!(
        "warning: {} asks for checks that nobody agreed to, so they do not run: {}; --allow-checks agrees once",
        file.display(),
        asked.join(", ")
    )));
    Ok(Vec::new())
}
