//! Arguments of commands over given files, and what they may write.

use std::path::PathBuf;

use clap::Args;
use claude_code_core::Result;

use super::args::{Global, HowArgs};
use super::setup;
use crate::files::write::WriteOptions;
use crate::files::write_journal::WriteJournal;

/// What may be written.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct WriteArgs {
    /// Write files that run by themselves too: editor tasks, hooks, CI files (each is named with the reason)
    #[arg(long)]
    pub(super) allow_auto_exec: bool,
    /// Leave out files whose names are refused, and write the others
    #[arg(long)]
    pub(super) skip_refused: bool,
    /// Write a file that would lose more than half of its lines, or all that it defines
    #[arg(long)]
    pub(super) yes: bool,
}

impl WriteArgs {
    /// The options of a write of this result. What it replaces is kept in the local directory.
    pub(super) fn options(self, global: Global, result: &str) -> Result<WriteOptions> {
        let WriteArgs { allow_auto_exec, skip_refused, yes: allow_shrink } = self;
        let journal = Some(WriteJournal::new(&setup::config(global)?.local_dir()?, Some(result)));
        Ok(WriteOptions { allow_auto_exec, skip_refused, allow_shrink, journal, ..WriteOptions::default() })
    }
}

#[derive(Args, Debug)]
pub(super) struct RefactorArgs {
    /// The files to change
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// What to change
    #[arg(short, long, value_name = "TEXT")]
    pub(super) instructions: String,
    /// Apply the changes to the files, and write new ones beside them
    #[arg(long)]
    pub(super) write: bool,
    /// With --write: let new files take the place of files that exist and were not given
    #[arg(long, requires = "write")]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) to_write: WriteArgs,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

/// A task over given files.
#[derive(Args, Debug)]
pub(super) struct TaskArgs {
    /// Files to look at
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// What to look at; omitted: everything
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub(super) instructions: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// A change of a stored result.
#[derive(Args, Debug)]
pub(super) struct RefineArgs {
    /// Id from the summary line or `results list`; its beginning is enough
    pub(super) id: String,
    /// What to change
    pub(super) instructions: String,
    #[command(flatten)]
    pub(super) answer: AnswerArgs,
}

/// How a task is asked, and what becomes of its answer.
#[derive(Args, Debug)]
pub(super) struct AnswerArgs {
    /// Write the files of the answer into this directory instead of printing them
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    /// Replace existing files
    #[arg(long, requires = "output")]
    pub(super) overwrite: bool,
    #[command(flatten)]
    pub(super) to_write: WriteArgs,
    #[command(flatten)]
    pub(super) how: HowArgs,
}
