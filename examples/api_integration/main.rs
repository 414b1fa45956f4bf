//! API integration: an OpenAPI document becomes a typed client in Python, TypeScript or Rust, checked by the language's own tools
//! and tested against a mock of the document.
//!
//! `cargo run --example api_integration -- examples/api_integration/specs/tasks.yaml --tag tasks -o client --offline`

mod cut;
mod document;
mod external;
mod language;
mod place;
mod repair;
#[cfg(test)]
#[path = "runtime/rust/mod.rs"]
#[allow(dead_code, unused_imports)]
mod runtime;
#[cfg(test)]
#[path = "runtime/rust/tests.rs"]
#[allow(clippy::unwrap_used, clippy::panic)]
mod runtime_tests;
mod schemas;

use std::path::Path;
use std::process::ExitCode;

use applications::args::Common;
use applications::ask::{Asker, shared};
use applications::checks::Commands;
use applications::output::{Changes, recover};
use applications::run::{End, run};
use applications::stages::Stages;
use applications::terminal::{note, out};
use clap::Parser;
use claude_code_aws::{CodeFile, GenerateRequest, Language, Result};
use serde_json::Value;

use cut::Choice;
use language::Target;
use place::{Allowed, Place};

/// An OpenAPI 3.0 or 3.1 document becomes a typed client: only the operations that you need, checked and tested before it is
/// written.
#[derive(Debug, Parser)]
#[command(name = "api_integration", version)]
#[command(
    after_help = "Exit: 0 written · 1 failed · 2 usage · 3 rejected, nothing written · 4 budget · 130 interrupted"
)]
struct Cli {
    /// The OpenAPI document: a file or a URL, JSON or YAML
    document: String,
    /// The language of the client
    #[arg(short, long, default_value = "python")]
    language: Target,
    /// Read references to other documents below this folder or URL too; may be repeated. Without it only those below the
    /// document's own folder are read, and nothing is fetched
    #[arg(long, value_name = "PLACE")]
    refs: Vec<String>,
    /// Only operations with this tag; may be repeated
    #[arg(long)]
    tag: Vec<String>,
    /// Only operations at this path and below; may be repeated
    #[arg(long)]
    path: Vec<String>,
    /// Only this operation; may be repeated
    #[arg(long, value_name = "ID")]
    operation: Vec<String>,
    /// Tokens of the document that may go along: operations that do not fit are left out and listed
    #[arg(long, value_name = "N", default_value_t = 24_000)]
    context: u64,
    /// Print what is repaired, in and out, and stop
    #[arg(long)]
    plan_only: bool,
    /// Check with this command instead of the language's own tools; may be repeated
    #[arg(long, value_name = "CMD")]
    check: Vec<String>,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(integrate(cli))
}

async fn integrate(cli: Cli) -> Result<End> {
    let common = &cli.common;
    recover(&common.output)?;
    let place = Place::of(&cli.document);
    let allowed = Allowed::new(&place, &cli.refs)?;
    let mut document = document::read(&place).await?;
    for line in external::bundle(&mut document, &place, &allowed).await? {
        note(&line);
    }
    for repaired in repair::repair(&mut document)? {
        note(&format!("repaired  {repaired}"));
    }
    let choice = Choice { tags: cli.tag.clone(), paths: cli.path.clone(), operations: cli.operation.clone() };
    let cut = cut::cut(&document, &choice, cli.context)?;
    out(&cut.lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    if cli.plan_only {
        return Ok(End::Done);
    }
    let stages = Stages::open(&format!("api_integration-{}", cli.language.name()), &common.output)?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/api_integration/samples");
    let mut asker = Asker::open(common, &samples, stages).await?;
    let request = request(&cli, &cut.document, &cut.operations);
    let answer = asker.ask("client", request, &[]).await?;
    if !answer.accepted {
        answer.diagnostics.iter().for_each(|found| note(&found.to_string()));
        note("rejected: nothing was written");
        out(&asker.account.text());
        return Ok(End::Rejected);
    }
    let mut files = answer.files;
    let document = language::text(&cut.document);
    let mut ours = vec![(language::DOCUMENT, document.as_str())];
    ours.extend(cli.language.runtime());
    files.retain(|file| !ours.iter().any(|(path, _)| file.path.as_deref() == Some(path)));
    files.extend(ours.iter().map(|(path, content)| file(path, content)));
    let changes = Changes::new(&files, &common.output);
    changes.show();
    changes.write(&common.output, common.yes, "regenerate the client")?;
    out(&asker.account.text());
    asker.stages.done();
    Ok(End::Done)
}

/// What asks for the client: the document that was cut, and the runtime that it builds upon.
fn request(cli: &Cli, document: &Value, operations: &[String]) -> GenerateRequest {
    let title = document["info"]["title"].as_str().unwrap_or("API");
    let prompt = format!("Write a typed {} client for the API {title:?}.", cli.language.name());
    let words = format!("{}\nOperations: {}.", cli.language.words(), operations.join(", "));
    let mut request = GenerateRequest::new(prompt)
        .with_language(cli.language.name())
        .with_file(language::DOCUMENT, language::text(document))
        .with_instructions(words)
        .without_store();
    for (path, content) in cli.language.runtime() {
        request = request.with_file(*path, *content);
    }
    let lines = match cli.check.is_empty() {
        true => cli.language.checks(),
        false => cli.check.clone(),
    };
    let commands = Commands::new(&lines, cli.common.check_unsafe);
    note(&format!("checks: {}", cli.language.told(&lines)));
    let mut beside = request.files.clone();
    beside.extend(cli.language.beside());
    request.check = Some(shared(commands.beside(&beside)));
    request
}

fn file(path: &str, content: &str) -> CodeFile {
    CodeFile {
        path: Some(path.to_owned()),
        language: Language::text(),
        content: content.to_owned(),
        complete: true,
        rejected: None,
    }
}
