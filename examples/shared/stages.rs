//! Kept stages: what a run has paid for is on the disk before the next stage begins, so that the same command goes on
//! after a kill. Nothing of it is in the user's directory.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use claude_code_aws::answer::file::sha256_hex;
use claude_code_aws::files::batch_manifest::Key;
use claude_code_aws::{CodeFile, Config, GenerateRequest, Generation, Result};
use serde::de::DeserializeOwned;

use crate::terminal::note;

/// The stages of one run, below the local state directory.
#[derive(Debug)]
pub struct Stages {
    dir: PathBuf,
}

impl Stages {
    /// The stages of an application's run into this directory.
    pub fn open(application: &str, output: &Path) -> Result<Self> {
        let place = std::path::absolute(output).unwrap_or_else(|_| output.to_owned());
        let key = sha256_hex(place.as_os_str().as_encoded_bytes());
        let local = Config::from_env()?.local_dir()?;
        Ok(Stages { dir: local.join("applications").join(format!("{application}-{}", &key[..16])) })
    }

    /// The answer of an earlier run to this request.
    pub fn kept(&self, request: &GenerateRequest) -> Option<Generation> {
        self.read(&Key::of(request).to_string())
    }

    /// Keeps an answer. A disk that is full costs the keeping, not the run.
    pub fn keep(&self, request: &GenerateRequest, generation: &Generation) {
        self.write(&Key::of(request).to_string(), &serde_json::to_vec(generation));
    }

    /// The whole files of an answer that was broken off.
    pub fn kept_files(&self, request: &GenerateRequest) -> Vec<CodeFile> {
        self.read(&format!("{}.files", Key::of(request))).unwrap_or_default()
    }

    /// Keeps the files that have arrived so far.
    pub fn keep_files(&self, request: &GenerateRequest, files: &[CodeFile]) {
        self.write(&format!("{}.files", Key::of(request)), &serde_json::to_vec(files));
    }

    /// The run is done: nothing of it is needed any more.
    pub fn done(self) {
        let _ = fs::remove_dir_all(&self.dir);
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&fs::read(self.dir.join(name)).ok()?).ok()
    }

    fn write(&self, name: &str, content: &serde_json::Result<Vec<u8>>) {
        let written = content.as_ref().map_err(|error| error.to_string()).and_then(|content| {
            self.replace(name, content).map_err(|error| format!("{}: {error}", self.dir.display()))
        });
        if let Err(why) = written {
            note(&format!("warning: this stage is not kept for a later run: {why}"));
        }
    }

    /// In one step: a kill leaves the content before or the one after.
    fn replace(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        make_private(&self.dir)?;
        let fresh = self.dir.join(format!("{name}.{}", std::process::id()));
        let mut file = fs::File::create(&fresh)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(fresh, self.dir.join(name))
    }
}

#[cfg(unix)]
fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_private(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)
}
