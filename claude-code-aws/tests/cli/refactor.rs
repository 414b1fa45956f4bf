use super::Place;
use super::run::read;

const ASK: &str =
    "Refactor shipping.py: replace the nested ifs by early returns, without changing what it does.";
const BEFORE: &str = "def shipping_cost(order):\n    if order:\n        return 1\n    return None\n";

#[test]
fn prints_the_diff_and_changes_nothing_unasked() {
    let place = Place::new();
    let file = place.write("shipping.py", BEFORE);
    let done = place.run(&["refactor", "shipping.py", "-i", ASK, "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.starts_with("--- a/shipping.py\n+++ b/shipping.py\n@@ "), "{done:?}");
    assert!(done.out.contains("\n-    if order:\n"), "{done:?}");
    assert_eq!(read(&file), BEFORE);
    let json = place.run(&["refactor", "shipping.py", "-i", ASK, "--offline", "--json"]).json();
    assert_eq!(json["diff"].as_str().unwrap(), done.out);
}

#[cfg(unix)]
#[test]
fn applies_it_when_asked_and_keeps_the_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let file = place.write("../elsewhere/shipping.py", BEFORE).canonicalize().unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o750)).unwrap();
    // Outside of the current directory the model sees the file's own name.
    let given = file.to_str().unwrap();
    let done = place.run(&["refactor", given, "-i", ASK, "--write", "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(read(&file).contains("FREE_FROM_CENTS"), "{done:?}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_file_below_the_current_directory_is_written_where_it_was() {
    let place = Place::new();
    let file = place.write("deep/shipping.py", BEFORE);
    let done = place.run(&["refactor", "deep/shipping.py", "-i", ASK, "--write", "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.starts_with("--- a/deep/shipping.py\n"), "{done:?}");
    assert!(read(&file).contains("FREE_FROM_CENTS"), "{done:?}");
}

#[test]
fn two_files_of_one_name_are_refused() {
    let place = Place::new();
    place.write("../a/x.py", BEFORE);
    place.write("../b/x.py", BEFORE);
    let ways: [&[&str]; 2] = [
        &["refactor", "../a/x.py", "../b/x.py", "-i", ASK],
        &["generate", ASK, "--file", "../a/x.py", "--file", "../b/x.py"],
    ];
    for way in ways {
        let done = place.run(&[way, &["--offline"]].concat());
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.err.contains("a directory above both"), "{done:?}");
    }
}
