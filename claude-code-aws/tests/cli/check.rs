use super::Place;

#[test]
fn tells_errors_of_files_by_place_and_exits_with_1() {
    let place = Place::new();
    place.write("a.py", "def f(:\n    pass\n");
    place.write("b/c.json", "{\"a\": 1}\n");
    place.write("node_modules/d.json", "{");
    let done = place.run(&["check", "."]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(done.out.starts_with("a.py:1:"), "{done:?}");
    assert!(done.err.contains("2 files: "), "{done:?}");
    assert_eq!(place.run(&["check", "b"]).code, 0);
    assert_eq!(place.run(&["check", "none"]).code, 2);
}

#[test]
fn gives_json_and_sarif() {
    let place = Place::new();
    place.write("a b.py", "import os\n\nos.getcwd(\n");
    let json = place.run(&["check", "a b.py", "--json"]).json();
    assert_eq!((&json["files"], &json["diagnostics"][0]["path"]), (&1.into(), &"a b.py".into()), "{json}");
    let done = place.run(&["check", "a b.py", "--sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&sarif["version"], &result["level"]), (&"2.1.0".into(), &"error".into()));
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20b.py");
}

#[test]
fn files_together_are_checked_for_what_is_between_them_and_alone_are_not() {
    let place = Place::new();
    place.write("a.py", "from store import save\n\nsave()\n");
    place.write("store.py", "def load(): ...\n");
    assert!(place.run(&["check", "."]).out.contains("which does not define it"));
    assert_eq!(place.run(&["check", ".", "--alone"]).code, 0);
}
