//! A fault at every step of storing a result: never a row without its objects, never a paid answer lost.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use claude_code_aws::local::{BUCKET, Twin};
use claude_code_aws::testing::{Script, ScriptedProvider, store_contract};
use claude_code_aws::{CacheMode, Client, ErrorKind, GenerateRequest, Generation, GenerationStore, Scope};

use super::faulty::{Fault, Faulty, Plan};
use super::{HandClock, TABLE, builder, results, twin};

const THREE: &str = "```python app/main.py\nimport app\n```\n\n```python app/store.py\nkept = {}\n```\n\n\
                     ```markdown README.md\n# App\n```\n";

/// Asks with a prompt that is too long for the row, so that every kind of object is put.
async fn ask(client: &Client) -> Generation {
    let prompt = "Write a small application that keeps notes. ".repeat(60);
    let request = GenerateRequest::new(prompt).with_model("haiku").with_cache(CacheMode::Off);
    client.generate(request).await.expect("a paid answer is returned whatever the store does")
}

fn client(store: impl GenerationStore + 'static) -> Client {
    let clock = HandClock::now();
    builder(ScriptedProvider::new([Script::answer(THREE)]), clock, 1).with_store(Arc::new(store)).build()
}

async fn has_row(twin: &Twin, id: &str) -> bool {
    let key = AttributeValue::S(id.to_owned());
    let got = twin.dynamodb_client().get_item().table_name(TABLE).key("id", key).consistent_read(true);
    got.send().await.unwrap().item.is_some()
}

#[tokio::test]
async fn a_fault_at_any_step_loses_no_answer_and_leaves_no_row_without_objects() {
    let (_dir, twin) = twin().await;
    let faulty = Faulty::new(&twin);
    let client = client(faulty.results(&twin));
    assert!(ask(&client).await.stored);
    let steps = faulty.steps();
    assert_eq!(steps.len(), 6, "prompt, three files, manifest, row: {steps:?}");
    assert!(steps[0].ends_with(".prompt.txt") && steps[4].ends_with(".manifest.json") && steps[5] == "row");
    let (mut tried, mut lost) = (0, 0);
    for step in 0..steps.len() {
        for fault in [Fault::Before, Fault::After, Fault::Status(500), Fault::Status(403)] {
            faulty.plan(Some(Plan { step, fault, times: usize::MAX }));
            let g = ask(&client).await;
            assert!(g.accepted && g.files.len() == 3 && g.files.iter().all(|file| !file.content.is_empty()));
            // A put that was done is met again by its own repeat: by hash an object, by its condition a row.
            let why = format!("step {step} {fault:?}: {:?}", g.stored_problem);
            assert!(!g.stored && g.stored_problem.is_some(), "{why}");
            if has_row(&twin, &g.id).await {
                let kept = results(&twin, &HandClock::now()).get(&Scope::local(), &g.id).await;
                assert_eq!(kept.expect(&why).files, g.files);
                assert!(
                    step == 5 && fault == Fault::After,
                    "only a row whose answer was lost is there: {why}"
                );
            } else {
                lost += 1;
            }
            tried += 1;
        }
    }
    println!("{tried} faults at {} steps: {lost} results without a row, 0 rows without objects", steps.len());
}

#[tokio::test]
async fn one_lost_answer_at_any_step_is_repeated_and_everything_is_stored() {
    let (_dir, twin) = twin().await;
    let faulty = Faulty::new(&twin);
    let client = client(faulty.results(&twin));
    for step in 0..6 {
        for fault in [Fault::Before, Fault::After, Fault::Status(503)] {
            faulty.plan(Some(Plan { step, fault, times: 1 }));
            let g = ask(&client).await;
            assert!(g.stored, "step {step} {fault:?}: {:?}", g.stored_problem);
            let kept = results(&twin, &HandClock::now()).get(&Scope::local(), &g.id).await.unwrap();
            assert_eq!((kept.files, kept.prompt), (g.files, g.prompt));
        }
    }
}

#[tokio::test]
async fn files_are_put_at_the_same_time_and_not_all_of_them() {
    let (_dir, twin) = twin().await;
    let faulty = Faulty::new(&twin);
    let files: Vec<(String, &str)> = (0..40).map(|n| (format!("f{n}.py"), "a = 1\n")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let g = store_contract::generation("many", 0, &files);
    faulty.results(&twin).put(&Scope::local(), &g).await.unwrap();
    assert_eq!((faulty.steps().len(), faulty.most_puts()), (42, 8));
}

#[tokio::test]
async fn a_put_that_met_a_concurrent_one_is_tried_again_and_not_for_ever() {
    let (_dir, twin) = twin().await;
    let faulty = Faulty::new(&twin);
    let client = client(faulty.results(&twin));
    faulty.plan(Some(Plan { step: 2, fault: Fault::Status(409), times: 3 }));
    assert!(ask(&client).await.stored);
    faulty.plan(Some(Plan { step: 2, fault: Fault::Status(409), times: usize::MAX }));
    let g = ask(&client).await;
    assert!(!g.stored && g.stored_problem.unwrap().contains("s3://"));
}

#[tokio::test]
async fn an_object_that_is_there_already_is_compared_by_its_bytes() {
    let (_dir, twin) = twin().await;
    let clock = HandClock::now();
    let store = results(&twin, &clock);
    let base = "generated-code/python/20261121T204600123Z";
    let put = |key: String, body: &'static [u8]| {
        let s3 = twin.s3_client();
        async move { s3.put_object().bucket(BUCKET).key(key).body(body.to_vec().into()).send().await.unwrap() }
    };
    put(format!("{base}-same.py"), b"a = 1\n").await;
    let same = store_contract::generation("same", 0, &[("a.py", "a = 1\n")]);
    assert!(store.put(&Scope::local(), &same).await.is_ok(), "put by others, without a hash beside it");
    put(format!("{base}-other.py"), b"a = 2\n").await;
    let other = store_contract::generation("other", 0, &[("a.py", "a = 1\n")]);
    assert_eq!(store.put(&Scope::local(), &other).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(!has_row(&twin, "other").await);
    let key = format!("{base}-other.py");
    let kept = twin.s3_client().get_object().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), b"a = 2\n", "nothing was overwritten");
}
