//! Temporary directory of a command check: the files of an answer beside the given ones; removed afterwards.

use std::path::{Component, Path, PathBuf};

use claude_code_core::CodeFile;
use claude_code_core::answer::file;
use claude_code_core::request::SourceFile;

/// A directory of its own, removed with all that is in it when it is dropped.
pub(super) struct Layout {
    path: PathBuf,
}

impl Layout {
    pub(super) fn new(given: &[SourceFile], files: &[CodeFile]) -> std::io::Result<Self> {
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
        let name = format!("claude-code-check-{:016x}", u64::from_le_bytes(random));
        let layout = Layout { path: std::env::temp_dir().join(name) };
        directory(&layout.path)?;
        for given in given {
            layout.write(&given.path, &given.content)?;
        }
        for (name, file) in file::names(files).iter().zip(files) {
            layout.write(name, &file.content)?;
        }
        Ok(layout)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file below the directory; names that lead out of it are passed over: no store takes them either.
    fn write(&self, name: &str, content: &str) -> std::io::Result<()> {
        let name = Path::new(name);
        if !name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Ok(());
        }
        let target = self.path.join(name);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(target, content)
    }
}

#[cfg(unix)]
fn directory(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn directory(path: &Path) -> std::io::Result<()> {
    std::fs::create_dir(path)
}

impl Drop for Layout {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
