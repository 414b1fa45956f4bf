//! The path policy under the rules of POSIX and of Windows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use claude_code_core::answer::auto_run::{ASKS, AutoRun, NEVER, auto_run};
use claude_code_core::answer::file::{CodeFile, names, refusal, refuse_set};
use claude_code_core::{Language, answer::path};
use proptest::prelude::*;

/// Names that leave the root, hit a device or deceive the eye somewhere.
const HOSTILE: &[&str] = &[
    "",
    "/",
    "/etc/passwd",
    "//server/share/x",
    "~",
    "~/x",
    "~root/.ssh/authorized_keys",
    ".",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    "a/.",
    "./a",
    "a//b",
    "a/",
    "a/b/",
    ".. /x",
    "... /x",
    "...",
    "a/...",
    "a/.../b",
    ". ./x",
    "..\\x",
    "a\\..\\..\\x",
    "\\x",
    "\\\\server\\share",
    "\\\\?\\C:\\x",
    "\\\\.\\pipe\\x",
    "C:\\x",
    "C:/x",
    "C:x",
    "c:",
    "a:b",
    "file.txt:stream",
    "file.txt::$DATA",
    "a\0b",
    "\0",
    "a\nb",
    "a\rb",
    "a\tb",
    "\u{1b}[2J",
    "a\u{7f}",
    "a\u{85}b",
    "a*",
    "a?",
    "\"a\"",
    "<a>",
    "a|b",
    " a",
    "a ",
    "a /b",
    " /b",
    "a.",
    "a./b",
    "a\u{a0}",
    "\u{3000}a",
    "CON",
    "con",
    "con.txt",
    "Con.tar.gz",
    "a/NUL",
    "nul .txt",
    "PRN.py",
    "aux/x",
    "AUX.rs",
    "CLOCK$",
    "conin$",
    "CONOUT$.log",
    "COM0",
    "com1.py",
    "COM9",
    "COM¹",
    "com².txt",
    "LPT³",
    "lpt0.c",
    "lpt1 .c",
    "a\u{202e}txt.exe",
    "a\u{200b}b",
    "a\u{200d}",
    "\u{feff}a",
    "a\u{e0041}",
    "a\u{e007f}",
    "a\u{2066}b",
    "a\u{ad}b",
    "a\u{2028}b",
    "e\u{301}.py",
    "\u{212b}.py",
    ".git",
    ".git/config",
    ".GIT/hooks/pre-commit",
    "a/.Git/x",
    "git~1/config",
    "GIT~2",
    ".git /x",
    ".git./x",
    ".g\u{200c}it/x",
    "a/.git",
];

/// Names of real projects that look odd and must pass.
const GOOD: &[&str] = &[
    "a",
    "main.py",
    "src/main.rs",
    ".gitignore",
    ".github/dependabot.yml",
    ".env.example",
    "a b/c d.txt",
    "naïve/日本語.py",
    "..a",
    "...a",
    "a..b",
    ".a",
    "com10.txt",
    "console.log",
    "nulls.py",
    "auxiliary/x",
    "lpt.txt",
    "git~x",
    "gitx/config",
    "a~1",
    "b/~c",
    "[slug]/page.tsx",
    "(group)/page.tsx",
    "@types/node.d.ts",
    "a+b=c&d,e;f'g!h#i$j%k^l{m}n`o",
    "emoji-🦀.rs",
    "Dockerfile",
];

#[test]
fn refuses_every_hostile_name() {
    let accepted: Vec<_> = HOSTILE.iter().filter(|path| refusal(path).is_none()).collect();
    assert!(accepted.is_empty(), "accepted: {accepted:?}");
}

#[test]
fn accepts_the_names_of_real_projects() {
    let refused: Vec<_> = GOOD.iter().filter_map(|path| refusal(path).map(|why| (path, why))).collect();
    assert!(refused.is_empty(), "refused: {refused:?}");
}

#[test]
fn refuses_names_that_are_too_long_or_too_deep() {
    let long = format!("{}é", "a".repeat(path::MAX_COMPONENT - 1));
    assert_eq!(refusal(&"a".repeat(path::MAX_COMPONENT)), None);
    assert!(refusal(&long).unwrap().contains("241 bytes"));
    let deep = vec!["a"; path::MAX_DEPTH + 1].join("/");
    assert_eq!(refusal(&deep[2..]), None);
    assert!(refusal(&deep).unwrap().contains("21 levels"));
    let wide = vec!["a".repeat(100); 9].join("/");
    assert!(refusal(&wide).unwrap().contains("908 bytes"));
}

