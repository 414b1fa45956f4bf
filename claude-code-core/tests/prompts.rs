//! The words sent for each kind of work.
#![allow(missing_docs, clippy::unwrap_used)]

use claude_code_core::plan::prompt;
use claude_code_core::request::Work;
use claude_code_core::{GenerateRequest, Language};

const ALL: [Work; 7] = [
    Work::Generate,
    Work::Refactor,
    Work::Review,
    Work::Explain,
    Work::Test,
    Work::Document,
    Work::Infrastructure,
];

#[test]
fn each_kind_of_work_has_words_and_a_version_of_its_own() {
    let prompts: Vec<_> =
        ALL.iter().map(|work| prompt::write(&GenerateRequest::new("x").with_work(*work), None)).collect();
    for (n, one) in prompts.iter().enumerate() {
        assert!(one.system.len() > 200 && !one.system.contains("version:"), "{}", one.system);
        assert!(
            one.version.split('/').nth(1).unwrap().starts_with(|c: char| c.is_ascii_digit()),
            "{}",
            one.version
        );
        for other in &prompts[n + 1..] {
            assert_ne!((&one.system, &one.version), (&other.system, &other.version));
        }
    }
}

#[test]
fn the_version_counts_the_words_of_every_send() {
    let template = |text: &'static str| text.lines().next().unwrap().trim_start_matches("version: ");
    let versions = [
        template(include_str!("../prompts/generate.md")),
        template(include_str!("../prompts/protocol.md")),
        template(include_str!("../prompts/resume.md")),
        template(include_str!("../prompts/repair.md")),
        template(include_str!("../prompts/no_code.md")),
    ];
    let written = prompt::write(&GenerateRequest::new("x"), None);
    assert_eq!(written.version, format!("generate/{}", versions.join(".")));
}

#[test]
fn the_nonce_differs_with_task_and_files_and_stays_the_same_otherwise() {
    let nonce = |request: &GenerateRequest| prompt::write(request, None).nonce;
    let one = GenerateRequest::new("a task");
    assert_eq!(nonce(&one), nonce(&one));
    assert_eq!(nonce(&one).len(), 8);
    assert_ne!(nonce(&one), nonce(&GenerateRequest::new("another task")));
    assert_ne!(nonce(&one), nonce(&one.clone().with_file("a.py", "a")));
}

#[test]
fn no_placeholder_is_left_in_what_is_sent() {
    for work in ALL {
        let request = GenerateRequest::new("x").with_work(work).with_file("a.py", "a = 1");
        let written = prompt::write(&request, Language::known("python").as_ref());
        assert!(!written.system.contains("{{") && !written.user.contains("{{"));
        assert!(written.user.contains(&format!("=== file {}: PATH ===", written.nonce)));
    }
}
