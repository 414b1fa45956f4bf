//! `doctor`: is everything there? Each line is ok or says what to do. Nothing is sent to a model.

use claude_code_core::Result;

use super::args::Global;
use super::{exit, json, plain, setup, show};
use crate::doctor::{Finding, examine};

/// Looks and tells. Exit code 1 if anything has to be done.
pub(super) async fn run(global: Global) -> Result<u8> {
    let findings = examine(&setup::config(global)?).await;
    let ok = findings.iter().all(|finding| finding.ok);
    if global.json {
        show::out(&json::text(&serde_json::json!({ "ok": ok, "checks": findings }))?)?;
    } else {
        let rows: Vec<Vec<String>> = findings.into_iter().map(|finding| row(finding).to_vec()).collect();
        show::out(&show::table(&rows))?;
        if !ok {
            show::note(
                "without an account: claude-code-aws generate --offline \"Write a Python function that reverses a string.\"",
            );
        }
    }
    Ok(if ok { exit::OK } else { exit::FAILED })
}

/// State, name, and what was found with what to do.
pub(super) fn row(finding: Finding) -> [String; 3] {
    let Finding { name, ok, detail, fix } = finding;
    let state = match (ok, &fix) {
        (false, _) => "fix",
        (true, Some(_)) => "note",
        (true, None) => "ok",
    };
    let text = fix.map_or(detail.clone(), |fix| format!("{detail}: {fix}"));
    [state.to_owned(), name, plain::line(&text)]
}
