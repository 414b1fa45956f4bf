//! `--check`: commands that run in a sandbox.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use claude_code_aws::checks::{Check, Limits};
use claude_code_aws::{CodeFile, Diagnostic, Language};

use super::up::Up;
use super::{Done, Place};

const WRONG: &str = "```python area.py\ndef area(a, b):\n    return a + b\n```\n\n```python test_area.py\nimport unittest\n\nfrom area import area\n\n\nclass AreaTest(unittest.TestCase):\n    def test_area(self):\n        self.assertEqual(area(3, 4), 12)\n```\n";
const RIGHT: &str = "```python area.py\ndef area(a, b):\n    return a * b\n```\n\n```python test_area.py\nimport unittest\n\nfrom area import area\n\n\nclass AreaTest(unittest.TestCase):\n    def test_area(self):\n        self.assertEqual(area(3, 4), 12)\n```\n";

/// Whether this machine gives a sandbox: a container may not.
fn has_sandbox(place: &Place) -> bool {
    let done = sandbox(place, 10, "true");
    if done.code == 125 {
        println!("skipped: {}", done.err.trim());
    }
    done.code != 125
}

/// A line for the shell in the sandbox: 256 MB, 64 processes, 32 MB of files.
fn sandbox(place: &Place, seconds: u32, line: &str) -> Done {
    let files = place.path("files");
    std::fs::create_dir_all(&files).unwrap();
    std::fs::write(files.join("a.txt"), "text\n").unwrap();
    let (files, seconds) = (files.to_str().unwrap().to_owned(), seconds.to_string());
    let args = ["__sandbox", &files, &seconds, "256", "64", "32", "--", "sh", "-c", line];
    let home = place.path("").to_str().unwrap().to_owned();
    place.run_with(&args, &[("CLAUDE_CODE_AWS_REAL_HOME", &home)])
}

fn asked(place: &Place, up: &Up, check: &str) -> Done {
    let env = up.env();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    place.run_with(&["generate", "an area, with a test", "--check", check, "--json", "--cache", "off"], &env)
}

#[test]
fn an_answer_that_fails_its_tests_is_repaired_and_accepted() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    let steps = serde_json::json!({ "steps": [{ "answer": { "text": WRONG } }, { "times": 5, "answer": { "text": RIGHT } }] });
    let script = place.write("script.json", &steps.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let done = asked(&place, &up, "python3 -m unittest -q");
    assert_eq!(done.code, 0, "{done:?}");
    let json = done.json();
    assert_eq!(json["accepted"], true, "{json:#}");
    let items = json["receipt"]["items"].as_array().unwrap();
    let attempts: std::collections::BTreeSet<u64> =
        items.iter().map(|item| item["attempt"].as_u64().unwrap()).collect();
    assert_eq!(attempts.len(), 2, "{:#}", json["receipt"]);
}

#[test]
fn a_command_that_keeps_failing_rejects_the_answer_with_its_last_lines() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    let steps = serde_json::json!({ "steps": [{ "times": 9, "answer": { "text": WRONG } }] });
    let script = place.write("script.json", &steps.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let done = asked(&place, &up, "python3 -m unittest -q");
    assert_eq!(done.code, 3, "{done:?}");
    let json = done.json();
    let told = json["diagnostics"][0]["message"].as_str().unwrap();
    assert!(
        told.contains("check failed: `python3 -m unittest -q` ended with 1") && told.contains("7 != 12"),
        "{told}"
    );
    assert!(!told.contains("/tmp/"), "{told}");
}

