//! Constructs that a person should look at: injection, disabled checks, open doors.

use super::source::Source;
use crate::answer::diagnostic::Diagnostic;

/// A text in code of some languages, and why it is told.
struct Sign {
    languages: &'static [&'static str],
    text: &'static str,
    why: &'static str,
}

const fn sign(languages: &'static [&'static str], text: &'static str, why: &'static str) -> Sign {
    Sign { languages, text, why }
}

const PYTHON: &[&str] = &["python"];
const SCRIPT: &[&str] = &["javascript", "typescript", "tsx"];
const SHELL: &[&str] = &["bash", "dockerfile", "makefile"];
const INFRASTRUCTURE: &[&str] = &["terraform", "yaml", "json"];

const SIGNS: &[Sign] = &[
    sign(PYTHON, "shell=True", "`shell=True` passes text to a shell; give a list of arguments"),
    sign(PYTHON, "os.system(", "`os.system` passes text to a shell; use subprocess.run with a list"),
    sign(PYTHON, "pickle.loads(", "`pickle.loads` runs code that is in the data"),
    sign(PYTHON, "pickle.load(", "`pickle.load` runs code that is in the data"),
    sign(PYTHON, "yaml.unsafe_load(", "`yaml.unsafe_load` runs code that is in the data; use yaml.safe_load"),
    sign(PYTHON, "verify=False", "`verify=False` turns off the check of certificates"),
    sign(PYTHON, "ssl._create_unverified_context", "this turns off the check of certificates"),
    sign(PYTHON, "tempfile.mktemp(", "`tempfile.mktemp` can be raced; use mkstemp"),
    sign(SCRIPT, "new Function(", "`new Function` runs text as code"),
    sign(SCRIPT, "rejectUnauthorized: false", "this turns off the check of certificates"),
    sign(SCRIPT, "dangerouslySetInnerHTML", "this puts text into the page as HTML"),
    sign(SCRIPT, "child_process.exec(", "`exec` passes text to a shell; use execFile"),
    sign(SHELL, "curl -k ", "`curl -k` turns off the check of certificates"),
    sign(SHELL, "chmod 777", "`chmod 777` lets everybody write"),
    sign(SHELL, "chmod -R 777", "`chmod 777` lets everybody write"),
    sign(INFRASTRUCTURE, "AdministratorAccess", "this policy allows everything"),
];

/// Places where the call's argument decides: plain literals are harmless.
const EVALUATES: [(&[&str], &str); 3] = [(PYTHON, "eval("), (PYTHON, "exec("), (SCRIPT, "eval(")];

/// Warnings for dangerous constructs, by text and by line: comments are passed over.
pub fn check(source: &Source) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    let is_there = |text: &str| memchr::memmem::find(source.text.as_bytes(), text.as_bytes()).is_some();
    let is_read = |sign: &&Sign| sign.languages.contains(&source.language) && is_there(sign.text);
    let signs: Vec<&Sign> = SIGNS.iter().filter(is_read).collect();
    let has_special = SPECIAL.iter().any(|text| is_there(text));
    let lines = if signs.is_empty() && !has_special { "" } else { source.text.as_ref() };
    for line in lines.split_inclusive('\n') {
        let code = line.trim_start();
        if !code.starts_with(['#', '*']) && !code.starts_with("//") {
            found.extend(told(source, &signs, line).map(|(at, why)| source.warning(start + at, why)));
        }
        start += line.len();
    }
    if INFRASTRUCTURE.contains(&source.language) {
        found.extend(open_doors(source));
    }
    found
}

/// Texts without which none of the checks below finds anything.
const SPECIAL: [&str; 8] =
    ["eval(", "exec(", "yaml.load(", "rm -rf /", "SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "];

