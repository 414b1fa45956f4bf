//! Check presets by language: the language's own tools, where they are installed.

use super::command::Check;

/// A preset's line for the shell, and the program that it needs.
struct Preset {
    name: &'static str,
    program: &'static str,
    line: &'static str,
}

const PRESETS: [Preset; 5] = [
    Preset {
        name: "python",
        program: "python3",
        line: "python3 -m compileall -q . && if find . -name 'test_*.py' -o -name '*_test.py' | grep -q .; then python3 -m pytest -q; fi",
    },
    Preset {
        name: "node",
        program: "node",
        line: "find . -name '*.js' -o -name '*.mjs' -o -name '*.cjs' | while read -r f; do node --check \"$f\" || exit 1; done && if grep -q '\"test\"' package.json 2>/dev/null; then npm test; fi",
    },
    Preset { name: "rust", program: "cargo", line: "cargo check --offline -q && cargo test --offline -q" },
    Preset {
        name: "terraform",
        program: "terraform",
        line: "terraform fmt -check -diff -recursive && if [ -d .terraform ]; then terraform validate; fi",
    },
    Preset {
        name: "cfn-lint",
        program: "cfn-lint",
        line: "cfn-lint $(grep -rl AWSTemplateFormatVersion --include='*.y*ml' --include='*.json' .)",
    },
];

/// The check that a name stands for, if it is a preset's. Err: its program is not installed.
pub fn preset(name: &str) -> Option<Result<Check, String>> {
    let preset = PRESETS.iter().find(|preset| preset.name == name)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_installed = std::env::split_paths(&path).any(|folder| folder.join(preset.program).is_file());
    let missing = || format!("the check `{name}` was left out: {} is not installed", preset.program);
    Some(is_installed.then(|| Check::shell(preset.line)).ok_or_else(missing))
}
