//! `batch`: files of prompts become files of results.

mod jobs;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::{Done, PALINDROME, Place, REVERSE};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn prompt(prompt: &str) -> String {
    serde_json::json!({ "prompt": prompt }).to_string()
}

#[test]
fn each_line_of_the_prompts_has_one_of_the_results_in_its_place() {
    let place = Place::new();
    let input = format!(
        "{}\n\n{}\nnot json\n{}\n",
        serde_json::json!({ "id": "r", "prompt": REVERSE, "language": "python" }),
        serde_json::json!(PALINDROME),
        serde_json::json!({ "prompt": REVERSE, "tokens": 3 }),
    );
    let prompts = place.write("prompts.jsonl", &input);
    let out = prompts.with_file_name("results.jsonl");
    let done = place.run(&["batch", "--offline", prompts.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(done.code, 1, "two lines are bad: {done:?}");
    let results = lines(&out);
    let numbers: Vec<_> = results.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
    assert_eq!(results[0]["id"], "r");
    assert!(results[0]["result"]["accepted"] == true && results[0]["result"]["stored"] == true);
    assert!(results[1]["result"]["text"].as_str().unwrap().contains("palindrome"));
    let why = |at: usize| results[at]["error"]["message"].as_str().unwrap().to_owned();
    assert!(why(2).starts_with("line 4 of ") && why(2).contains("not JSON"), "{}", why(2));
    assert!(why(3).starts_with("line 5 of ") && why(3).contains("tokens"), "{}", why(3));
    assert!(done.last_line().starts_with("2 of 2 requests · 2 bad lines · $0 · batch "), "{done:?}");
    // Its results are found by its id.
    let id = done.last_line().rsplit(' ').next().unwrap().to_owned();
    let listed = place.run(&["results", "list", "--batch", &id, "--json"]);
    let listed: Vec<_> =
        listed.json()["items"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(listed.len(), 2);
    assert!((0..2).all(|at| listed.contains(&results[at]["result"]["id"])));
    // Without its journal, as on another machine, the table has them.
    std::fs::remove_dir_all(place.path("data").join("batches")).unwrap();
    let again = place.run(&["results", "list", "--batch", &id, "--json"]).json();
    let mut again: Vec<_> =
        again["items"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    let mut listed: Vec<_> = listed.iter().map(Value::to_string).collect();
    again.sort();
    listed.sort();
    assert_eq!(again, listed);
    let none = place.run(&["results", "list", "--batch", "none", "--json"]).json();
    assert!(none["items"].as_array().unwrap().is_empty());
}

#[test]
fn a_batch_goes_on_with_resume_and_is_not_begun_twice() {
    let place = Place::new();
    let prompts =
        place.write("p.jsonl", &format!("{}\n{}\n", prompt(REVERSE), prompt("nothing known of this")));
    let out = prompts.with_file_name("r.jsonl");
    let args = ["batch", "--offline", prompts.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let first = place.run(&args);
    assert_eq!(first.code, 1, "{first:?}");
    assert!(first.err.contains("go on with: claude-code-aws batch"), "{first:?}");
    let again = place.run(&args);
    assert_eq!((again.code, again.err.lines().count()), (2, 1), "{again:?}");
    assert!(again.err.contains("1 of 2 answered") && again.err.contains("--resume"), "{again:?}");
    std::fs::write(&prompts, format!("{}\n{}\n", prompt(REVERSE), prompt(PALINDROME))).unwrap();
    let resumed = place.run(&[&args[..], &["--resume", "--json"]].concat());
    assert_eq!(resumed.code, 0, "{resumed:?}");
    assert!(resumed.err.contains("1 request new, 1 gone"), "{resumed:?}");
    assert_eq!((&resumed.json()["resumed"], &resumed.json()["done"]), (&1.into(), &2.into()));
    assert!(lines(&out).iter().all(|line| line["result"]["accepted"] == true));
    let id = resumed.json()["batch"].as_str().unwrap().to_owned();
    let status = place.run(&["batch", "status", &id, "--json"]);
    let told = status.json();
    assert_eq!(
        (&told["requests"], &told["answered"], &told["running"]),
        (&2.into(), &2.into(), &false.into())
    );
    assert_eq!(place.run(&["batch", "status", "none"]).code, 1);
}

/// A shell's `<(…)`, `| … /dev/stdin` and `-`: what can be read once only is read once.
#[cfg(unix)]
#[test]
fn prompts_may_come_through_a_pipe() {
    let place = Place::new();
    let input = format!("{}\n{}\n", prompt(REVERSE), prompt(PALINDROME));
    for (name, file) in [("stdin", "-"), ("pipe", "/dev/stdin")] {
        let out = place.write("p", "").with_file_name(format!("{name}.jsonl"));
        let args = ["batch", "--offline", file, "--out", out.to_str().unwrap()];
        let mut command = place.command(&args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!(done.code, 0, "{name}: {done:?}");
        let accepted = lines(&out).iter().filter(|line| line["result"]["accepted"] == true).count();
        assert_eq!(accepted, 2, "{name}: {done:?}");
    }
}

/// Lines that are added while a batch runs are not of it; a file that is cut short is told, and not taken for done.
#[test]
fn a_file_of_prompts_that_changes_meanwhile_is_no_silent_loss() {
    for (change, code, results) in [("more", 0, 8), ("less", 2, 5)] {
        let place = Place::new();
        let line = |n: usize| prompt(&format!("task {n} {}", "x".repeat(9_000))) + "\n";
        let whole: String = (0..8).map(line).collect();
        let input = place.write("p.jsonl", &whole);
        let step = r#"{"steps": [{"times": 9, "answer": {"text": "```python a.py\nx = 1\n```"}, "faults": [{"latency_ms": 200}]}]}"#;
        let script = place.write("script.json", step);
        let up = crate::up::Up::start(&place, &["--answers", script.to_str().unwrap()]);
        let out = input.with_file_name("r.jsonl");
        let args = ["batch", input.to_str().unwrap(), "--out", out.to_str().unwrap(), "--concurrency", "1"];
        let mut command = place.command(&args);
        command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").env("CLAUDE_CODE_AWS_MODEL_ID", "haiku");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // It runs as soon as the first result is there.
        while std::fs::metadata(&out).map_or(0, |file| file.len()) == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let file = std::fs::OpenOptions::new().append(true).open(&input).unwrap();
        match change {
            "more" => std::io::Write::write_all(&mut &file, line(9).as_bytes()).unwrap(),
            _ => file.set_len(whole.len() as u64 * 5 / 8).unwrap(),
        }
        let done = Done::of(child.wait_with_output().unwrap());
        assert_eq!((done.code, lines(&out).len()), (code, results), "{change}: {done:?}");
        assert_eq!(done.err.contains("changed while it was read"), code != 0, "{change}: {done:?}");
    }
}

#[test]
fn a_file_that_no_batch_made_is_not_overwritten() {
    let place = Place::new();
    let prompts = place.write("p.jsonl", &prompt(REVERSE));
    let out = place.write("mine.jsonl", "mine\n");
    for resume in [&[][..], &["--resume"]] {
        let args = ["batch", "--offline", prompts.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let done = place.run(&[&args[..], resume].concat());
        assert_eq!(done.code, 2, "{done:?}");
        assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine\n");
    }
}

#[test]
fn a_dry_run_tells_models_lanes_and_the_most_that_it_costs_and_sends_nothing() {
    let place = Place::new();
    let input = [prompt(REVERSE), prompt(REVERSE), prompt(PALINDROME)].join("\n");
    let prompts = place.write("p.jsonl", &input);
    let done = place.run(&["batch", prompts.to_str().unwrap(), "--out", "r.jsonl", "--dry-run"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("on-demand") && done.out.contains('$'), "{done:?}");
    assert!(done.err.contains("3 requests, 1 of them equal"), "{done:?}");
    assert!(!prompts.with_file_name("r.jsonl").exists());
}

#[test]
fn the_schema_of_a_line_is_json_and_knows_prompt_and_id() {
    let done = Place::new().run(&["batch", "--schema"]);
    let schema: Value = serde_json::from_str(&done.out).unwrap();
    let generate = &schema["anyOf"][0]["properties"];
    assert!(generate["prompt"].is_object() && generate["id"].is_object(), "{schema}");
}

#[test]
fn the_schemas_in_the_documentation_are_those_of_the_command() {
    for (option, name) in [("--schema", "batch-prompts"), ("--schema=results", "batch-results")] {
        let path = format!("{}/../docs/reference/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        let said = Place::new().run(&["batch", option]).out;
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            kept, said,
            "write it anew: claude-code-aws batch {option} > docs/reference/{name}.schema.json"
        );
    }
}

/// Kills while a script answers slowly: each prompt's result is there once, no more is sent than was under way, and the
/// output is that of an unbroken run but for ids and times. 1,000 prompts and 20 kills with CAMPAIGN=1.
#[test]
fn a_batch_killed_again_and_again_has_each_result_once() {
    let place = Place::new();
    let is_full = std::env::var_os("CAMPAIGN").is_some_and(|set| set == "1");
    let (prompts, at_once, kills) = if is_full { (1_000, 4, 20) } else { (60, 4, 10) };
    let line = |n| serde_json::json!({ "prompt": format!("task {n}"), "model": "haiku" }).to_string() + "\n";
    let input: String = (0..prompts).map(line).collect();
    let input = place.write("p.jsonl", &input);
    // As many answers as may be sent: one more would be an error.
    let script = format!(
        r#"{{"steps": [{{"times": {}, "answer": {{"text": "```python a.py\nx = 1\n```"}}, "faults": [{{"latency_ms": 15}}]}}]}}"#,
        prompts + kills * at_once
    );
    let script = place.write("script.json", &script);
    let up = crate::up::Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let out = input.with_file_name("r.jsonl");
    let command = || {
        let args = [
            "batch",
            input.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--resume",
            "--concurrency",
            "4",
        ];
        let mut command = place.command(&args);
        command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none");
        command.stdin(Stdio::null());
        command
    };
    let mut killed = 0;
    for n in 0..kills {
        let mut child = command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(40 + 17 * n % 500));
        killed += u64::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let done = Done::of(command().output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    let results = lines(&out);
    let numbers: Vec<_> = results.iter().map(|line| line["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=prompts).collect::<Vec<_>>());
    assert!(results.iter().all(|line| line["result"]["accepted"] == true));
    println!("{killed} of {kills} runs were killed before their end");
    // An unbroken run of the same prompts gives the same but for what no two runs share.
    let whole = input.with_file_name("whole.jsonl");
    let args = ["batch", input.to_str().unwrap(), "--out", whole.to_str().unwrap(), "--concurrency", "4"];
    let mut unbroken = place.command(&args);
    let script = format!(
        r#"{{"steps": [{{"times": {prompts}, "answer": {{"text": "```python a.py\nx = 1\n```"}}}}]}}"#
    );
    let script = place.write("whole.json", &script);
    let up = crate::up::Up::start(&place, &["--answers", script.to_str().unwrap()]);
    unbroken.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "none").stdin(Stdio::null());
    assert_eq!(Done::of(unbroken.output().unwrap()).code, 0);
    let lasting = |path: &Path| -> Vec<Value> {
        let volatile = |mut line: Value| {
            for member in ["id", "generated_at", "attempts"] {
                line["result"].as_object_mut().unwrap().remove(member);
            }
            line
        };
        lines(path).into_iter().map(volatile).collect()
    };
    assert_eq!(lasting(&out), lasting(&whole));
}
