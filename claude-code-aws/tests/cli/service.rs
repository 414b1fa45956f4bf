//! `service new`, with its answers on stdin.

use std::io::Write;
use std::process::Stdio;

use claude_code_aws::service_creator::{FILES, STEPS};

use super::run::read;
#[cfg(unix)]
use super::up::Up;
use super::up::answering;
use super::{Done, Place};

/// The sample's answers, a line each.
fn answers() -> String {
    STEPS.iter().map(|step| format!("{}\n", step.example)).collect()
}

#[test]
fn seven_lines_become_six_files_with_a_receipt() {
    let place = Place::new();
    let done = place.run_on(&["service", "new", "--offline", "-o", "out"], &answers());
    assert_eq!(done.code, 0, "{done:?}");
    for step in STEPS {
        assert!(done.err.contains(step.question), "{}: {done:?}", step.question);
    }
    let written: Vec<String> = FILES.iter().map(|name| format!("out/{name}")).collect();
    assert_eq!(done.out.lines().collect::<Vec<_>>(), written);
    for path in &written {
        assert!(!read(&place.work().join(path)).is_empty(), "{path}");
    }
    let parts: Vec<&str> = done.last_line().split(" · ").collect();
    assert_eq!((parts[1], parts[3], parts[4]), ("6 files", "$0", "sample answer"), "{done:?}");
    let id = parts[5].strip_prefix("stored ").unwrap();
    let again = place.run(&["service", "download", id, "-o", "again", "--offline"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(read(&place.work().join("again/config.yaml")), read(&place.work().join("out/config.yaml")));
    let over = place.run(&["service", "download", id, "-o", "again", "--offline"]);
    assert_eq!(over.code, 1, "files are not replaced unasked: {over:?}");
}

#[test]
fn a_profile_of_one_s_own_asks_its_questions_and_writes_its_files() {
    let place = Place::new();
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/profiles/cloud_service.toml");
    let args = ["service", "new", "--profile", profile, "--offline", "-o", "out"];
    let done = place.run_on(&args, &answers());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.contains("7 of 7 · Logging and authentication"), "{done:?}");
    let written: Vec<String> = FILES.iter().map(|name| format!("out/{name}")).collect();
    assert_eq!(done.out.lines().collect::<Vec<_>>(), written);

    let own = "prompt = \"Write a Python function that reverses a string.\"\nfiles = [\"other.py\"]\n\
               [[questions]]\ntitle = \"Name\"\nquestion = \"Which?\"\n";
    std::fs::write(place.work().join("own.toml"), own).unwrap();
    let unknown = place.run_on(&["service", "new", "--profile", "own.toml", "--offline"], "a name\n");
    assert_eq!(unknown.code, 2, "a profile of one's own has no sample answer: {unknown:?}");
    assert!(unknown.err.contains("1 of 1 · Name"), "{unknown:?}");
    let missing = place.run(&["service", "new", "--profile", "none.toml", "--offline"]);
    assert!(missing.err.contains("none.toml"), "{missing:?}");
}

#[test]
fn checks_of_a_profile_run_only_once_they_were_agreed_to_and_again_when_they_changed() {
    let place = Place::new();
    let profile = include_str!("../../../examples/profiles/cloud_service.toml");
    let with = |code: u8| profile.replace("checks = []", &format!("checks = [\"exit {code}\"]"));
    let own = place.work().join("own.toml");
    std::fs::write(&own, with(9)).unwrap();
    let args = ["service", "new", "--profile", "own.toml", "--offline", "-o", "out"];
    let done = place.run_on(&args, &answers());
    assert_eq!(done.code, 0, "{done:?}");
    let warning = "own.toml asks for checks that nobody agreed to, so they do not run: `exit 9`";
    assert!(done.err.contains(warning), "{done:?}");

    let args = ["service", "new", "--profile", "own.toml", "--offline", "-o", "other"];
    let agreed = place.run_on(&[&args[..], &["--allow-checks"]].concat(), &answers());
    assert_eq!(agreed.code, 3, "the check runs, and fails: {agreed:?}");
    assert!(agreed.err.contains("ended with 9"), "{agreed:?}");
    assert_eq!(place.run_on(&args, &answers()).code, 3, "once is enough");
    assert!(!place.work().join("other").exists(), "what a check rejects is not written");

    std::fs::write(&own, with(8)).unwrap();
    let changed = place.run_on(&args, &answers());
    assert!(changed.err.contains("do not run: `exit 8`"), "{changed:?}");
    assert_eq!(changed.code, 0, "{changed:?}");
}

#[test]
fn json_is_one_value_with_the_contents_and_plain_output_has_the_files() {
    let place = Place::new();
    let done = place.run_on(&["service", "new", "--offline", "--json"], &answers());
    let value = done.json();
    assert_eq!(
        (&value["accepted"], &value["sample"], &value["stored"]),
        (&true.into(), &true.into(), &true.into())
    );
    assert_eq!(value["files"].as_array().unwrap().len(), 6);
    assert!(value["files"][0]["content"].as_str().unwrap().contains("def "));
    for key in ["conversation_id", "service_id", "code_id", "diagnostics", "model", "receipt", "generated_at"]
    {
        assert!(value.get(key).is_some(), "{key}");
    }
    let plain = place.run_on(&["--offline", "service", "new"], &answers());
    let headers = plain.out.lines().filter(|line| line.starts_with("==> ")).count();
    assert_eq!(headers, 6, "{plain:?}");
}

#[test]
fn a_conversation_that_was_broken_off_goes_on_where_it_was() {
    let place = Place::new();
    let whole = answers();
    let (first, rest) = whole.split_at(whole.match_indices('\n').nth(2).unwrap().0 + 1);
    let done = place.run_on(&["service", "new", "--offline"], first);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.last_line().contains("question 4 of 7"), "{done:?}");
    let id = done.err.lines().next().unwrap().rsplit(' ').next().unwrap();
    let next = place.run_on(&["service", "new", "--offline", "--resume", id, "--json"], rest);
    assert_eq!(next.code, 0, "{next:?}");
    assert!(!next.err.contains(STEPS[2].question) && next.err.contains(STEPS[3].question), "{next:?}");
    let again = place.run(&["service", "new", "--offline", "--resume", id, "--json"]);
    assert_eq!(again.json()["code_id"], next.json()["code_id"], "what is written is not written again");
}

