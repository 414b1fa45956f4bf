//! Files of packages that are installed on this machine, of any language.

use std::path::{Path, PathBuf};

/// Folders under which packages are installed: Python's, Rust's and Node's.
fn roots() -> Vec<PathBuf> {
    let home = std::env::home_dir().unwrap_or_default();
    let cargo = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut roots = vec![cargo.join("registry/src"), here.join("node_modules"), here.join(".venv/lib")];
    for lib in ["/usr/lib", "/usr/local/lib", "/opt"].map(Path::new) {
        let entries = std::fs::read_dir(lib).into_iter().flatten().flatten().map(|entry| entry.path());
        roots.extend(entries.filter(|path| {
            path.file_name().is_some_and(|name| {
                let name = name.to_string_lossy();
                name.starts_with("python3") || name == "node_modules"
            })
        }));
    }
    roots
}

/// So many text files, spread over the roots and over their folders; the same ones in every run on one machine.
pub(crate) fn installed(count: usize) -> Vec<(PathBuf, String)> {
    let roots: Vec<PathBuf> = roots().into_iter().filter(|root| root.is_dir()).collect();
    let mut files = Vec::new();
    for root in &roots {
        let mut all = Vec::new();
        collect(root, 0, &mut all);
        all.sort();
        let step = (all.len() / (count * 3 / (2 * roots.len()) + 1)).max(1);
        let texts = all.into_iter().step_by(step).filter_map(|path| Some((path.clone(), text(&path)?)));
        files.extend(texts.take(count * 3 / (2 * roots.len()) + 1));
    }
    files.truncate(count);
    files
}

const TEXT: [&str; 34] = [
    "py", "pyi", "rs", "js", "mjs", "cjs", "ts", "tsx", "jsx", "json", "toml", "yaml", "yml", "md", "rst",
    "txt", "c", "h", "cpp", "hpp", "sh", "css", "scss", "html", "xml", "sql", "java", "go", "rb", "php",
    "cfg", "ini", "cs", "kt",
];

fn collect(dir: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    for entry in entries {
        if depth >= 12 || found.len() >= 200_000 {
            return;
        }
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, depth + 1, found),
            Ok(kind) if kind.is_file() => {
                let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
                if extension.is_some_and(|extension| TEXT.contains(&extension.as_str())) {
                    found.push(path);
                }
            }
            _ => {}
        }
    }
}

fn text(path: &Path) -> Option<String> {
    let size = std::fs::metadata(path).ok()?.len();
    let content = if size < 40_000 { std::fs::read_to_string(path).ok()? } else { return None };
    (!content.trim().is_empty() && !content.contains('\0')).then_some(content)
}
