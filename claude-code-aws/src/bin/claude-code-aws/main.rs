//! The command `claude-code-aws`; everything is in the library, so that other hosts can call it in process.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(claude_code_aws::cli::main_with(std::env::args_os()))
}
