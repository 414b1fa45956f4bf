//! Infrastructure automation: a sentence becomes CDK, Terraform or CloudFormation that validators and rules pass; nothing
//! is written before its plan is accepted.
//!
//! `cargo run --example infra_automation -- "…" -o stack --offline`

mod braces;
mod estimate;
mod graph;
mod node;
mod policy;
mod rules;
mod stack;
mod tools;
mod validators;
mod yaml;

use std::path::Path;
use std::process::ExitCode;

use applications::args::Common;
use applications::ask::{Asker, shared};
use applications::output::{Changes, recover};
use applications::run::{End, run};
use applications::stages::Stages;
use applications::terminal::{confirm, note, out};
use clap::Parser;
use claude_code_aws::{GenerateRequest, Result, Task};

use stack::{Dialect, Stack};
use validators::Validators;

/// A sentence becomes infrastructure as code: validated, repaired, and planned; nothing is written before its plan is
/// accepted.
#[derive(Debug, Parser)]
#[command(name = "infra_automation", version)]
#[command(
    after_help = "Exit: 0 written · 1 failed or not accepted · 2 usage · 3 rejected, nothing written · 4 budget · 130 interrupted"
)]
struct Cli {
    /// What is to be built
    sentence: String,
    /// The language of the files
    #[arg(short, long, default_value = "cloudformation")]
    kind: Dialect,
    /// Print the plan and stop
    #[arg(long)]
    plan_only: bool,
    /// Check by our own rules alone, also where validators are installed
    #[arg(long)]
    no_tools: bool,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(automate(cli))
}

async fn automate(cli: Cli) -> Result<End> {
    let common = &cli.common;
    recover(&common.output)?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/infra_automation/samples");
    let stages = Stages::open(&format!("infra_automation-{}", cli.kind.name()), &common.output)?;
    let mut asker = Asker::open(common, &samples, stages).await?;
    let validators = Validators::find(cli.kind, cli.no_tools, common.check_unsafe, &common.output);
    note(&format!("checks: {}", validators.names()));
    let request = GenerateRequest::new(&cli.sentence)
        .with_work(Task::Infrastructure)
        .with_instructions(words(cli.kind))
        .without_store()
        .with_check(shared(validators));
    let answer = asker.ask("infrastructure", request, &[]).await?;
    if !answer.accepted {
        answer.diagnostics.iter().for_each(|found| note(&found.to_string()));
        note("rejected: nothing was written");
        out(&asker.account.text());
        return Ok(End::Rejected);
    }
    out(&estimate::plan(&Stack::of(cli.kind, &answer.files), &answer.diagnostics));
    let changes = Changes::new(&answer.files, &common.output);
    changes.show();
    if cli.plan_only {
        out(&asker.account.text());
        return Ok(End::Done);
    }
    if !common.yes {
        confirm(&format!("Write {} files to {}?", answer.files.len(), common.output.display()))?;
    }
    changes.write(&common.output, true, &cli.sentence)?;
    out(&asker.account.text());
    asker.stages.done();
    Ok(End::Done)
}

/// What is said beside the sentence.
fn words(kind: Dialect) -> &'static str {
    match kind {
        Dialect::Cloudformation => "Write CloudFormation: one template, template.yaml, without transforms.",
        Dialect::Terraform => {
            "Write Terraform: main.tf, variables.tf, outputs.tf and versions.tf as far as they are needed."
        }
        Dialect::Cdk => {
            "Write AWS CDK in TypeScript: the stack in lib/stack.ts, the application in bin/app.ts, package.json with pinned \
             versions, cdk.json and tsconfig.json. Import modules by namespace, as in `import * as s3 from \
             'aws-cdk-lib/aws-s3'`."
        }
    }
}