#[test]
fn a_command_sees_its_files_an_empty_home_no_secrets_and_no_network() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    std::fs::create_dir_all(place.path(".aws")).unwrap();
    std::fs::write(place.path(".aws/credentials"), "secret").unwrap();
    let home = place.path(".aws/credentials");
    let line = format!(
        "cat a.txt; ls -A \"$HOME\" | wc -l; cat {} 2>&1; tail -n +3 /proc/net/dev | grep -vc lo; echo x > /usr/x; id -u",
        home.display()
    );
    let files = place.path("files").to_str().unwrap().to_owned();
    let _ = sandbox(&place, 10, "true");
    let args = ["__sandbox", &files, "10", "256", "64", "32", "--", "sh", "-c", &line];
    let root = place.path("").to_str().unwrap().to_owned();
    let done = place.run_with(&args, &[("CLAUDE_CODE_AWS_REAL_HOME", &root)]);
    let lines: Vec<&str> = done.out.lines().collect();
    assert_eq!(lines[..2], ["text", "0"], "{done:?}");
    assert!(lines[2].contains("No such file"), "{done:?}");
    assert_eq!(lines[3], "0", "no network but its own: {done:?}");
    assert!(done.err.contains("Read-only file system") || done.err.contains("cannot create"), "{done:?}");
    assert_eq!(lines[4], "1000", "{done:?}");
}

#[test]
fn a_folder_that_is_named_stays_readable_and_what_is_beside_it_does_not() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    let plugins = place.path("plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::write(plugins.join("a"), "plugin\n").unwrap();
    std::fs::write(place.path("secret"), "s3cr3t\n").unwrap();
    let line = format!(
        "cat {0}/a; cat {0}/../secret; echo x > {0}/a; echo x > {0}/b; ls -A; env | grep -c READABLE",
        plugins.display()
    );
    let helper = env!("CARGO_BIN_EXE_claude-code-aws").into();
    let check =
        Check::shell(&format!("({line}) 2>&1; exit 7")).with_helper(helper).with_readable(plugins.clone());
    let found = check.run(&[one("a.txt")], &AtomicBool::new(false));
    let told = &found[0].message;
    assert!(told.contains("plugin\n") && !told.contains("s3cr3t"), "{told}");
    assert!(
        told.ends_with("a.txt\n0") || told.contains("\na.txt\n0"),
        "only its own files, no trace of the name: {told}"
    );
    assert_eq!(std::fs::read_to_string(plugins.join("a")).unwrap(), "plugin\n");
    assert!(!plugins.join("b").exists());
}

/// Whether a run ended in time, with a code other than 0.
fn is_ended(done: &Done, begun: Instant, seconds: u64) {
    assert_ne!(done.code, 0, "{done:?}");
    assert!(begun.elapsed() < Duration::from_secs(seconds), "{:?} {done:?}", begun.elapsed());
}

#[test]
fn what_never_ends_forks_without_end_or_writes_without_end_is_ended_and_leaves_nothing() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    let mark = format!("mark{}", std::process::id());
    for line in [
        format!(": {mark}; while :; do :; done"),
        format!(": {mark}; f() {{ f | f & }}; f; sleep 30"),
        "dd if=/dev/zero of=big bs=1M count=10240".to_owned(),
        "for n in $(seq 100); do dd if=/dev/zero of=big$n bs=1M count=100 2>/dev/null || exit 1; done"
            .to_owned(),
        "python3 -c 'x = []\nwhile True: x.append(bytes(range(256)) * 40000)'".to_owned(),
    ] {
        let begun = Instant::now();
        is_ended(&sandbox(&place, 2, &line), begun, 12);
    }
    let many = sandbox(&place, 8, &format!(": {mark}; for n in $(seq 200); do sleep 20 & done; wait"));
    assert!(many.code == 137 && many.err.contains("more than 64 processes"), "{many:?}");
    // A child in the background goes with its parent.
    let begun = Instant::now();
    let done = sandbox(&place, 10, "(sleep 3600 & echo started)");
    assert_eq!((done.code, done.out.trim()), (0, "started"), "{done:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let left = std::process::Command::new("sh")
        .args(["-c", &format!("pgrep -f {mark} | grep -v $$ | wc -l")])
        .output();
    assert!(String::from_utf8_lossy(&left.unwrap().stdout).trim().parse::<u32>().unwrap() <= 1);
    let left = std::fs::read_dir(place.path("files")).unwrap().count();
    assert_eq!(left, 1, "only what was there");
}