#[test]
fn a_reason_is_one_line_even_for_a_name_with_line_ends() {
    for reason in HOSTILE.iter().filter_map(|path| refusal(path)) {
        assert!(!reason.contains(['\n', '\r', '\u{1b}', '\u{202e}']), "{reason:?}");
    }
}

#[test]
fn names_that_run_by_themselves_are_of_three_classes() {
    let is_never = |path: &&str| matches!(auto_run(path, ""), AutoRun::Never(_));
    let is_asked = |path: &&str| matches!(auto_run(path, ""), AutoRun::Asks(_));
    let never = [
        ".ssh/authorized_keys",
        "home/bob/.SSH/config",
        ".bashrc",
        "bob/.zshenv",
        ".profile",
        ".aws/config",
        ".gitconfig",
        ".config/autostart/x.desktop",
        "Library/LaunchAgents/a.plist",
        "-rf",
        "src/-x/a.py",
    ];
    assert_eq!(never.iter().filter(|path| !is_never(path)).collect::<Vec<_>>(), Vec::<&&str>::new());
    let asked = [
        "x.pth",
        "site/sitecustomize.py",
        "a/.envrc",
        ".vscode/tasks.json",
        "a/.VSCode/settings.json",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        ".husky/pre-commit",
        ".devcontainer/devcontainer.json",
        ".claude/settings.json",
        ".npmrc",
        "a.code-workspace",
        "Jenkinsfile",
    ];
    assert_eq!(asked.iter().filter(|path| !is_asked(path)).collect::<Vec<_>>(), Vec::<&&str>::new());
    let fine = [
        "pth",
        ".pth",
        "a.pth.txt",
        ".vscode",
        ".github/dependabot.yml",
        "workflows/ci.yml",
        "Makefile",
        "conftest.py",
        "tests/conftest.py",
        "package.json",
        "a-b/c-.py",
        ".env",
        ".gitignore",
        "bashrc",
        "my.bashrc",
    ];
    assert!(fine.iter().all(|path| auto_run(path, "") == AutoRun::Fine));
}

#[test]
fn the_page_on_names_has_every_row_of_the_table() {
    let page = include_str!("../../docs/names.md");
    for (table, class) in [(NEVER, "never"), (ASKS, "asks")] {
        for (name, why) in table {
            assert!(page.contains(&format!("| `{name}` | {class} | {why} |")), "{name}");
        }
    }
}

#[test]
fn a_package_asks_only_for_scripts_that_run_at_an_install() {
    let package = |scripts: &str| auto_run("web/package.json", &format!("{{\"scripts\": {{{scripts}}}}}"));
    assert_eq!(package("\"test\": \"jest\", \"build\": \"tsc\""), AutoRun::Fine);
    assert!(matches!(package("\"postinstall\": \"node x.js\""), AutoRun::Asks(_)));
    assert!(
        matches!(auto_run("package.json", "{\"prepare\": \"x\","), AutoRun::Asks(_)),
        "what cannot be read may be"
    );
}

fn set(paths: &[&str]) -> Option<String> {
    refuse_set(paths.iter().map(|path| (*path, 1)))
}

#[test]
fn refuses_two_paths_that_are_one_file_on_some_system() {
    assert_eq!(set(&["a.py", "b/a.py"]), None);
    for pair in
        [["a.py", "a.py"], ["README.md", "readme.md"], ["É.py", "é.py"], ["straße", "STRASSE"], ["ΑΣ", "ας"]]
    {
        assert!(set(&pair).unwrap().contains("one file on some systems"), "{pair:?}");
    }
}

#[test]
fn refuses_a_file_that_is_another_ones_directory() {
    assert!(set(&["a/b", "A"]).unwrap().contains("directory"));
    assert!(set(&["a", "x", "a/b/c"]).unwrap().contains("directory"));
    assert_eq!(set(&["a/b", "ab", "a.b"]), None);
}

#[test]
fn refuses_a_set_with_a_refused_name_and_names_it() {
    assert!(set(&["a", "../b"]).unwrap().starts_with("\"../b\" cannot be used"));
}

#[test]
fn refuses_too_many_or_too_large_files() {
    let paths: Vec<String> = (0..=path::MAX_FILES).map(|n| format!("f{n}")).collect();
    assert_eq!(refuse_set(paths[1..].iter().map(|p| (p.as_str(), 0))), None);
    assert!(refuse_set(paths.iter().map(|p| (p.as_str(), 0))).unwrap().contains("more than 500 files"));
    assert!(refuse_set([("a", path::MAX_FILE_BYTES + 1)]).unwrap().contains("2000001 bytes"));
    let nine = paths[..9].iter().map(|p| (p.as_str(), path::MAX_FILE_BYTES));
    assert!(refuse_set(nine).unwrap().contains("18000000 bytes together"));
}

