//! `batch` in jobs of Bedrock's batch inference, over a twin that is up.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::up::Up;
use crate::{Done, Place};

const MODEL: &str = "global.anthropic.claude-haiku-4-5-20251001-v1:0";

/// So many distinct prompts, and a command that sends them in jobs to a twin that has an answer for each.
fn prompts(place: &Place, count: usize) -> String {
    let line = |n| serde_json::json!({ "prompt": format!("task {n}"), "model": MODEL }).to_string() + "\n";
    let input: String = (0..count).map(line).collect();
    place.write("p.jsonl", &input).to_str().unwrap().to_owned()
}

fn up(place: &Place) -> Up {
    let script = place.write(
        "script.json",
        r#"{"steps": [{"times": 100, "answer": {"text": "```python a.py\nx = 1\n```"}}]}"#,
    );
    Up::start(place, &["--answers", script.to_str().unwrap()])
}

fn with_jobs(mut command: Command, up: &Up) -> Command {
    command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    command.env("CLAUDE_CODE_AWS_BATCH_ROLE_ARN", "arn:aws:iam::000000000000:role/batch");
    command.env("CLAUDE_CODE_AWS_BATCH_BUCKET", "claude-code-workshop-000000000000");
    command
}

#[test]
fn a_job_goes_on_when_the_command_is_killed_and_resume_collects_it() {
    let place = Place::new();
    let (input, twin) = (prompts(&place, 100), up(&place));
    let out = input.replace("p.jsonl", "r.jsonl");
    let args = ["batch", &input, "--out", &out, "--lane", "bedrock-batch", "--deadline", "24h", "--resume"];
    let mut first =
        with_jobs(place.command(&args), &twin).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let told: Vec<String> = BufReader::new(first.stderr.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .take_while(|line| !line.contains("is submitted"))
        .collect();
    assert!(told.iter().any(|line| line.contains("100 requests by bedrock-batch")), "{told:?}");
    first.kill().unwrap();
    first.wait().unwrap();
    let journal = std::fs::read_dir(place.path("data").join("batches")).unwrap();
    let journal =
        journal.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "jsonl");
    let id = journal.unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
    let status =
        Done::of(with_jobs(place.command(&["batch", "status", &id, "--json"]), &twin).output().unwrap());
    let jobs = status.json()["jobs"].clone();
    assert!(jobs[0]["id"].as_str().unwrap().starts_with("arn:aws:bedrock:"), "{status:?}");
    assert_eq!((&jobs[0]["records"], jobs.as_array().unwrap().len()), (&100.into(), 1));
    let done = Done::of(with_jobs(place.command(&args), &twin).output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("is completed: 100 of 100 records answered"), "{done:?}");
    let results = std::fs::read_to_string(&out).unwrap();
    let results: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(results.len(), 100);
    for line in &results {
        let items = line["result"]["receipt"]["items"].as_array().unwrap();
        assert!(items.iter().any(|item| item["what"] == "batch_discount"), "{line}");
    }
    let stop = Done::of(with_jobs(place.command(&["batch", "stop", &id]), &twin).output().unwrap());
    assert!(stop.code == 0 && stop.err.contains("there is nothing to stop"), "{stop:?}");
}

#[test]
fn a_stopped_batch_stops_its_job() {
    let place = Place::new();
    let (input, twin) = (prompts(&place, 100), up(&place));
    let out = input.replace("p.jsonl", "r.jsonl");
    let args = ["batch", &input, "--out", &out, "--lane", "bedrock-batch"];
    let mut first =
        with_jobs(place.command(&args), &twin).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(first.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.take_while(|line| !line.contains("is submitted")).count() > 0);
    first.kill().unwrap();
    first.wait().unwrap();
    let journal = std::fs::read_dir(place.path("data").join("batches")).unwrap();
    let journal =
        journal.map(|entry| entry.unwrap().path()).find(|path| path.extension().unwrap() == "jsonl");
    let id = journal.unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
    let stop = Done::of(with_jobs(place.command(&["batch", "stop", &id]), &twin).output().unwrap());
    assert!(stop.code == 0 && stop.err.contains("1 job told to stop"), "{stop:?}");
}

#[test]
fn a_dry_run_tells_the_lane_of_each_model_and_why() {
    let place = Place::new();
    let input = prompts(&place, 100);
    let dry = |extra: &[&str], role: bool| {
        let args = [&["batch", input.as_str(), "--out", "r.jsonl", "--dry-run", "--json"], extra].concat();
        let mut command = place.command(&args);
        if role {
            command.env("CLAUDE_CODE_AWS_BATCH_ROLE_ARN", "arn:aws:iam::000000000000:role/batch");
        }
        let done = Done::of(command.output().unwrap());
        let lane = done.json()["lanes"][0].clone();
        let worst: f64 = lane["worst_usd"].as_str().unwrap().parse().unwrap();
        (lane["lane"].as_str().unwrap().to_owned(), lane["why"].as_str().unwrap().to_owned(), worst)
    };
    let (lane, why, alone) = dry(&[], true);
    assert_eq!((lane.as_str(), why.contains("--deadline")), ("on-demand", true), "{why}");
    let (lane, why, half) = dry(&["--deadline", "24h"], true);
    assert_eq!((lane.as_str(), why.as_str()), ("bedrock-batch", "half the price"));
    assert!((alone / half - 2.0).abs() < 0.001, "{alone} and {half}");
    let (lane, why, _) = dry(&["--deadline", "24h"], false);
    assert!(lane == "on-demand" && why.contains("BATCH_ROLE_ARN"), "{why}");
    let (lane, why, _) = dry(&["--deadline", "10m"], true);
    assert!(lane == "on-demand" && why.contains("too short"), "{why}");
}

#[test]
fn a_doctor_of_batches_says_what_is_missing() {
    let place = Place::new();
    let twin = up(&place);
    let mut command = place.command(&["doctor", "--batch", "--json"]);
    command.envs(twin.env()).env("CLAUDE_CODE_AWS_STORE", "none");
    let without = Done::of(command.output().unwrap());
    let check = |done: &Done, name: &str| {
        let checks = done.json()["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["name"] == name).unwrap()
    };
    let role = check(&without, "batch role");
    assert!(role["ok"] == false && role["detail"].as_str().unwrap().contains("BATCH_ROLE_ARN"), "{role}");
    let with = Done::of(with_jobs(place.command(&["doctor", "--batch", "--json"]), &twin).output().unwrap());
    for name in ["batch role", "batch bucket", "batch jobs"] {
        assert_eq!(check(&with, name)["ok"], true, "{with:?}");
    }
    let mut command = with_jobs(place.command(&["doctor", "--batch", "--json"]), &twin);
    command.env("CLAUDE_CODE_AWS_BATCH_BUCKET", "there-is-no-such-bucket");
    let missing = check(&Done::of(command.output().unwrap()), "batch bucket");
    assert!(
        missing["ok"] == false && missing["detail"].as_str().unwrap().contains("NoSuchBucket"),
        "{missing}"
    );
}
