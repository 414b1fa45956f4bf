use super::run::read;
use super::{PALINDROME, Place, REVERSE};

#[test]
fn results_are_listed_shown_downloaded_and_erased() {
    let place = Place::new();
    let first = place.run(&["generate", REVERSE, "--offline", "--json"]).json();
    let second = place.run(&["generate", PALINDROME, "--offline", "--json"]).json();
    let (first, second) = (first["id"].as_str().unwrap(), second["id"].as_str().unwrap());

    let list = place.run(&["results", "list", "--offline"]);
    let ids: Vec<&str> = list.out.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(ids, [second, first], "newest first: {list:?}");
    assert!(list.out.lines().next().unwrap().contains("COST") && list.out.contains(" $0 "), "{list:?}");
    assert_eq!(place.run(&["results", "list", "-l", "go", "--offline"]).out, "");
    let limited = place.run(&["results", "list", "--limit", "1", "--json", "--offline"]).json();
    assert_eq!(limited["items"].as_array().unwrap().len(), 1);
    assert_eq!(limited["items"][0]["total_usd"], "0", "a sample answer");

    let shown = place.run(&["results", "show", first, "--offline"]);
    assert!(shown.out.contains("def reverse_string") && shown.last_line().contains(first), "{shown:?}");
    let down = place.run(&["results", "download", second, "-o", "got", "--offline"]);
    assert_eq!(down.code, 0, "{down:?}");
    for path in down.out.lines() {
        assert!(!read(&place.work().join(path)).is_empty());
    }

    assert_eq!(place.run(&["results", "rm", first, "--offline"]).code, 0);
    let gone = place.run(&["results", "show", first, "--offline"]);
    assert_eq!(gone.code, 1, "{gone:?}");
    assert!(gone.err.starts_with("error: no result"), "{gone:?}");
    let again = place.run(&["generate", REVERSE, "--offline", "--json"]).json();
    assert!(again["cached"].is_null() && again["id"] != first, "an erased result is not served on");
}

#[test]
fn the_budget_shows_the_cap_and_what_is_left() {
    let place = Place::new();
    let json = place.run_with(&["budget", "--json"], &[("CLAUDE_CODE_AWS_MAX_USD_PER_DAY", "2.5")]).json();
    assert_eq!((&json["cap"], &json["spent"]), (&"2.5".into(), &"0".into()));
    assert!(json["resets_at"].as_str().unwrap().ends_with("T00:00:00.000Z"));
    assert!(place.run(&["budget"]).out.contains("spent today"));
}

#[test]
fn a_stop_that_nobody_would_see_is_refused() {
    let place = Place::new();
    for action in ["stop", "resume"] {
        let done = place.run_with(&["budget", action], &[("CLAUDE_CODE_AWS_STORE", "none")]);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.err.contains("CLAUDE_CODE_AWS_STORE is none"), "{done:?}");
        assert_eq!(place.run(&["budget", action]).code, 0);
    }
}

#[test]
fn a_damaged_database_is_set_aside_and_told() {
    let place = Place::new();
    assert_eq!(place.run(&["generate", REVERSE, "--offline"]).code, 0);
    let database = place.path("data").join("s3.sqlite");
    std::fs::write(&database, "not a database at all").unwrap();
    for side in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.path("data").join(format!("s3.sqlite{side}")));
    }
    let done = place.run(&["generate", PALINDROME, "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.err.starts_with("warning: the local database s3.sqlite is damaged"), "{done:?}");
    assert!(done.last_line().contains("stored "), "{done:?}");
    let names = std::fs::read_dir(place.path("data")).unwrap();
    let kept = names.filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("s3.sqlite.damaged-")
    });
    assert_eq!(kept.count(), 1);
}

#[test]
fn a_sweep_leaves_results_alone_and_says_what_it_saw() {
    let place = Place::new();
    assert_eq!(place.run(&["generate", REVERSE, "--offline"]).code, 0);
    for arguments in [&["results", "sweep", "--dry-run", "--offline"][..], &["results", "sweep", "--offline"]]
    {
        let swept = place.run(arguments);
        assert_eq!((swept.code, swept.out.as_str()), (0, ""), "{swept:?}");
        assert!(
            swept.err.contains("2 objects: 0 ") && swept.err.contains("2 younger than a day"),
            "{swept:?}"
        );
    }
    assert_eq!(place.run(&["results", "list", "--offline"]).out.lines().count(), 2, "the head and one row");
}