fn told<'l>(
    source: &'l Source,
    signs: &'l [&'static Sign],
    line: &'l str,
) -> impl Iterator<Item = (usize, &'static str)> + 'l {
    let language = source.language;
    let signs = signs.iter().filter_map(move |sign| line.find(sign.text).map(|at| (at, sign.why)));
    let special = [
        evaluated(language, line),
        yaml_load(language, line),
        root_removed(language, line),
        sql_built(language, line),
    ];
    signs.chain(special.into_iter().flatten())
}

fn evaluated(language: &str, line: &str) -> Option<(usize, &'static str)> {
    let (_, call) =
        EVALUATES.iter().find(|(languages, call)| languages.contains(&language) && line.contains(call))?;
    let at = line.find(call)?;
    let is_part = line[..at].ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
    let is_literal = line[at + call.len()..].starts_with(['"', '\'', ')']);
    (!is_part && !is_literal).then_some((at, "this runs text as code"))
}

fn yaml_load(language: &str, line: &str) -> Option<(usize, &'static str)> {
    let at = line.find("yaml.load(").filter(|_| language == "python" && !line.contains("Loader"))?;
    Some((at, "`yaml.load` without SafeLoader runs code that is in the data; use yaml.safe_load"))
}

fn root_removed(language: &str, line: &str) -> Option<(usize, &'static str)> {
    let at = line.find("rm -rf /").filter(|_| SHELL.contains(&language) || language == "python")?;
    let target = line[at + "rm -rf ".len()..].split([' ', '"', '\'', '\n', ';', '&']).next().unwrap_or("");
    let is_root = matches!(target, "/" | "/*" | "/etc" | "/usr" | "/var" | "/home" | "/bin" | "/lib");
    is_root.then_some((at, "this removes the system's files"))
}

/// SQL with values put into its text: by `+`, `%`, `format` or an f-string after a comparison.
fn sql_built(language: &str, line: &str) -> Option<(usize, &'static str)> {
    const WHY: &str = "SQL is built from values by text; use parameters";
    let verb =
        ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM "].iter().find_map(|verb| line.find(verb))?;
    let (before, after) = line.split_at(verb);
    let quote = before.trim_end().chars().last().filter(|c| "\"'`".contains(*c))?;
    let is_format = before.trim_end().trim_end_matches(quote).ends_with(['f', 'F']) && language == "python";
    let compared =
        ["='{", "= '{", "={", "= {", "LIKE '%{", "VALUES ({", "VALUES ('{"].iter().any(|s| after.contains(s));
    let template = SCRIPT.contains(&language)
        && quote == '`'
        && ["= ${", "='${", "= '${"].iter().any(|s| after.contains(s));
    let end = after.rfind(quote).map_or("", |at| after[at + 1..].trim_start());
    let joined = end.starts_with("+ ")
        || language == "python" && (end.starts_with("% ") || end.starts_with(".format("));
    let is_statement = after.contains("FROM") || after.contains("INTO") || after.contains(" SET ");
    (is_statement && (is_format && compared || template || joined)).then_some((verb, WHY))
}

/// Doors open to the world, and rights to everything.
fn open_doors(source: &Source) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut ingress = 0_usize;
    let mut any_action: Option<usize> = None;
    for line in source.text.split_inclusive('\n') {
        let folded = line.to_ascii_lowercase();
        ingress = if folded.contains("ingress") { 12 } else { ingress.saturating_sub(1) };
        if folded.contains("egress") {
            ingress = 0;
        }
        if let (true, Some(at)) = (ingress > 0, line.find("0.0.0.0/0").or_else(|| line.find("::/0"))) {
            found.push(source.warning(start + at, "this lets the whole internet in"));
        }
        let value = folded
            .split([':', '='])
            .nth(1)
            .unwrap_or("")
            .trim()
            .trim_matches(|c: char| " \"'[]{},".contains(c));
        let key = folded.trim_start().trim_start_matches(['"', '-', ' ']);
        match (key.starts_with("action"), key.starts_with("resource"), value == "*") {
            (true, _, is_any) => any_action = is_any.then_some(start),
            (_, true, true) => found.extend(
                any_action.take().map(|at| source.warning(at, "this allows every action on everything")),
            ),
            _ => {}
        }
        start += line.len();
    }
    found
}
