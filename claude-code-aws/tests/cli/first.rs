//! What a newcomer meets: examples, corrections, samples, short ids, colours.

use super::{Place, REVERSE};

const LONG: [(&str, &str); 3] = [
    ("fibonacci in rust", "Write a Rust function that returns the nth Fibonacci number."),
    ("PYTHON: validate e-mails!", "Write a Python function that validates email addresses."),
    ("a counter in React, please", "Write a React counter component with increment and decrement buttons."),
];

fn id_of(line: &str) -> String {
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn a_prompt_of_the_same_meaning_gets_the_sample_and_its_name() {
    let place = Place::new();
    for (prompt, sample) in LONG {
        let done = place.run(&["generate", prompt, "--offline"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.err.contains(&format!("sample for: {sample}")), "{done:?}");
        assert!(done.last_line().contains(" · $0 · sample answer · "), "{done:?}");
    }
}

#[test]
fn samples_lists_every_prompt_under_its_head_and_json_has_what_refines_it() {
    let place = Place::new();
    let done = place.run(&["samples"]);
    assert_eq!(done.code, 0, "{done:?}");
    let mut lines = done.out.lines();
    assert!(lines.next().unwrap().starts_with("LANGUAGE"), "{}", done.out);
    assert!(lines.count() >= 40, "{}", done.out);
    assert!(done.out.contains(REVERSE) && done.out.contains("refine: add a timeout"), "{}", done.out);
    let all = place.run(&["samples", "--json"]).json();
    let reverse = all.as_array().unwrap().iter().find(|sample| sample["prompt"] == REVERSE).unwrap();
    assert_eq!(reverse["refine"][0], "add tests");
}

#[test]
fn a_script_answers_any_command_and_a_dead_server_says_so_at_once() {
    let place = Place::new();
    place.write("script.json", r#"{"steps": [{"answer": {"text": "```python hi.py\nprint('hi')\n```"}}]}"#);
    let done = place.run(&["--answers", "script.json", "generate", "anything at all"]);
    assert_eq!((done.code, done.out.as_str()), (0, "print('hi')\n"), "{done:?}");
    // Nobody listens on port 1.
    for url in ["http://127.0.0.1:1", "http://127.0.0.1:1/v1"] {
        let begun = std::time::Instant::now();
        let done = place.run(&["generate", "anything", "--answers", url]);
        assert!([1, 2].contains(&done.code), "{done:?}");
        assert!(done.err.contains("127.0.0.1") && done.err.contains("refused"), "{done:?}");
        assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    }
}

#[test]
fn a_result_is_found_by_the_beginning_of_its_id_and_refined() {
    let place = Place::new();
    let done = place.run(&["generate", REVERSE, "--offline"]);
    let id = id_of(done.last_line());
    let shown = place.run(&["results", "show", &id[..13], "--offline"]);
    assert_eq!((shown.code, &shown.out), (0, &done.out), "{shown:?}");
    let refined = place.run(&["refine", &id[..13], "add tests", "--offline"]);
    assert_eq!(refined.code, 0, "{refined:?}");
    assert!(refined.out.contains("+++ b/test_reverse_string.py"), "{refined:?}");
    let many = place.run(&["results", "show", &id[..4], "--offline"]);
    assert!(many.code == 2 && many.err.contains("2 results begin with"), "{many:?}");
    let none = place.run(&["results", "show", "ffffffff", "--offline"]);
    assert!(none.code == 1 && none.err.contains("results list"), "{none:?}");
    let list = place.run(&["results", "list", "--offline"]);
    assert!(list.out.starts_with("ID ") && list.out.lines().count() == 3, "{list:?}");
}

#[test]
fn a_wrong_word_is_told_with_the_one_that_may_have_been_meant() {
    let place = Place::new();
    for (args, meant) in [
        (&["genrate", "x"][..], "generate"),
        (&["generate", "x", "--ofline"], "--offline"),
        (&["generate", "x", "--tier", "smiple"], "simple"),
        (&["generate", "x", "--offline", "-m", "sonet"], "did you mean sonnet?"),
    ] {
        let done = place.run(args);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.err.contains(meant) && done.err.lines().count() == 1, "{done:?}");
    }
}

#[test]
fn help_ends_with_examples_and_completions_know_the_commands() {
    let place = Place::new();
    for command in
        ["generate", "refactor", "refine", "batch", "check", "results", "twin", "serve", "completions"]
    {
        let help = place.run(&[command, "--help"]);
        assert!(help.out.contains("Examples:\n  claude-code-aws "), "{command}: {help:?}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("refactor"), "{shell}: {}", script.code);
    }
}

#[test]
fn quiet_says_nothing_but_errors_and_verbose_says_each_attempt() {
    let place = Place::new();
    let quiet = place.run(&["-q", "generate", "fibonacci in rust", "--offline"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""), "{quiet:?}");
    let failed = place.run(&["-q", "generate", "", "--offline"]);
    assert!(failed.code == 2 && failed.err.starts_with("error: "), "{failed:?}");
    let verbose = place.run(&["-v", "generate", "a stack in python", "--offline"]);
    for part in ["tier: ", "attempt: repair by ", "receipt: answer: ", "receipt: sample answer, not billed: "]
    {
        assert!(verbose.err.contains(part), "{part}: {verbose:?}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let place = Place::new();
    let shipping = include_str!("../../../examples/shipping.py");
    place.write("shipping.py", shipping);
    let wish = ["refactor", "shipping.py", "-i", "replace the nested ifs by early returns", "--offline"];
    assert!(!place.run(&wish).out.contains('\u{1b}'));
    let forced = place.run_with(&wish, &[("CLICOLOR_FORCE", "1")]);
    assert!(forced.out.contains("\u{1b}[32m+") && forced.out.contains("\u{1b}[31m-"), "{forced:?}");
    let none = place.run_with(&wish, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert!(!none.out.contains('\u{1b}'), "{none:?}");
    let error = place.run_with(&["generate", "", "--offline"], &[("CLICOLOR_FORCE", "1")]);
    assert!(error.err.starts_with("\u{1b}[31m"), "{error:?}");
}

#[test]
fn the_configuration_file_stands_below_the_environment_and_says_what_is_wrong() {
    let place = Place::new();
    let path = place.run(&["config", "path"]).out;
    assert!(path.ends_with(".config/claude-code-aws/config.toml\n"), "{path}");
    let path = std::path::PathBuf::from(path.trim());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "max_usd_per_request = \"0.00000001\"\nserve_token = \"0123456789abcdef\"\n")
        .unwrap();
    assert_eq!(place.run(&["generate", REVERSE, "--offline"]).code, 4, "the file's cap holds");
    let wins = [("CLAUDE_CODE_AWS_MAX_USD_PER_REQUEST", "1")];
    assert_eq!(place.run_with(&["generate", REVERSE, "--offline"], &wins).code, 0);
    let shown = place.run_with(&["config", "show"], &[("CLAUDE_CODE_AWS_MODEL_ID", "haiku")]).out;
    let row = |name: &str| {
        shown.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(row("max_usd_per_request")[1..], ["0.00000001", "file"]);
    assert_eq!(row("model_id")[1..], ["haiku", "environment"]);
    assert_eq!(row("serve_token")[1..], ["(set)", "file"]);
    assert_eq!(row("max_sends")[1..], ["-", "default"]);
    std::fs::write(&path, "modle_id = \"haiku\"\n").unwrap();
    let wrong = place.run(&["budget", "--offline"]);
    assert!(wrong.code == 2 && wrong.err.contains("there is no setting \"modle_id\""), "{wrong:?}");
    // A folder has no say.
    place.write("config.toml", "model_id = 5");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(place.run(&["generate", REVERSE, "--offline"]).code, 0);
}
