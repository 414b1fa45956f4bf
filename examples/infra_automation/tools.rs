//! Tools of others: which of them check a dialect, and what each needs to run without a network.

use std::path::{Path, PathBuf};

use applications::checks::program;
use claude_code_aws::Diagnostic;
use claude_code_aws::answer::diagnostic::Severity;

use crate::stack::Dialect;
use crate::validators::GUARD_FILE;

/// How a line ends that could not run for a reason that no file is to blame for.
const NOT_RUN: u8 = 97;

/// Lists the templates among the files.
const TEMPLATES: &str = "grep -rl 'Resources' --include='*.y*ml' --include='*.json' .";

/// A tool that is there.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// What it is, for the shell.
    pub(crate) line: String,
    /// A folder that it reads beside the files.
    pub(crate) reads: Option<PathBuf>,
}

type Found = Result<Tool, String>;

/// The tools of a dialect; Err: what is missing, and what to do.
pub(crate) fn of(kind: Dialect, output: &Path) -> Vec<Found> {
    match kind {
        Dialect::Cloudformation => {
            let lint = format!("cfn-lint --non-zero-exit-code error --format parseable $({TEMPLATES})");
            let guard = format!("cfn-guard validate -r {GUARD_FILE} $({TEMPLATES} | sed 's/^/-d /')");
            vec![plain("cfn-lint", lint), plain("cfn-guard", guard)]
        }
        Dialect::Terraform => {
            vec![plain("terraform", "terraform fmt -check -diff -recursive".to_owned()), validate(output)]
        }
        Dialect::Cdk => vec![synth(output)],
    }
}

fn plain(name: &'static str, line: String) -> Found {
    let missing = || format!("{name} is not installed: what it checks is not checked");
    program(name).map(|_| Tool { name, line, reads: None }).ok_or_else(missing)
}

/// `terraform validate` with the provider's plugin of this machine.
fn validate(output: &Path) -> Found {
    const NAME: &str = "terraform validate";
    if program("terraform").is_none() {
        return Err(format!("terraform is not installed: {NAME} is left out"));
    }
    let variable = std::env::var_os("TF_PLUGIN_CACHE_DIR").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let usual = home
        .iter()
        .flat_map(|home| ["plugin-cache", "plugins"].map(|name| home.join(".terraform.d").join(name)));
    let folders = variable.into_iter().chain([output.join(".terraform/providers")]).chain(usual);
    let has = |folder: &PathBuf| folder.join("registry.terraform.io/hashicorp/aws").is_dir();
    let Some(plugins) = folders.filter_map(|folder| folder.canonicalize().ok()).find(has) else {
        return Err(format!(
            "the provider hashicorp/aws is not on this machine: {NAME} is left out; `terraform providers mirror DIR` and \
             TF_PLUGIN_CACHE_DIR=DIR bring it in"
        ));
    };
    // A version or a provider that is not among the plugins is no fault of the files.
    let line = format!(
        "export CHECKPOINT_DISABLE=1; terraform init -backend=false -input=false -no-color -plugin-dir={} >.init 2>&1 || \
         {{ cat .init; if grep -q 'Failed to query available provider packages' .init; then exit {NOT_RUN}; fi; exit 1; }}; \
         terraform validate -no-color",
        quoted(&plugins)
    );
    Ok(Tool { name: NAME, line, reads: Some(plugins) })
}

/// `cdk synth` with the packages beside the program, or with those of the directory.
fn synth(output: &Path) -> Found {
    const NAME: &str = "cdk synth";
    let beside = program("cdk").and_then(|file| Some(file.parent()?.parent()?.to_owned()));
    let folders = [Some(output.join("node_modules")), beside];
    let has = |folder: &PathBuf| {
        ["aws-cdk-lib", "constructs", "typescript/bin/tsc", "aws-cdk/bin/cdk"]
            .iter()
            .all(|name| folder.join(name).exists())
    };
    let found = folders.into_iter().flatten().filter_map(|folder| folder.canonicalize().ok()).find(has);
    let Some(packages) = found else {
        return Err(format!(
            "aws-cdk, aws-cdk-lib, constructs and typescript are not installed together: {NAME} is left out; `npm install` \
             in {} brings them in",
            output.display()
        ));
    };
    let line = format!(
        "export CDK_DISABLE_CLI_TELEMETRY=true; ln -s {} node_modules && \
         node node_modules/typescript/bin/tsc -p . --noEmit false --outDir .out --rootDir . --pretty false && \
         node node_modules/aws-cdk/bin/cdk synth -q --no-notices --app 'node .out/bin/app.js' -o .synth",
        quoted(&packages)
    );
    Ok(Tool { name: NAME, line, reads: Some(packages) })
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// A finding of a tool; a warning where it could not run for a reason that no file is to blame for.
pub(crate) fn softened(mut found: Diagnostic) -> Diagnostic {
    if found.message.contains(&format!(" ended with {NOT_RUN}:\n")) {
        found.severity = Severity::Warning;
    }
    found
}
