//! Packing a directory: the files that go along with a request, most telling first, within a budget of tokens.
//!
//! `.gitignore` and `.ignore` count, hidden files stay out, and so does what is binary, secret or made by a tool.

use std::path::Path;

use claude_code_aws::model::token_estimate::estimate_tokens;
use claude_code_aws::request::SourceFile;
use claude_code_aws::{Error, Result};
use ignore::WalkBuilder;

/// A file longer than this says little in proportion.
const MAX_BYTES: u64 = 256 << 10;

/// Names that hold secrets.
const SECRET: [&str; 6] = [".pem", ".key", ".p12", "id_rsa", "id_ed25519", "credentials"];
/// Names that a tool has made.
const MADE: [&str; 7] =
    ["package-lock.json", "yarn.lock", "pnpm-lock.yaml", "Cargo.lock", "poetry.lock", ".min.js", ".map"];
/// Names that tell what a project is.
const TELLING: [&str; 7] =
    ["README.md", "package.json", "Cargo.toml", "pyproject.toml", "requirements.txt", "go.mod", "Makefile"];

/// What goes along, and what does not.
#[derive(Debug, Default)]
pub struct Pack {
    /// The files, most telling first.
    pub files: Vec<SourceFile>,
    /// A line for each file: in or out, its tokens, and why it is out.
    pub lines: Vec<String>,
}

/// Packs a directory into so many tokens. Fails if it cannot be read.
pub fn pack(dir: &Path, tokens: u64) -> Result<Pack> {
    if !dir.is_dir() {
        return Err(Error::invalid(format!("{} is no directory", dir.display())));
    }
    let mut found: Vec<(u8, String, Result<SourceFile, String>)> = Vec::new();
    let walk = WalkBuilder::new(dir).require_git(false).sort_by_file_path(Ord::cmp).build();
    for entry in walk {
        let entry =
            entry.map_err(|error| Error::invalid(format!("{} cannot be read: {error}", dir.display())))?;
        let Ok(below) = entry.path().strip_prefix(dir) else { continue };
        if !entry.file_type().is_some_and(|kind| kind.is_file()) {
            continue;
        }
        let name = below.to_string_lossy().replace('\\', "/");
        found.push((rank(&name), name.clone(), read(entry.path(), name)));
    }
    found.sort_by(|(a, left, _), (b, right, _)| (a, left).cmp(&(b, right)));
    let (mut pack, mut left) = (Pack::default(), tokens);
    for (_, name, file) in found {
        match file {
            Err(why) => pack.lines.push(format!("out  {name}  ({why})")),
            Ok(file) => {
                let size = estimate_tokens(&file.content);
                if size > left {
                    pack.lines.push(format!("out  {name}  ({size} tokens, {left} are left)"));
                    continue;
                }
                left -= size;
                pack.lines.push(format!("in   {name}  {size} tokens"));
                pack.files.push(file);
            }
        }
    }
    let packed = tokens - left;
    pack.lines.push(format!("{} files in, about {packed} of {tokens} tokens", pack.files.len()));
    Ok(pack)
}

/// The order: what the project is, its sources, its tests, its documents, everything else.
fn rank(name: &str) -> u8 {
    let file = name.rsplit('/').next().unwrap_or(name);
    let is_test = name.contains("test");
    match file.rsplit_once('.').map_or("", |(_, extension)| extension) {
        _ if TELLING.contains(&file) => 0,
        "py" | "rs" | "ts" | "tsx" | "js" | "go" | "java" | "rb" | "php" | "c" | "cpp" | "h" | "cs"
        | "tf" | "sql" => 1 + u8::from(is_test),
        "md" | "txt" | "rst" => 3,
        _ => 4,
    }
}

fn read(path: &Path, name: String) -> Result<SourceFile, String> {
    let file = name.rsplit('/').next().unwrap_or(&name).to_ascii_lowercase();
    if SECRET.iter().any(|end| file.ends_with(end)) {
        return Err("may hold a secret".to_owned());
    }
    if MADE.iter().any(|end| file.ends_with(&end.to_ascii_lowercase())) {
        return Err("made by a tool".to_owned());
    }
    let bytes = path.metadata().map_err(|error| error.to_string())?.len();
    if bytes > MAX_BYTES {
        return Err(format!("{bytes} bytes, over {MAX_BYTES}"));
    }
    let content = std::fs::read(path).map_err(|error| error.to_string())?;
    let content = String::from_utf8(content).map_err(|_| "not text".to_owned())?;
    if content.contains('\0') {
        return Err("not text".to_owned());
    }
    Ok(SourceFile { path: name, content })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, &str)], tokens: u64) -> Pack {
        let dir = tempfile::TempDir::new().unwrap();
        for (name, content) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        pack(dir.path(), tokens).unwrap()
    }

    fn names(pack: &Pack) -> Vec<&str> {
        pack.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn ignored_secret_and_binary_files_stay_out_and_are_listed() {
        let files = [
            (".gitignore", "build/\n"),
            ("build/out.py", "x = 1\n"),
            ("app.py", "x = 1\n"),
            ("server.pem", "key\n"),
            ("a.bin", "\0\u{1}"),
        ];
        let pack = packed(&files, 1_000);
        assert_eq!(names(&pack), ["app.py"]);
        let lines = pack.lines.join("\n");
        assert!(lines.contains("out  server.pem  (may hold a secret)"), "{lines}");
        assert!(lines.contains("out  a.bin  (not text)"), "{lines}");
        assert!(!lines.contains("build"), "{lines}");
    }

    #[test]
    fn the_budget_goes_to_what_tells_most() {
        let long = "value = 1\n".repeat(200);
        let files = [
            ("README.md", "A project.\n"),
            ("app.py", "x = 1\n"),
            ("tests/test_app.py", "y = 2\n"),
            ("big.py", &long),
        ];
        let pack = packed(&files, 60);
        assert_eq!(names(&pack), ["README.md", "app.py", "tests/test_app.py"]);
        assert!(pack.lines.iter().any(|line| line.starts_with("out  big.py")), "{:?}", pack.lines);
    }
}