#[test]
fn wrong_uses_are_said_in_one_line() {
    let place = Place::new();
    let empty = place.run_on(&["service", "new", "--offline"], "\n");
    assert_eq!((empty.code, empty.last_line()), (2, "error: the message is empty: answer the question"));
    let unknown = place.run(&["service", "new", "--offline", "--resume", "nothing"]);
    assert_eq!((unknown.code, unknown.last_line()), (1, "error: no such conversation"));
    let other = place.run_on(&["service", "new", "--offline"], &"load balancer\n".repeat(7));
    assert_eq!(other.code, 2);
    assert!(other.last_line().contains("offline there is one sample service"), "{other:?}");
    for id in ["nothing", "a/b"] {
        let done = place.run(&["service", "download", id, "-o", "out", "--offline"]);
        assert_ne!(done.code, 0, "{done:?}");
        assert!(done.last_line().starts_with("error: "), "{done:?}");
    }
}

/// The questions are the model's where it gives one, and its files are checked.
#[test]
fn questions_come_from_the_model_and_half_a_service_is_rejected() {
    let place = Place::new();
    let text =
        "```text question.txt\nWho pays for it?\n```\n\n```python backend_service.py\nvalue = 1\n```\n";
    let (_up, env) = answering(&place, text);
    let mut command = place.command(&["service", "new", "--json"]);
    command.envs(env);
    let done = on(command, &answers());
    assert_eq!(done.code, 3, "{done:?}");
    assert_eq!(done.json()["accepted"], false);
    assert!(done.last_line().contains(" · rejected · not stored"), "{done:?}");
}

