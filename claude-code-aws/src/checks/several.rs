//! A list of command checks, run in order.

use async_trait::async_trait;
use claude_code_core::request;
use claude_code_core::{CodeFile, Diagnostic};

use super::command::Check;

/// Commands that all must end well. The first one that does not is told: what comes after it would say the same.
#[derive(Clone, Debug)]
pub struct Commands {
    commands: Vec<Check>,
}

impl Commands {
    /// In this order.
    pub fn new(commands: impl IntoIterator<Item = Check>) -> Self {
        Commands { commands: commands.into_iter().collect() }
    }
}

#[async_trait]
impl request::Check for Commands {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        for command in &self.commands {
            let found = request::Check::check(command, files).await;
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}
