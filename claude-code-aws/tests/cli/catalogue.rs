//! Models and prices of one's own, from a JSON file that the environment names.

use serde_json::Value;

use crate::{Done, Place};

const OWN: &str = r#"{"models": [
    {"api_id": "claude-sonnet-5-5", "prices": {"global": {"input": "1.80"}}},
    {"api_id": "house-coder-2", "like": "claude-haiku-5-5",
     "prices": {"global": {"input": "0.30", "output": "1.20", "cache_read": "0.03", "cache_write_5m": "0.375"}}}]}"#;

/// Runs a command with this catalogue.
fn with(json: &str, command: &[&str]) -> Done {
    let place = Place::new();
    let path = place.path("own.json");
    std::fs::write(&path, json).unwrap();
    Done::of(place.command(command).env("CLAUDE_CODE_AWS_CATALOGUE", &path).output().unwrap())
}

#[test]
fn models_and_costs_go_by_the_catalogue_of_ones_own() {
    let listed: Value = serde_json::from_str(&with(OWN, &["models", "list", "--json"]).out).unwrap();
    let price = |name: &str| {
        let models = listed["models"].as_array().unwrap();
        let model = models.iter().find(|model| model["name"] == name).unwrap_or_else(|| panic!("{name}"));
        model["usd_per_million_input_tokens"].as_str().map(str::to_owned)
    };
    assert_eq!(price("Claude Sonnet 5.5").as_deref(), Some("1.8"));
    assert_eq!(price("house-coder-2").as_deref(), Some("0.3"));
    assert_eq!(price("Claude Opus 5.5").as_deref(), Some("4"));
    assert!(listed["as_of"].as_str().unwrap().ends_with("+own"));
    // 2,000 tokens in and 8,000 out, a thousand times: 2 million at $1.80 and 8 million at $10.
    let bill: Value =
        serde_json::from_str(&with(OWN, &["cost", "--model", "sonnet", "--per-month", "1000", "--json"]).out)
            .unwrap();
    assert_eq!(bill["lines"][0]["usd"], "83.6");
    let doctor = with(OWN, &["--offline", "doctor"]);
    assert!(doctor.out.contains("+own"), "{doctor:?}");
}

#[test]
fn an_estimate_is_made_with_it() {
    let done = with(OWN, &["--offline", "generate", "--dry-run", "-m", "house-coder-2", "--json", "a value"]);
    let estimate: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
    assert!(estimate["worst_usd"].is_string(), "{done:?}");
}

#[test]
fn a_file_that_cannot_be_used_is_one_clear_error() {
    for (json, told) in [
        ("{", "no JSON object that is a catalogue"),
        (r#"{"models": [{"api_id": "x"}]}"#, "model x: it is new"),
        (r#"{"models": [{"api_id": "claude-sonnet-5-5", "price": {}}]}"#, "unknown field price"),
    ] {
        let done = with(json, &["models", "list"]);
        assert!(done.code != 0 && done.out.is_empty(), "{done:?}");
        let errors: Vec<&str> = done.err.lines().filter(|line| !line.is_empty()).collect();
        assert!(errors.len() == 1 && errors[0].contains(told), "{done:?}");
        assert!(
            errors[0].contains("CLAUDE_CODE_AWS_CATALOGUE=") && errors[0].contains("own.json"),
            "{done:?}"
        );
    }
    let place = Place::new();
    let missing = place.command(&["models", "list"]).env("CLAUDE_CODE_AWS_CATALOGUE", "none.json").output();
    let done = Done::of(missing.unwrap());
    assert!(
        done.code != 0 && done.err.contains("none.json") && done.err.contains("cannot be read"),
        "{done:?}"
    );
}
