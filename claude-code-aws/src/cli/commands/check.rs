//! `check`: the validation of answers as a linter for files that exist. No model is asked.

use std::path::{Path, PathBuf};

use claude_code_core::answer::language::Language;
use claude_code_core::validate;
use claude_code_core::{CodeFile, Diagnostic, Error, ErrorKind, Result};

use crate::cli::args::Global;
use crate::cli::output::{exit, json, plain, sarif, show};
use crate::cli::report_args::CheckArgs;

/// Folders that hold what is not the user's own code.
const PASSED_OVER: [&str; 6] =
    ["node_modules", "target", "venv", "__pycache__", "site-packages", "bower_components"];

/// Hidden folders of files that people write.
const OWN: [&str; 8] =
    [".github", ".gitea", ".forgejo", ".gitlab", ".circleci", ".vscode", ".devcontainer", ".config"];

/// Files that are checked together; a folder with more is none that a person wrote.
const MAX_FILES: usize = 200_000;

pub(crate) fn run(global: Global, args: &CheckArgs) -> Result<u8> {
    let mut paths = Vec::new();
    for path in &args.paths {
        collect(path, &mut paths, true)?;
    }
    let files: Vec<CodeFile> = paths.iter().filter_map(|path| read(path)).collect();
    let found = if args.alone {
        files.iter().flat_map(|file| validate::check(std::slice::from_ref(file))).collect()
    } else {
        validate::check(&files)
    };
    let errors = found.iter().filter(|told| told.is_error()).count();
    if args.sarif {
        show::out(&json::text(&sarif::log(&found))?)?;
    } else if global.json {
        let value = serde_json::json!({
            "files": files.len(), "errors": errors, "warnings": found.len() - errors, "diagnostics": found,
        });
        show::out(&json::text(&value)?)?;
    } else {
        let lines: String =
            found.iter().map(|told| format!("{}\n", plain::line(&told.to_string()))).collect();
        show::out(&lines)?;
        show::note(&summary(files.len(), errors, &found));
    }
    Ok(if errors > 0 { exit::FAILED } else { exit::OK })
}

fn summary(files: usize, errors: usize, found: &[Diagnostic]) -> String {
    let some = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let warnings = found.len() - errors;
    format!("{}: {}, {}", some(files, "file"), some(errors, "error"), some(warnings, "warning"))
}

/// Adds a file, or the files below a folder in the order of their names. Hidden folders, those of packages and links are
/// passed over.
fn collect(path: &Path, found: &mut Vec<PathBuf>, is_asked: bool) -> Result<()> {
    let problem =
        |error: std::io::Error| Error::new(ErrorKind::InvalidRequest, format!("{}: {error}", path.display()));
    if !is_asked && path.is_symlink() {
        return Ok(());
    }
    if !path.metadata().map_err(problem)?.is_dir() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).map_err(problem)?;
    let mut below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    below.sort();
    for path in below {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_kept = OWN.contains(&name.as_ref()) || !name.starts_with('.');
        let is_own = is_kept && !PASSED_OVER.contains(&name.as_ref());
        if (is_own || path.is_file()) && found.len() < MAX_FILES {
            collect(&path, found, false)?;
        }
    }
    Ok(())
}

/// A file of a language that is known, or a template; none for others, and for what is no text.
fn read(path: &Path) -> Option<CodeFile> {
    let name = path.to_string_lossy().replace('\\', "/");
    let name = name.trim_start_matches("./").to_owned();
    let template = || validate::is_template(&name).then(Language::text);
    let language = Language::from_path(&name).or_else(template)?;
    let content = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    Some(CodeFile { path: Some(name), language, content, complete: true, rejected: None })
}
