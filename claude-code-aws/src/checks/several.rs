//! A list of command checks, run in order.

use async_trait::async_trait;
use claude_code_core::request::Check;
use claude_code_core::{CodeFile, Diagnostic};

use super::command::CommandCheck;

/// Commands that all must end well. The first one that does not is told: what comes after it would say the same.
#[derive(Clone, Debug)]
pub struct Commands {
    commands: Vec<CommandCheck>,
}

impl Commands {
    /// In this order.
    pub fn new(commands: impl IntoIterator<Item = CommandCheck>) -> Self {
        Commands { commands: commands.into_iter().collect() }
    }
}

#[async_trait]
impl Check for Commands {
    async fn check(&self, files: &[CodeFile]) -> Vec<Diagnostic> {
        for command in &self.commands {
            let found = command.check(files).await;
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}