/// A name that runs by itself costs nobody the files that were paid for: they are kept, and written without it when asked.
#[test]
fn a_refused_name_costs_neither_the_result_of_a_profile_nor_its_other_files() {
    let place = Place::new();
    let text = "```python tool.py\nvalue = 1\n```\n\n```json .vscode/tasks.json\n{\"tasks\": []}\n```\n";
    let (_up, env) = answering(&place, text);
    let own = "prompt = \"Write a tool for the editor.\"\nfiles = [\"tool.py\", \".vscode/tasks.json\"]\n\
               [[questions]]\ntitle = \"Name\"\nquestion = \"Which?\"\n";
    std::fs::write(place.work().join("own.toml"), own).unwrap();
    let run = |more: &[&str]| {
        let args = ["service", "new", "--profile", "own.toml", "-o", "out"];
        let mut command = place.command(&[&args, more].concat());
        command.envs(env.clone()).env("CLAUDE_CODE_AWS_STORE", "aws");
        on(command, "a name\n")
    };
    let refused = run(&[]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.err.contains(".vscode/tasks.json") && refused.err.contains("--skip-refused"),
        "{refused:?}"
    );
    assert!(refused.last_line().contains(" · stored "), "what was paid for is named: {refused:?}");
    assert!(!place.work().join("out").exists(), "all or nothing: {refused:?}");

    let rest = run(&["--skip-refused"]);
    assert_eq!(rest.code, 0, "{rest:?}");
    assert!(rest.err.contains(".vscode/tasks.json is not written"), "{rest:?}");
    assert_eq!(read(&place.work().join("out/tool.py")), "value = 1\n");
    assert!(!place.work().join("out/.vscode").exists(), "{rest:?}");
}

#[test]
fn a_file_that_no_service_has_is_not_kept_and_said() {
    let place = Place::new();
    let text = "```text question.txt\nWho pays for it?\n```\n\n```python backend_service.py\nvalue = 1\n```\n\n\
                ```json .vscode/tasks.json\n{\"tasks\": []}\n```\n";
    let (_up, env) = answering(&place, text);
    let mut command = place.command(&["service", "new", "--json"]);
    command.envs(env);
    let done = on(command, &answers());
    let told = done.json()["diagnostics"].as_array().unwrap().clone();
    let told: Vec<_> = told.iter().filter(|found| found["path"] == ".vscode/tasks.json").collect();
    assert!(told.iter().any(|found| found["severity"] == "warning"), "{done:?}");
    assert_eq!(done.json()["files"].as_array().unwrap().len(), 1, "{done:?}");
}

/// The writer gives its right back before the process ends.
#[cfg(unix)]
#[test]
fn what_ctrl_c_broke_off_goes_on_at_once() {
    use std::io::{BufRead, BufReader, Read};
    let place = Place::new();
    let steps = serde_json::json!({ "steps": [
        { "times": 6, "answer": { "text": "```text question.txt\nWho pays for it?\n```\n" } },
        { "faults": [{ "stall_at": 40 }] },
        { "times": 9, "answer": { "text": "```python backend_service.py\nvalue = 1\n```\n" } },
    ] });
    let script = place.write("script.json", &steps.to_string());
    let up = Up::start(&place, &["--answers", script.to_str().unwrap()]);
    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "aws");
        command
    };
    let mut first = command(&["service", "new"]);
    let mut child =
        first.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(answers().as_bytes()).unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("7 of 7") && lines.read_line(&mut told).unwrap() > 0 {}
    // Time to send its request.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
    lines.read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
    let id = told.lines().next().unwrap().rsplit(' ').next().unwrap();
    let next = on(command(&["service", "new", "--resume", id]), "");
    assert!(!next.err.contains("being written"), "{next:?}");
    assert_eq!(next.code, 3, "half a service, and no error: {next:?}");
    assert!(next.last_line().contains("1 file") && next.last_line().contains("stored "), "{next:?}");
}

fn on(mut command: std::process::Command, stdin: &str) -> Done {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    Done::of(child.wait_with_output().unwrap())
}
