//! The checks of a project's file run once somebody agreed to them.
#![cfg(target_os = "linux")]

use super::Place;

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
