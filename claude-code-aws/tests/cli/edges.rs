use super::{Place, REVERSE};

fn is_one_error_line(err: &str) -> bool {
    err.starts_with("error: ") && err.lines().count() == 1
}

#[test]
fn an_unknown_prompt_ends_with_2_and_names_the_nearest_sample_and_three_ways_to_a_model() {
    let done = Place::new().run(&["generate", "Write a Python function that reverses a list.", "--offline"]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{done:?}");
    assert!(done.err.lines().any(|line| line == REVERSE), "a line to paste: {done:?}");
    for way in ["AWS credentials", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"] {
        assert!(done.err.contains(way), "{way}: {done:?}");
    }
}

#[test]
fn what_cannot_be_used_ends_with_2_and_one_line() {
    let place = Place::new();
    let cases: [&[&str]; 8] = [
        &["generate", REVERSE, "--offline", "--no-such-flag"],
        &["generate", "", "--offline"],
        &["generate", REVERSE, "--offline", "--tier", "huge"],
        &["generate", REVERSE, "--offline", "--max-usd", "much"],
        &["generate", REVERSE, "--offline", "--temperature", "7"],
        &["generate", REVERSE, "--offline", "--file", "no-such-file.py"],
        &["generate", REVERSE, "--offline", "--overwrite"],
        &["refactor", "a.py"],
    ];
    for args in cases {
        let done = place.run(args);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{args:?}: {done:?}");
        assert!(is_one_error_line(&done.err), "{args:?}: {done:?}");
    }
}

#[test]
fn a_cap_that_one_send_could_pass_ends_with_4() {
    let done = Place::new().run(&["generate", REVERSE, "--offline", "--max-usd", "0.00000001"]);
    assert_eq!(done.code, 4, "{done:?}");
    assert!(is_one_error_line(&done.err), "{done:?}");
}

#[test]
fn a_retired_model_ends_with_1_and_its_successor() {
    let model = "anthropic.claude-3-5-sonnet-20241022-v2:0";
    let done = Place::new().run(&["generate", REVERSE, "--offline", "-m", model]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(is_one_error_line(&done.err) && done.err.contains("successor"), "{done:?}");
}

#[test]
fn an_error_is_a_json_value_too() {
    let done = Place::new().run(&["generate", "", "--offline", "--json"]);
    assert_eq!(done.code, 2);
    assert_eq!(done.json()["error"]["kind"], "invalid_request");
}

#[test]
fn arguments_that_cannot_be_read_are_a_json_value_too() {
    let done = Place::new().run(&["generate", "--json", "--tier", "giant", REVERSE]);
    assert_eq!(done.code, 2, "{done:?}");
    assert_eq!(done.json()["error"]["kind"], "invalid_request");
    assert!(done.json()["error"]["message"].as_str().unwrap().contains("giant"), "{done:?}");
    assert!(is_one_error_line(&done.err), "{done:?}");
}

#[test]
fn a_language_that_nobody_knows_is_a_warning() {
    let place = Place::new();
    place.write("script.json", r#"{"steps": [{"answer": {"text": "```cobol hello.cob\nSTOP RUN.\n```"}}]}"#);
    let done = place.run(&["generate", REVERSE, "--answers", "script.json", "-l", "cobol", "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    let warnings = done.json()["warnings"].to_string();
    assert!(warnings.contains("cobol") && warnings.contains("not checked"), "{warnings}");
}

#[test]
fn a_bad_variable_is_named() {
    let done = Place::new().run_with(&["budget"], &[("CLAUDE_CODE_AWS_MAX_SENDS", "many")]);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(done.err.contains("CLAUDE_CODE_AWS_MAX_SENDS"), "{done:?}");
}

#[test]
fn help_and_version_go_to_stdout() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    assert_eq!(help.code, 0);
    for command in ["generate", "refactor", "results", "models", "cost", "budget", "doctor", "twin"] {
        assert!(help.out.contains(command), "{command}: {help:?}");
    }
    assert!(place.run(&["--version"]).out.starts_with("claude-code-aws "));
}

#[test]
fn doctor_works_offline_and_says_how_to_begin_without_an_account() {
    let place = Place::new();
    let offline = place.run(&["doctor", "--offline"]);
    assert_eq!(offline.code, 0, "{offline:?}");
    assert!(
        offline.out.lines().all(|line| line.starts_with("ok") || line.starts_with("note")),
        "{offline:?}"
    );
    let none = place.run(&["doctor"]);
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.out.contains("fix   credentials"), "{none:?}");
    assert!(none.err.contains("--offline"), "{none:?}");
}

#[test]
fn models_and_cost_are_told_without_any_account() {
    let place = Place::new();
    let models = place.run(&["models", "list", "--json"]).json();
    assert!(models["models"].as_array().unwrap().len() >= 10);
    assert_eq!(place.run(&["models", "check"]).code, 0);
    let old = [("CLAUDE_CODE_AWS_MODEL_ID", "anthropic.claude-3-5-sonnet-20241022-v2:0")];
    assert_eq!(place.run_with(&["models", "check"], &old).code, 1);
    let cost = place.run(&["cost", "--per-month", "1000"]);
    assert_eq!(cost.code, 0);
    for line in ["Lambda", "API Gateway", "DynamoDB", "S3", "Claude Opus 5.5", "total", "assumed"] {
        assert!(cost.out.contains(line), "{line}: {cost:?}");
    }
}

#[test]
fn a_proxy_that_is_not_there_is_hinted_at_and_its_password_is_not_told() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://somebody:canary@{closed}/");
    let env = [
        ("HTTPS_PROXY", proxy.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_REGION", "eu-west-1"),
        ("CLAUDE_CODE_AWS_STORE", "none"),
    ];
    let done = Place::new().run_with(&["generate", "reverse a string", "--max-sends", "1"], &env);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.err.contains("bedrock-runtime.eu-west-1.amazonaws.com") && done.err.contains("proxy"),
        "{done:?}"
    );
    assert!(!format!("{done:?}").contains("canary"), "{done:?}");
}

#[test]
fn a_dry_run_has_the_tokens_counted_where_that_is_asked_and_says_where_it_could_not() {
    let place = Place::new();
    let plain = place.run(&["generate", REVERSE, "--offline", "--dry-run", "--json"]);
    assert_eq!((plain.code, plain.json()["counted"].as_bool()), (0, Some(false)), "{plain:?}");
    assert!(plain.err.is_empty(), "nobody asked: {plain:?}");
    let asked = place.run(&["generate", REVERSE, "--offline", "--dry-run", "--count"]);
    assert!(asked.code == 0 && asked.err.contains("tokens are estimated"), "{asked:?}");
    assert!(asked.out.contains("about "), "{asked:?}");
    let alone = place.run(&["generate", REVERSE, "--offline", "--count"]);
    assert_eq!((alone.code, alone.err.contains("--dry-run")), (2, true), "{alone:?}");
}

#[test]
fn a_retry_is_told_on_one_line_with_its_cause_and_the_time_that_is_left() {
    let place = Place::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let done = place.run_with(
        &["generate", "a queue", "--no-store"],
        &[
            ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
            ("ANTHROPIC_API_KEY", "a-key"),
            ("ANTHROPIC_BASE_URL", &format!("http://{closed}")),
            ("CLAUDE_CODE_AWS_RECONNECT_SECONDS", "1"),
        ],
    );
    let told: Vec<&str> = done.err.lines().filter(|line| line.contains("refused the connection")).collect();
    let (error, retries) = told.split_last().unwrap();
    assert!(done.code == 1 && error.starts_with("error: "), "{done:?}");
    assert!(!retries.is_empty(), "{done:?}");
    for line in retries {
        assert!(
            line.contains("again in") && line.contains("s left") && !line.contains("warning"),
            "{done:?}"
        );
    }
}
