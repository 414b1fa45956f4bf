//! The contract of a lane, over any engine; and the shapes of Bedrock's files.

use std::collections::BTreeSet;

use claude_code_aws::batch::lane::{BatchLane, JobName, JobSpec, JobStatus, JobView, LaneError};
use claude_code_aws::batch::record::{self, Outcome};
use claude_code_aws::files::batch_manifest::Key;
use claude_code_core::Usage;
use claude_code_core::provider::StopReason;
use serde_json::{Value, json};

use super::rig::{MODEL, Rig, task};

fn spec(rig: &Rig, token: &str, count: usize) -> JobSpec {
    let lines: String = (0..count)
        .map(|n| {
            let id = record::id(&Key::of(&task(n)));
            record::line(&id, &rig.client().job_call(task(n)).unwrap().call) + "\n"
        })
        .collect();
    let records = rig.dir.path().join(format!("{token}.jsonl"));
    std::fs::write(&records, lines).unwrap();
    let name = JobName { token: token.into(), name: format!("batch-{token}"), folder: format!("b/{token}") };
    JobSpec { name, model: MODEL.into(), records, hours: 24 }
}

async fn lines(lane: &dyn BatchLane, job: &JobName, id: &str) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut sink = |line: &[u8]| {
        lines.push(line.to_vec());
        Ok(())
    };
    lane.outputs(job, id, &mut sink).await.unwrap();
    lines
}

/// The job when it has ended.
async fn ended(lane: &dyn BatchLane, job: &JobName, id: &str) -> JobView {
    loop {
        let view = lane.look(job, Some(id)).await.unwrap().unwrap();
        if view.status.is_final() {
            return view;
        }
    }
}

/// What every lane does: whoever drives one relies on it.
async fn contract(rig: &Rig, lane: &dyn BatchLane) {
    let job = spec(rig, "aa", 100);
    assert!(lane.look(&job.name, None).await.unwrap().is_none(), "there is none yet");
    let id = lane.submit(&job).await.unwrap();
    assert_eq!(lane.submit(&job).await.unwrap(), id, "the same token makes no second job");
    let found = lane.look(&job.name, None).await.unwrap().unwrap();
    assert_eq!(found.id, id, "it is found without its id");
    let other = JobName { token: "bb".into(), ..job.name.clone() };
    assert!(lane.look(&other, None).await.unwrap().is_none(), "a name alone is not enough");
    let view = ended(lane, &job.name, &id).await;
    assert!(view.status == JobStatus::Completed && view.succeeded == 100, "{view:?}");
    let outcomes = lines(lane, &job.name, &id).await;
    let ids: BTreeSet<String> =
        outcomes.iter().map(|line| record::outcome(line).expect("a record").0).collect();
    assert_eq!(ids.len(), 100, "every record, once");
    lane.stop(&id).await.expect("a job that has ended is none the worse");
    let short = spec(rig, "cc", 3);
    let id = lane.submit(&short).await.unwrap();
    let view = ended(lane, &short.name, &id).await;
    assert!(view.status == JobStatus::Failed && view.message.unwrap().contains("minimum of: 100"));
    assert!(lines(lane, &short.name, &id).await.is_empty(), "a job without outputs has none");
    let refused =
        lane.submit(&JobSpec { model: "anthropic.claude-none".into(), ..spec(rig, "dd", 100) }).await;
    assert!(matches!(refused, Err(LaneError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn bedrocks_lane_keeps_the_contract() {
    let rig = Rig::new().await;
    contract(&rig, &*rig.lane.clone()).await;
}

#[tokio::test]
async fn outputs_of_a_job_may_be_in_several_files() {
    let rig = Rig::new().await;
    let job = spec(&rig, "aa", 100);
    let id = rig.lane.submit(&job).await.unwrap();
    ended(&*rig.lane, &job.name, &id).await;
    let short = id.rsplit('/').next().unwrap();
    let more = json!({ "recordId": "f".repeat(32), "modelInput": {}, "error": { "errorCode": 500, "errorMessage": "late" } });
    let key = format!("batch/b/aa/out/{short}/more.jsonl.out");
    let body = more.to_string().into_bytes().into();
    rig.twin.s3_client().put_object().bucket("batches").key(key).body(body).send().await.unwrap();
    assert_eq!(lines(&*rig.lane, &job.name, &id).await.len(), 101, "and the manifest is none of them");
}

#[test]
fn a_record_is_a_converse_body_without_cache_points_tools_or_metadata() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(Rig::new());
    let call = rig.client().job_call(task(1).with_temperature(0.5)).unwrap().call;
    let id = record::id(&Key::of(&task(1)));
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    let line: Value = serde_json::from_str(&record::line(&id, &call)).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&line), ["recordId", "modelInput"]);
    assert_eq!(names(&line["modelInput"]), ["messages", "system", "inferenceConfig"]);
    assert_eq!(line["modelInput"]["inferenceConfig"], json!({ "maxTokens": 900, "temperature": 0.5 }));
    for block in line["modelInput"]["messages"][0]["content"].as_array().unwrap() {
        assert_eq!(names(block), ["text"]);
    }
}

#[test]
fn a_line_of_an_output_is_an_answer_an_error_or_nothing() {
    let id = "0123456789abcdef0123456789abcdef";
    let answered = json!({
        "recordId": id, "modelInput": {},
        "modelOutput": {
            "output": { "message": { "role": "assistant", "content": [
                { "reasoningContent": { "reasoningText": { "text": "hm" } } }, { "text": "a" }, { "text": "b" },
            ] } },
            "stopReason": "max_tokens",
            "usage": { "inputTokens": 7, "outputTokens": 5, "totalTokens": 12 },
        },
    });
    let (found, outcome) = record::outcome(answered.to_string().as_bytes()).unwrap();
    let Outcome::Answer(answer) = outcome else { panic!("{outcome:?}") };
    assert_eq!((found.as_str(), answer.text.as_str()), (id, "ab"));
    assert_eq!((answer.stop_reason, answer.usage), (StopReason::MaxTokens, Some(Usage::new(7, 5))));
    let failed = json!({
        "recordId": id, "modelInput": {}, "error": { "errorCode": 400, "errorMessage": "messages: Field required" },
    });
    let (_, outcome) = record::outcome(failed.to_string().as_bytes()).unwrap();
    assert_eq!(outcome, Outcome::Error("400: messages: Field required".to_owned()));
    let text = answered.to_string();
    for nothing in [&text[..text.len() - 1], "", "null", r#"{"recordId": "short", "modelOutput": {}}"#] {
        assert_eq!(record::outcome(nothing.as_bytes()), None, "{nothing}");
    }
}
