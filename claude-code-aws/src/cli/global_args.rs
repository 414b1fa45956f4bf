//! Flags that every command takes, before or after its name.

use clap::Args;

/// Global flags. They are read once and live as long as the process.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Global {
    /// Use the local twin: sample answers, results in the local directory; needs no AWS account
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// Print one JSON value on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Who answers in the local twin, with --offline implied: `samples`, a script of answers and faults (a JSON file),
    /// a directory of sample answers (Markdown files), one that `twin record` wrote, or the URL of a model server: …/v1 and …/chat/completions are OpenAI's API,
    /// any other is the Messages API
    #[arg(long, global = true, value_name = "WHO", value_parser = kept)]
    pub(super) answers: Option<&'static str>,
    /// Model name to send to such a server; omitted: the id in each request
    #[arg(long, global = true, value_name = "NAME", value_parser = kept)]
    pub(super) answers_model: Option<&'static str>,
    /// Sample answers at once; on a terminal they come at the pace of a model
    #[arg(long, global = true)]
    pub(super) instant: bool,
    /// Only the result and errors: no progress, warnings and summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Also each attempt, each line of the receipt, and what goes on meanwhile; never prompts or code
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

impl Global {
    /// Whether the local twin answers.
    pub(super) fn is_offline(self) -> bool {
        self.offline || self.answers.is_some()
    }
}

/// An argument's text for the rest of the process: every command gets it by copy.
fn kept(text: &str) -> Result<&'static str, std::convert::Infallible> {
    Ok(Box::leak(text.to_owned().into_boxed_str()))
}
