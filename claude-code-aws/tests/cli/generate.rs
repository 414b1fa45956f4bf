use super::run::read;
use super::{PALINDROME, Place, REVERSE};

#[test]
fn code_comes_on_stdout_and_one_line_about_it_on_stderr() {
    let done = Place::new().run(&["generate", REVERSE, "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("def reverse_string") && !done.out.contains("==>"), "{done:?}");
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
    let parts: Vec<&str> = done.last_line().split(" · ").collect();
    assert_eq!(parts[1], "1 file", "{done:?}");
    assert!(parts[2].ends_with(" tokens") && parts[3] == "$0" && parts[4] == "sample answer", "{done:?}");
    assert!(parts[5].starts_with("stored "), "{done:?}");
}

#[test]
fn several_files_come_each_under_a_line_with_its_path() {
    let done = Place::new().run(&["--offline", "generate", PALINDROME]);
    assert_eq!(done.code, 0, "{done:?}");
    let headers = done.out.lines().filter(|line| line.starts_with("==> ") && line.ends_with(" <=="));
    assert!(headers.count() >= 2, "{done:?}");
}

#[test]
fn the_prompt_comes_from_stdin_where_it_is_a_dash_or_missing() {
    let place = Place::new();
    for args in [&["generate", "-", "--offline"][..], &["generate", "--offline"]] {
        let done = place.run_on(args, REVERSE);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.out.contains("def reverse_string"));
    }
}

#[test]
fn json_is_the_result_schema() {
    let done = Place::new().run(&["generate", REVERSE, "--offline", "--json"]);
    assert_eq!(done.code, 0, "{done:?}");
    let value = done.json();
    let keys = [
        "id",
        "accepted",
        "language",
        "files",
        "text",
        "model",
        "tier",
        "tier_reason",
        "stop_reason",
        "usage",
        "receipt",
        "attempts",
        "diagnostics",
        "warnings",
        "cached",
        "stored",
        "s3_key",
        "generated_at",
    ];
    for key in keys {
        assert!(value.get(key).is_some(), "{key} is missing: {value}");
    }
    assert_eq!(value.get("prompt"), None, "what was asked is not part of it");
    for key in ["path", "language", "size", "sha256", "complete", "content"] {
        assert!(value["files"][0].get(key).is_some(), "files[0].{key} is missing");
    }
    assert_eq!(value["receipt"]["total_usd"], "0");
    assert_eq!((&value["accepted"], &value["stored"]), (&true.into(), &true.into()));
}

#[test]
fn files_are_written_below_a_directory_and_never_over_others_unasked() {
    let place = Place::new();
    let args = ["generate", PALINDROME, "--offline", "-o", "out"];
    let first = place.run(&args);
    assert_eq!(first.code, 0, "{first:?}");
    for path in first.out.lines() {
        assert!(!read(&place.work().join(path)).is_empty(), "{path}");
    }
    assert!(first.out.lines().count() >= 2);
    let again = place.run(&args);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.starts_with("error: ") && again.err.contains("exists"), "{again:?}");
    assert!(again.err.contains("results download "), "what was paid for is named: {again:?}");
    let over = place.run(&[&args[..], &["--overwrite"]].concat());
    assert_eq!(over.code, 0, "{over:?}");
}

#[test]
fn a_second_equal_request_is_served_from_the_cache_and_says_so() {
    let place = Place::new();
    let first = place.run(&["generate", REVERSE, "--offline", "--json"]).json();
    let second = place.run(&["generate", REVERSE, "--offline"]);
    assert!(second.last_line().contains(" · cached "), "{second:?}");
    assert!(second.last_line().contains(first["id"].as_str().unwrap()), "{second:?}");
    let off = place.run(&["generate", REVERSE, "--offline", "--cache", "off"]);
    assert!(!off.last_line().contains("cached"), "{off:?}");
}

#[test]
fn what_is_not_stored_says_so() {
    let place = Place::new();
    let done = place.run(&["generate", REVERSE, "--offline", "--no-store"]);
    assert!(done.last_line().ends_with(" · not stored, as asked"), "{done:?}");
    assert_eq!(done.code, 0);
}

#[test]
fn a_dry_run_tells_tier_model_and_ceiling_and_touches_nothing() {
    let place = Place::new();
    let done = place.run(&["generate", "any prompt at all", "--dry-run"]);
    assert_eq!(done.code, 0, "{done:?}");
    for word in ["tier", "why", "model", "at most  $"] {
        assert!(done.out.contains(word), "{word}: {done:?}");
    }
    assert!(!place.path("data").exists(), "nothing is opened");
    let json =
        place.run(&["generate", "any prompt at all", "--dry-run", "--json", "--tier", "complex"]).json();
    assert_eq!(json["tier"], "complex");
    assert!(json["worst_usd"].as_str().unwrap().parse::<f64>().unwrap() > 0.0);
}
