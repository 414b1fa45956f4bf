//! `doctor`: checks configuration, network, credentials, models and storage. Each line is ok or says what to do.
//! Nothing is sent to a model.

use claude_code_core::Result;

use crate::cli::args::Global;
use crate::cli::output::exit;
use crate::cli::output::json;
use crate::cli::output::plain;
use crate::cli::output::show;
use crate::cli::setup;
use crate::doctor::{Finding, examine, examine_batch};

/// Looks and tells. Exit code 1 if anything has to be done.
pub(crate) async fn run(global: Global, batch: bool) -> Result<u8> {
    let config = setup::config(global)?;
    let mut findings = examine(&config).await;
    if batch {
        findings.extend(examine_batch(&config).await);
    }
    findings.push(sandbox());
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

/// Which isolation this machine gives to the commands of `--check`.
fn sandbox() -> Finding {
    #[cfg(target_os = "linux")]
    let probed = crate::cli::sandbox::probe();
    #[cfg(not(target_os = "linux"))]
    let probed: std::result::Result<(), String> = Err("a sandbox needs Linux".to_owned());
    let (detail, fix) = match probed {
        Ok(()) => ("commands of --check run in user, mount, process and network namespaces".to_owned(), None),
        Err(problem) => (problem, Some("commands of --check run only with --check-unsafe".to_owned())),
    };
    Finding { name: "sandbox".to_owned(), ok: true, detail, fix }
}

/// State, name, and what was found with what to do.
pub(crate) fn row(finding: Finding) -> [String; 3] {
    let Finding { name, ok, detail, fix } = finding;
    let state = match (ok, &fix) {
        (false, _) => "fix",
        (true, Some(_)) => "note",
        (true, None) => "ok",
    };
    let text = fix.map_or(detail.clone(), |fix| format!("{detail}: {fix}"));
    [state.to_owned(), name, plain::line(&text)]
}
