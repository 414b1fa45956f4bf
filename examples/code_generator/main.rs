//! Code generator: a description becomes a small project on the disk. Plan, files, checks, repairs, tests, diff, receipt.
//!
//! `cargo run --example code_generator -- new "A Python library that converts lengths and weights." -o converter --offline`

mod plan;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use applications::args::Common;
use applications::ask::{Answer, Asker, shared};
use applications::checks::{Commands, errors, sources};
use applications::output::{Changes, recover};
use applications::pack::{Pack, pack};
use applications::run::{End, run};
use applications::stages::Stages;
use applications::terminal::{note, out};
use clap::{Args, Parser, Subcommand};
use claude_code_aws::{Check, CodeFile, Diagnostic, Error, GenerateRequest, Result, Task};

use plan::{Plan, PlanCheck, PlannedFiles};

/// A description becomes a small project on the disk: planned, checked, repaired, tested, and shown as a diff first.
#[derive(Debug, Parser)]
#[command(name = "code_generator", version)]
#[command(
    after_help = "Exit: 0 written · 1 failed · 2 usage · 3 rejected, nothing written · 4 budget · 130 interrupted"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a project from a description
    New(NewArgs),
    /// Change the project in the directory; files that need no change stay byte for byte as they are
    More(MoreArgs),
}

#[derive(Args, Debug)]
struct NewArgs {
    /// What the project is to do
    description: String,
    /// Programming language, such as python
    #[arg(short, long)]
    language: Option<String>,
    /// An existing project to read first; what goes along is listed
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Print the plan and stop
    #[arg(long)]
    plan_only: bool,
    /// Do not write and run tests
    #[arg(long)]
    no_tests: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug)]
struct MoreArgs {
    /// What to change
    words: String,
    #[command(flatten)]
    how: How,
}

#[derive(Args, Debug)]
struct How {
    /// Check with a command in a sandbox: python, node, rust, terraform, cfn-lint or a line such as `pytest -q`; omitted:
    /// the preset of the project's language
    #[arg(long, value_name = "CMD")]
    check: Vec<String>,
    /// Tokens of existing files that may go along
    #[arg(long, value_name = "N", default_value_t = 60_000)]
    context: u64,
    #[command(flatten)]
    common: Common,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    run(async {
        match cli.command {
            Command::New(args) => Box::pin(new(args)).await,
            Command::More(args) => Box::pin(more(args)).await,
        }
    })
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/code_generator/samples")
}

async fn open(common: &Common) -> Result<Asker> {
    recover(&common.output)?;
    Asker::open(common, &samples(), Stages::open("code_generator", &common.output)?).await
}

async fn new(args: NewArgs) -> Result<End> {
    let common = &args.how.common;
    let mut asker = open(common).await?;
    let read = args.from.as_deref().map(|dir| pack(dir, args.how.context)).transpose()?.unwrap_or_default();
    tell(&read);
    let request = |instructions: String| {
        let mut request =
            GenerateRequest::new(&args.description).with_instructions(instructions).without_store();
        request.language.clone_from(&args.language);
        request.files.clone_from(&read.files);
        request
    };
    let planned = request(plan::INSTRUCTIONS.to_owned()).with_language("json").with_check(shared(PlanCheck));
    let answer = asker.ask("plan", planned, &[]).await?;
    let Some(plan) = Plan::of(&answer.files).filter(|_| answer.accepted) else {
        return rejected(&asker, &answer);
    };
    out(&plan.text());
    if args.plan_only {
        out(&asker.account.text());
        return Ok(End::Done);
    }
    let commands = commands(&args.how, plan.paths());
    note(&format!("checks: {}", commands.names()));
    let check = commands.beside(&read.files);
    let check = PlannedFiles { plan: plan.clone(), then: Box::new(check) };
    let paths: Vec<String> = plan.paths().map(str::to_owned).collect();
    let answer = asker.ask("project", request(plan.instructions()).with_check(shared(check)), &paths).await?;
    if !answer.accepted {
        return rejected(&asker, &answer);
    }
    let mut files = answer.files;
    if !args.no_tests {
        match tested(&mut asker, &args, files, &commands).await? {
            Ok(tested) => files = tested,
            Err(answer) => return rejected(&asker, &answer),
        }
    }
    finish(asker, &files, common, &args.description)
}