/// What a command of the library tells of a file with this name: 2 s, 256 MB, 64 processes, 32 MB of files.
fn checked(line: &str, name: &str) -> Vec<Diagnostic> {
    let limits = Limits { time: Duration::from_secs(2), memory_mb: 256, processes: 64, disk_mb: 32 };
    let helper = Path::new(env!("CARGO_BIN_EXE_claude-code-aws")).to_path_buf();
    let check = Check::command(["sh", "-c", line]).with_limits(limits).with_helper(helper);
    check.run(&[one(name)], &AtomicBool::new(false))
}

fn one(name: &str) -> CodeFile {
    let content = "text\n".to_owned();
    CodeFile {
        path: Some(name.to_owned()),
        language: Language::text(),
        content,
        complete: true,
        rejected: None,
    }
}

/// Folders of checks that hold a file with this name.
fn left(name: &str) -> usize {
    let folders = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    folders.filter(|folder| folder.path().join(name).exists()).count()
}

#[test]
fn the_librarys_command_ends_what_goes_beyond_its_limits_and_leaves_nothing() {
    if !has_sandbox(&Place::new()) {
        return;
    }
    let mark = format!("library-{}", std::process::id());
    assert_eq!(checked(&format!("test -f {mark}"), &mark), [], "it runs where the files are");
    for line in [
        format!(": {mark}; while :; do :; done"),
        format!(": {mark}; f() {{ f | f & }}; f; sleep 30"),
        format!(": {mark}; dd if=/dev/zero of=big bs=1M count=10240"),
        format!("yes {mark}"),
    ] {
        let begun = Instant::now();
        let told = checked(&line, &mark);
        assert!(told.len() == 1 && told[0].message.contains("check failed"), "{line}: {told:?}");
        assert!(begun.elapsed() < Duration::from_secs(12), "{line}: {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert_eq!(checked(&format!("(: {mark}; sleep 3600) & true"), &mark), [], "its own code counts");
    assert!(begun.elapsed() < Duration::from_secs(5), "a child in the background is not waited for");
    let running = std::fs::read_dir("/proc").unwrap().flatten().filter(|process| {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).contains(&mark)
    });
    assert_eq!((running.count(), left(&mark)), (0, 0), "processes and folders that are left");
}

#[test]
fn the_keys_of_the_caller_reach_no_command() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    std::fs::create_dir_all(place.path(".aws")).unwrap();
    std::fs::write(place.path(".aws/credentials"), "[default]\naws_secret_access_key = canary\n").unwrap();
    let script = serde_json::json!({ "steps": [{ "times": 9, "answer": { "text": RIGHT } }] });
    let script = place.write("script.json", &script.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let is_key = |name: &str| name.starts_with("AWS_");
    assert!(up.env().iter().any(|(name, _)| is_key(name)), "there are keys to hide: {:?}", up.env());
    let line = format!(
        "echo ran; env; cat ~/.aws/credentials {}/.aws/credentials /proc/1/environ; exit 9",
        place.path("").display()
    );
    let done = asked(&place, &up, &line);
    assert_eq!(done.code, 3, "{done:?}");
    let json = done.json();
    let told = json["diagnostics"][0]["message"].as_str().unwrap();
    // The command itself is told, with what it wrote after it.
    let (_, written) = told.split_once("ended with 9").unwrap();
    assert!(written.contains("ran") && written.contains("PATH="), "{written}");
    for secret in ["AWS_", "canary", "aws_secret", "ANTHROPIC"] {
        assert!(!written.contains(secret), "{secret}: {written}");
    }
}

#[test]
fn a_preset_runs_its_languages_tools_and_is_left_out_with_a_warning_without_them() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    let broken = "```python area.py\ndef area(a, b:\n    return a\n```\n";
    let script = serde_json::json!({ "steps": [{ "times": 9, "answer": { "text": broken } }] });
    let script = place.write("script.json", &script.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let env = up.env();
    let mut env: Vec<(&str, &str)> =
        env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let args = |check| ["generate", "an area", "--no-validate", "--check", check, "--json", "--cache", "off"];
    let done = place.run_with(&args("python"), &env);
    assert_eq!(done.code, 3, "{done:?}");
    assert!(done.json()["diagnostics"][0]["message"].as_str().unwrap().contains("area.py"), "{done:?}");
    let nowhere = place.path("nowhere");
    env.push(("PATH", nowhere.to_str().unwrap()));
    let done = place.run_with(&args("cfn-lint"), &env);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("the check `cfn-lint` was left out: cfn-lint is not installed"), "{done:?}");
}

