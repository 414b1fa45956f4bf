//! What a terminal gets. `script` (util-linux) makes one.

use std::process::{Command, Stdio};

use super::Place;
use super::up::Up;

/// Runs a shell line on a terminal of its own; none where there is no `script`.
fn on_a_terminal(place: &Place, line: &str, env: &[(String, String)]) -> Option<String> {
    let there = Command::new("script").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("REQUIRE_TOOLS").is_none(), "`script` of util-linux is required in CI");
        eprintln!("not run: there is no `script` to make a terminal");
        return None;
    }
    let mut command = Command::new("script");
    command.args(["-qec", line, "/dev/null"]).current_dir(place.work());
    command.env("CLAUDE_CODE_AWS_LOCAL_DIR", place.path("data")).env("TERM", "xterm");
    command.env("AWS_EC2_METADATA_DISABLED", "true").envs(env.iter().cloned());
    let output = command.stdin(Stdio::null()).output().unwrap();
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn escape_sequences_of_an_answer_never_reach_a_terminal_and_files_keep_their_bytes() {
    let place = Place::new();
    let evil = "x = 1 # \u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}end\n";
    let script = serde_json::json!({
        "steps": [{ "times": 2, "answer": { "text": format!("```python\n{evil}```\n") } }]
    });
    let script = place.write("script.json", &script.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let bin = env!("CARGO_BIN_EXE_claude-code-aws");
    let env = [up.env(), vec![("CLAUDE_CODE_AWS_STORE".into(), "none".into())]].concat();
    let line = format!("{bin} generate anything --cache off --no-validate 2>/dev/null");
    if let Some(seen) = on_a_terminal(&place, &line, &env) {
        assert!(seen.contains("x = 1 # ⟨U+202E⟩end"), "{seen:?}");
        assert!(!seen.contains(['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}']), "{seen:?}");
    }
    let mut command = place.command(&["generate", "anything", "--cache", "off", "--no-validate"]);
    let exact = super::Done::of(command.envs(env).stdin(Stdio::null()).output().unwrap());
    assert_eq!(exact.out, evil, "{exact:?}");
}

#[test]
fn a_terminal_sees_the_files_come_and_the_line_is_taken_back() {
    let place = Place::new();
    let bin = env!("CARGO_BIN_EXE_claude-code-aws");
    let line = format!("{bin} generate --offline '{}' >/dev/null", super::PALINDROME);
    let Some(seen) = on_a_terminal(&place, &line, &[]) else { return };
    assert!(seen.contains("✓ "), "{seen:?}");
    assert!(seen.contains("sample answer"), "{seen:?}");
}
