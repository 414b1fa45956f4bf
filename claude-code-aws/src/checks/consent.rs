//! Consent: commands that a file asks for run once a person has agreed to them, and never after they were changed.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Where it is kept what a person agreed to: an empty file for each, named by the hash of the asking file's path and its
/// commands.
#[derive(Clone, Debug)]
pub struct Consent {
    folder: PathBuf,
}

impl Consent {
    /// Kept in the local directory.
    pub fn new(local_dir: &Path) -> Self {
        Consent { folder: local_dir.join("consent") }
    }

    /// Whether these commands of this file were agreed to.
    pub fn is_given(&self, file: &Path, commands: &[String]) -> std::io::Result<bool> {
        self.folder.join(hash(file, commands)?).try_exists()
    }

    /// Agrees to them.
    pub fn give(&self, file: &Path, commands: &[String]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(self.folder.join(hash(file, commands)?), "")
    }
}

fn hash(file: &Path, commands: &[String]) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(file.canonicalize()?.as_os_str().as_encoded_bytes());
    for command in commands {
        hash.update([0]);
        hash.update(command);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