/// The project with tests that pass; else the answer whose errors are left.
async fn tested(
    asker: &mut Asker,
    args: &NewArgs,
    mut files: Vec<CodeFile>,
    commands: &Commands,
) -> Result<Result<Vec<CodeFile>, Answer>> {
    let mut request = GenerateRequest::new(&args.description).with_work(Task::Test).without_store();
    request.instructions = Some(
        "The given files are a new project that does what the task says. Write its tests: only test files, none of the given \
         ones."
            .to_owned(),
    );
    request.files = sources(&files);
    let answer = asker.ask("tests", request, &[]).await?;
    if !answer.accepted {
        return Ok(Err(answer));
    }
    take(&mut files, answer.files);
    let found = commands.beside(&[]).check(&files).await;
    if errors(&found).is_empty() {
        note("  the tests pass");
        return Ok(Ok(files));
    }
    note("  the tests fail: what they say goes back");
    let words = format!("{}\n\nThe tests of this project fail:\n\n{}", args.description, told(&found));
    let mut request = GenerateRequest::refactor(sources(&files), words).without_store();
    request.instructions = Some(
        "Mend the code so that it does what the task says; change a test only where it is wrong.".to_owned(),
    );
    request.check = Some(shared(commands.beside(&sources(&files))));
    let answer = asker.ask("mend", request, &[]).await?;
    if !answer.accepted {
        return Ok(Err(answer));
    }
    take(&mut files, answer.files);
    note("  the tests pass");
    Ok(Ok(files))
}

async fn more(args: MoreArgs) -> Result<End> {
    let common = &args.how.common;
    let mut asker = open(common).await?;
    let read = pack(&common.output, args.how.context)?;
    tell(&read);
    if read.files.is_empty() {
        return Err(Error::invalid(format!(
            "{} has no file to change: begin with new",
            common.output.display()
        )));
    }
    let commands = commands(&args.how, read.files.iter().map(|file| file.path.as_str()));
    note(&format!("checks: {}", commands.names()));
    let request = GenerateRequest::refactor(read.files.clone(), &args.words)
        .with_instructions("Keep the tests and the README in step with the code.")
        .without_store()
        .with_check(shared(commands.beside(&read.files)));
    let answer = asker.ask("change", request, &[]).await?;
    if !answer.accepted {
        return rejected(&asker, &answer);
    }
    finish(asker, &answer.files, common, &args.words)
}

fn finish(asker: Asker, files: &[CodeFile], common: &Common, asked: &str) -> Result<End> {
    let changes = Changes::new(files, &common.output);
    changes.show();
    changes.write(&common.output, common.yes, asked)?;
    out(&asker.account.text());
    asker.stages.done();
    Ok(End::Done)
}

fn rejected(asker: &Asker, answer: &Answer) -> Result<End> {
    for found in &answer.diagnostics {
        note(&found.to_string());
    }
    note(
        "rejected: nothing was written; the same command asks for this stage again, earlier stages are kept",
    );
    out(&asker.account.text());
    Ok(End::Rejected)
}

/// Files with those of an answer, which take the place of earlier ones.
fn take(files: &mut Vec<CodeFile>, answered: Vec<CodeFile>) {
    files.retain(|file| !answered.iter().any(|new| new.path == file.path));
    files.extend(answered);
}

fn commands<'a>(how: &How, paths: impl Iterator<Item = &'a str> + Clone) -> Commands {
    match how.check.is_empty() {
        true => Commands::for_files(paths, how.common.check_unsafe),
        false => Commands::new(&how.check, how.common.check_unsafe),
    }
}

/// What was found, without the times that tools print: the same findings shall be the same request.
fn told(found: &[Diagnostic]) -> String {
    let is_time = |word: &str| word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
    let line = |line: &str| line.split(' ').filter(|word| !is_time(word)).collect::<Vec<_>>().join(" ");
    let texts = found.iter().map(ToString::to_string);
    texts.flat_map(|text| text.lines().map(line).collect::<Vec<_>>()).collect::<Vec<_>>().join("\n")
}

fn tell(read: &Pack) {
    read.lines.iter().for_each(|line| note(line));
}