fn file(path: Option<&str>, language: &str) -> CodeFile {
    CodeFile {
        path: path.map(str::to_owned),
        language: Language::new(language).unwrap(),
        content: String::new(),
        complete: true,
        rejected: None,
    }
}

#[test]
fn an_unnamed_file_is_main_when_alone_and_a_snippet_among_others() {
    assert_eq!(names(&[file(None, "python")]), ["main.py"]);
    let several = [
        file(None, "python"),
        file(Some("Snippet-2.py"), "python"),
        file(None, "python"),
        file(None, "cobol"),
    ];
    assert_eq!(names(&several), ["snippet-1.py", "Snippet-2.py", "snippet-3.py", "snippet-4.txt"]);
}

/// Components below the root after POSIX's rules, or none if the path leaves it.
fn posix(path: &str) -> Option<Vec<String>> {
    resolve(path.starts_with('/') || path.contains('\0'), path.split('/').map(str::to_owned))
}

/// Components below the root after Windows' rules: both separators, drives, streams, trailing dots and spaces
/// dropped, devices anywhere.
fn windows(path: &str) -> Option<Vec<String>> {
    let devices = ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"];
    let stem = |name: &str| name.split(['.', ':']).next().unwrap().trim_end_matches(' ').to_uppercase();
    let is_port = |s: &str| {
        (s.starts_with("COM") || s.starts_with("LPT"))
            && s.chars().count() == 4
            && s.ends_with(|c| "0123456789¹²³".contains(c))
    };
    let is_device = |name: &str| devices.contains(&stem(name).as_str()) || is_port(&stem(name));
    let outside =
        path.starts_with(['/', '\\']) || path.contains([':', '\0']) || path.split(['/', '\\']).any(is_device);
    let trimmed = |name: &str| match name {
        "." | ".." => name.to_owned(),
        _ if name.trim_end_matches([' ', '.']).is_empty() && name.starts_with("..") => "..".to_owned(),
        _ => name.trim_end_matches([' ', '.']).to_lowercase(),
    };
    resolve(outside, path.split(['/', '\\']).map(trimmed))
}

fn resolve(outside: bool, components: impl Iterator<Item = String>) -> Option<Vec<String>> {
    let mut below = Vec::new();
    for name in components {
        match name.as_str() {
            "" | "." => {}
            ".." => drop(below.pop()?),
            _ => below.push(name),
        }
    }
    (!outside && !below.is_empty()).then_some(below)
}

fn piece() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(HOSTILE).prop_map(str::to_owned);
    let bits = &[
        "..", ".", "/", "\\", " ", "a", "B", "com1", ".git", "~", ":", "\u{202e}", "é", "e\u{301}", "x.py",
        "nul", "\t", "-",
    ];
    let bit = prop::sample::select(&bits[..]).prop_map(str::to_owned);
    let good = prop::sample::select(GOOD).prop_map(str::to_owned);
    prop_oneof![1 => hostile, 6 => bit, 2 => good, 2 => any::<char>().prop_map(String::from)]
}

fn hostile_name() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 1..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// 400 names a case: 10^5 by default, 10^6 with PROPTEST_CASES=2500.
    #[test]
    fn an_accepted_path_never_leaves_the_root(names in prop::collection::vec(hostile_name(), 400)) {
        for name in names.iter().filter(|name| refusal(name).is_none()) {
            let components = name.split('/').count();
            prop_assert_eq!(posix(name).map(|below| below.len()), Some(components), "{:?}", name);
            prop_assert_eq!(windows(name).map(|below| below.len()), Some(components), "{:?}", name);
            prop_assert!(std::path::Path::new("/root").join(name).starts_with("/root"));
            prop_assert!(!name.to_lowercase().split('/').any(|c| c == ".git"));
        }
    }

    #[test]
    fn accepted_sets_have_no_two_paths_that_windows_takes_for_one(names in prop::collection::vec(hostile_name(), 2..20)) {
        let accepted: Vec<&String> = names.iter().filter(|name| refusal(name).is_none()).collect();
        if refuse_set(accepted.iter().map(|name| (name.as_str(), 0))).is_none() {
            let mut resolved: Vec<_> = accepted.iter().map(|name| windows(name)).collect();
            resolved.sort();
            resolved.dedup();
            prop_assert_eq!(resolved.len(), accepted.len());
        }
    }
}
