//! The service creator: seven answers become a description, equal descriptions the same prompt.

use std::sync::Arc;

use claude_code_aws::service_creator::{
    Conversation, FILES, MemoryServices, Row, STEPS, ServiceData, ServiceStore, Services, missing, prompt,
    request,
};
use claude_code_aws::testing::TestClock;
use claude_code_aws::{CodeFile, ErrorKind, Language, Scope};
use proptest::prelude::*;
use serde_json::json;

/// Every value of the service creator that holds words or code of the user, with a mark planted in it.
#[tokio::test]
async fn debug_of_a_service_shows_nothing_that_user_or_model_wrote() {
    let mark = || "canary-7f3a".to_owned();
    let data = ServiceData { intent: mark(), features: vec![mark()], ..ServiceData::default() };
    let mut conversation = Conversation::new("id");
    conversation.data = data.clone();
    let services = MemoryServices::default();
    services.put_file("a/b/c", &mark()).await.unwrap();
    let row = Row { scope: Scope::local(), body: json!(mark()), version: 1 };
    let shown = format!("{data:?} {conversation:?} {services:?} {row:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn seven_answers_are_read_into_a_description() {
    let mut conversation = Conversation::new("c");
    let answers = [
        " vFirewall ",
        "Filter\ntraffic",
        "- NAT\n- VPN; logging, , Traffic Filtering",
        "Cisco",
        "See https://a.example/docs. and (http://b.example/x), please",
        "per hour",
        "JSON; OAuth",
    ];
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(conversation.step(), Some(n + 1));
        conversation.answer(Some(n + 1), answer).unwrap();
    }
    let data = conversation.description(None).unwrap();
    assert_eq!((data.service_type.as_str(), data.intent.as_str()), ("vFirewall", "Filter traffic"));
    assert_eq!(data.features, ["NAT", "VPN", "logging", "Traffic Filtering"]);
    assert_eq!(data.api_docs, ["https://a.example/docs", "http://b.example/x"]);
    assert_eq!(conversation.answer(None, "more").unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn equal_descriptions_have_equal_prompts_and_lead_to_the_same_code() {
    let data = ServiceData::sample();
    assert_eq!(prompt(&data), prompt(&ServiceData::sample()));
    for step in STEPS.iter().filter(|step| step.field != "api_docs") {
        assert!(prompt(&data).contains(step.example), "{}", step.field);
    }
    let mut conversation = Conversation::new("c");
    let ids = std::cell::Cell::new(0);
    let new_id = || {
        ids.set(ids.get() + 1);
        ids.get().to_string()
    };
    let first = conversation.code_for(&data, new_id);
    assert_eq!(conversation.code_for(&data, new_id), first);
    let other = conversation.code_for(&ServiceData { vendor: "F5".into(), ..data }, new_id);
    assert_eq!(other.service_id, first.service_id);
    assert_ne!(other.code_id, first.code_id);
}

#[test]
fn what_is_kept_is_given_along_and_not_asked_for_again() {
    let kept = CodeFile {
        path: Some(FILES[0].into()),
        language: Language::from_path(FILES[0]).unwrap(),
        content: "x = 1\n".into(),
        complete: true,
        rejected: None,
    };
    assert_eq!(missing(std::slice::from_ref(&kept)), FILES[1..]);
    let request = request(&ServiceData::sample(), &[kept]);
    assert_eq!(request.files[0].content, "x = 1\n");
    assert!(request.prompt.ends_with(&format!("{}.", FILES[1..].join(", "))));
}

#[tokio::test]
async fn a_stale_conversation_is_not_written() {
    let services = Services::new(Arc::new(MemoryServices::default()), Arc::new(TestClock::default()));
    let scope = Scope::local();
    services.start(&scope, "c").await.unwrap();
    let (conversation, version) = services.conversation(&scope, "c").await.unwrap();
    services.save(&scope, &conversation, version).await.unwrap();
    assert_eq!(services.save(&scope, &conversation, version).await.unwrap_err().kind(), ErrorKind::Conflict);
    let stranger = services.conversation(&Scope::authenticated("b"), "c").await.unwrap_err();
    assert_eq!(stranger.kind(), ErrorKind::NotFound);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is answered, the description stays seven lines of the prompt: no answer writes a line of its own.
    #[test]
    fn no_answer_breaks_out_of_its_line(answer in "\\PC{1,200}|[\\n\\r\\t -#]{1,60}") {
        let mut conversation = Conversation::new("c");
        for step in 0..STEPS.len() {
            if conversation.answer(Some(step + 1), &answer).is_err() {
                prop_assert!(answer.trim().is_empty());
                return Ok(());
            }
        }
        let lines = prompt(&conversation.data).lines().count();
        prop_assert_eq!(lines, prompt(&ServiceData::sample()).lines().count());
    }
}