#[test]
fn a_command_cannot_uncover_what_is_covered() {
    let place = Place::new();
    if !has_sandbox(&place) {
        return;
    }
    std::fs::write(place.path("secret"), "hidden").unwrap();
    let secret = place.path("secret");
    let root = place.path("");
    let line = format!(
        "umount {} 2>/dev/null; unshare -Urm umount {} 2>/dev/null; cat {}",
        root.display(),
        root.display(),
        secret.display()
    );
    let done = sandbox(&place, 10, &line);
    assert!(!done.out.contains("hidden"), "{done:?}");
}

#[test]
fn unsafe_is_only_by_its_flag() {
    let place = Place::new();
    let done = place.run(&["generate", "x", "--check-unsafe", "--offline"]);
    assert_eq!(done.code, 2, "{done:?}");
}

const ASKED: [&str; 4] = ["generate", super::REVERSE, "--offline", "--check-unsafe"];

fn writes(text: &str) -> String {
    format!("checks = [\"echo {text} >> ran.txt; cat ran.txt; exit 9\"]\n")
}

#[test]
fn checks_of_a_projects_file_run_only_once_they_were_agreed_to() {
    let place = Place::new();
    place.write("claude-code-aws.toml", &writes("first"));
    let done = place.run(&["generate", super::REVERSE, "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("nobody agreed to") && done.err.contains("echo first"), "{done:?}");
    let agreed = place.run(&[&ASKED[..], &["--allow-checks"]].concat());
    assert_eq!(agreed.code, 3, "the check runs, and fails: {agreed:?}");
    let again = place.run(&ASKED);
    assert_eq!(again.code, 3, "once is enough: {again:?}");
    assert!(again.err.contains("first"), "{again:?}");
}

#[test]
fn checks_that_were_changed_or_are_another_projects_need_consent_again() {
    let place = Place::new();
    place.write("claude-code-aws.toml", &writes("first"));
    assert_eq!(place.run(&[&ASKED[..], &["--allow-checks"]].concat()).code, 3);
    place.write("claude-code-aws.toml", &writes("second"));
    let changed = place.run(&["generate", super::REVERSE, "--offline"]);
    assert!(changed.code == 0 && changed.err.contains("nobody agreed to"), "{changed:?}");
    place.write("other/claude-code-aws.toml", &writes("first"));
    let mut other = place.command(&["generate", super::REVERSE, "--offline"]);
    let other = super::Done::of(other.current_dir(place.path("work/other")).output().unwrap());
    assert!(other.code == 0 && other.err.contains("nobody agreed to"), "{other:?}");
}

#[test]
fn a_projects_file_with_an_unknown_word_is_refused() {
    let place = Place::new();
    place.write("claude-code-aws.toml", "chekcs = []\n");
    let done = place.run(&["generate", super::REVERSE, "--offline"]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("claude-code-aws.toml") && done.err.contains("chekcs"), "{done:?}");
}
