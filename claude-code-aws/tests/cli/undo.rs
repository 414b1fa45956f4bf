use super::Place;
use super::run::read;

const ASK: &str =
    "Refactor shipping.py: replace the nested ifs by early returns, without changing what it does.";
const BEFORE: &str = "def shipping_cost(order):\n    if order:\n        return 1\n    return None\n";

#[test]
fn the_last_write_is_undone_once() {
    let place = Place::new();
    let file = place.write("shipping.py", BEFORE);
    let done = place.run(&["refactor", "shipping.py", "-i", ASK, "--write", "--offline"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_ne!(read(&file), BEFORE);
    let undone = place.run(&["undo"]);
    assert_eq!((undone.code, read(&file).as_str()), (0, BEFORE), "{undone:?}");
    assert!(undone.err.contains("undone: 1 file"), "{undone:?}");
    let again = place.run(&["undo", "--json"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!(again.json()["error"]["kind"], "not_found");
}

#[test]
fn a_file_that_was_changed_since_is_left_alone() {
    let place = Place::new();
    let file = place.write("shipping.py", BEFORE);
    place.run(&["refactor", "shipping.py", "-i", ASK, "--write", "--offline"]);
    std::fs::write(&file, "mine").unwrap();
    let undone = place.run(&["undo"]);
    assert_eq!((undone.code, read(&file).as_str()), (1, "mine"), "{undone:?}");
    assert!(undone.err.contains("changed since"), "{undone:?}");
}
