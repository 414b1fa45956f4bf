//! The contract of a lane, over any engine; and the shapes of Bedrock's files.

use std::collections::BTreeSet;
use std::sync::Mutex;

use claude_code_aws::batch::lane::{BatchLane, JobName, JobSpec, JobStatus, JobView, LaneError, LineSink};
use claude_code_aws::batch::record::{self, Outcome};
use claude_code_aws::files::batch_manifest::Key;
use claude_code_core::provider::StopReason;
use claude_code_core::{Error, Usage};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
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

/// An engine that is nothing of Bedrock's: its jobs are kept here, and each is done at the second look.
#[derive(Debug, Default)]
struct MemoryLane(Mutex<Vec<MemoryJob>>);

#[derive(Clone, Debug)]
struct MemoryJob {
    name: JobName,
    records: Vec<String>,
    looks: usize,
}

impl MemoryLane {
    fn of(&self, is: impl Fn(&MemoryJob) -> bool) -> Option<(String, MemoryJob)> {
        let mut jobs = self.0.lock().unwrap();
        let at = jobs.iter().position(is)?;
        jobs[at].looks += 1;
        Some((at.to_string(), jobs[at].clone()))
    }
}

impl BatchLane for MemoryLane {
    fn submit<'a>(&'a self, job: &'a JobSpec) -> BoxFuture<'a, Result<String, LaneError>> {
        async move {
            if job.model != MODEL {
                return Err(LaneError::Refused(Error::invalid("no such model")));
            }
            if let Some((id, _)) = self.of(|known| known.name.token == job.name.token) {
                return Ok(id);
            }
            let records = std::fs::read_to_string(&job.records).unwrap();
            let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let records = records.map(|line| line["recordId"].as_str().unwrap().to_owned()).collect();
            let mut jobs = self.0.lock().unwrap();
            jobs.push(MemoryJob { name: job.name.clone(), records, looks: 0 });
            Ok((jobs.len() - 1).to_string())
        }
        .boxed()
    }

    fn look<'a>(
        &'a self,
        job: &'a JobName,
        id: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Option<JobView>, LaneError>> {
        async move {
            let found = self.of(|known| known.name.token == job.token);
            let found = found.filter(|(known, _)| id.is_none_or(|id| id == known));
            Ok(found.map(|(id, job)| {
                let (status, message, succeeded) = match (job.records.len(), job.looks) {
                    (count @ ..100, _) => {
                        (JobStatus::Failed, Some(format!("{count} records, the minimum of: 100")), 0)
                    }
                    (_, ..2) => (JobStatus::Running, None, 0),
                    (count, _) => (JobStatus::Completed, None, count as u64),
                };
                JobView { id, status, message, succeeded }
            }))
        }
        .boxed()
    }

    fn stop<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), LaneError>> {
        async { Ok(()) }.boxed()
    }

    fn outputs<'a>(
        &'a self,
        job: &'a JobName,
        _: &'a str,
        sink: LineSink<'a>,
    ) -> BoxFuture<'a, Result<(), LaneError>> {
        async move {
            let records = self.of(|known| known.name.token == job.token).unwrap().1.records;
            let answered: &[String] = if records.len() < 100 { &[] } else { &records };
            for id in answered {
                let answer = json!({ "output": { "message": { "content": [{ "text": "x" }] } }, "stopReason": "end_turn" });
                let line = json!({ "recordId": id, "modelInput": {}, "modelOutput": answer }).to_string();
                sink(line.as_bytes()).map_err(LaneError::Refused)?;
            }
            Ok(())
        }
        .boxed()
    }
}

#[tokio::test]
async fn a_lane_that_is_not_bedrocks_can_keep_the_contract() {
    contract(&Rig::new().await, &MemoryLane::default()).await;
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
    // Answers of no known form say nothing, and end nothing.
    for output in [json!("text"), json!([1]), json!(7), json!({ "output": "text" }), json!({ "content": [] })]
    {
        let line = json!({ "recordId": id, "modelInput": {}, "modelOutput": output }).to_string();
        assert_eq!(record::outcome(line.as_bytes()), None, "{line}");
    }
    // One line that is no UTF-8, or no object, costs no other line anything.
    for nothing in [&b"\xff\xfe{\"recordId\""[..], b"[1, 2]", b"\"hello\"", b"{\"modelOutput\": {}}"] {
        assert_eq!(record::outcome(nothing), None, "{nothing:?}");
    }
    // An error that is a text, and one that says nothing.
    for (error, told) in [
        (json!("throttled"), "throttled"),
        (json!({}), "{}"),
        (json!({ "errorCode": 500 }), "500"),
        (json!({ "errorMessage": "m" }), "m"),
    ] {
        let line = json!({ "recordId": id, "modelInput": {}, "error": error }).to_string();
        let (_, outcome) = record::outcome(line.as_bytes()).unwrap();
        assert!(matches!(&outcome, Outcome::Error(why) if why.contains(told)), "{outcome:?}");
    }
    for nothing in [&text[..text.len() - 1], "", "null", r#"{"recordId": "short", "modelOutput": {}}"#] {
        assert_eq!(record::outcome(nothing.as_bytes()), None, "{nothing}");
    }
}
