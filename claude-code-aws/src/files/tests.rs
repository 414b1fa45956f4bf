//! What a write replaces can be had back: after an error, after a kill, and on demand.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use claude_code_core::{Clock, CodeFile, ErrorKind, Language};
use tempfile::TempDir;

use super::write::{Batch, WriteOptions, write_batches, write_to};
use super::write_journal::WriteJournal;

fn file(path: &str, content: &str) -> CodeFile {
    let (path, language) = (Some(path.to_owned()), Language::text());
    CodeFile { path, language, content: content.to_owned(), complete: true, rejected: None }
}

fn options(state: &Path, result: &str) -> WriteOptions {
    let journal = Some(WriteJournal::new(state, Some(result)));
    WriteOptions { overwrite: true, journal, ..WriteOptions::default() }
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_else(|_| "(none)".to_owned())
}

#[test]
fn an_undo_brings_back_what_was_replaced_and_takes_away_what_was_new() {
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(root.path().join("a.txt"), "old").unwrap();
    let files = [file("a.txt", "new"), file("b.txt", "new")];
    write_to(&files, root.path(), options(state.path(), "id")).unwrap();
    assert_eq!(
        WriteJournal::new(state.path(), Some("other")).undo().unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let undone = WriteJournal::new(state.path(), None).undo().unwrap();
    assert_eq!((undone.restored.len(), undone.left.len(), undone.result.as_deref()), (2, 0, Some("id")));
    assert_eq!(
        (read(root.path().join("a.txt")), read(root.path().join("b.txt"))),
        ("old".into(), "(none)".into())
    );
    assert_eq!(WriteJournal::new(state.path(), None).undo().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_undo_leaves_alone_what_was_changed_since() {
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(root.path().join("a.txt"), "old").unwrap();
    write_to(&[file("a.txt", "new")], root.path(), options(state.path(), "id")).unwrap();
    fs::write(root.path().join("a.txt"), "mine").unwrap();
    let undone = WriteJournal::new(state.path(), None).undo().unwrap();
    assert_eq!((undone.restored.len(), undone.left.len()), (0, 1));
    assert_eq!(read(root.path().join("a.txt")), "mine");
}

#[test]
fn a_write_that_was_killed_is_taken_back_wherever_it_stopped() {
    for done in 0..=2 {
        let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let places = [root.path().join("a.txt"), root.path().join("b.txt")];
        fs::write(&places[0], "old").unwrap();
        let journal = WriteJournal::new(state.path(), Some("id"));
        let planned: Vec<(PathBuf, &str)> = places.iter().map(|place| (place.clone(), "new")).collect();
        let open = journal.begin(&planned, vec![root.path().to_owned()]).unwrap();
        places[..done].iter().for_each(|place| fs::write(place, "new").unwrap());
        let stage = root.path().join(format!(".claude-code-aws-{}-0", std::process::id()));
        fs::create_dir(&stage).unwrap();
        assert!(journal.recover().is_empty(), "its process still lives");
        drop(open);
        assert_eq!(journal.recover().len(), 1);
        assert_eq!(
            (read(places[0].clone()), read(places[1].clone())),
            ("old".into(), "(none)".into()),
            "{done}"
        );
        assert!(!stage.exists() && journal.recover().is_empty());
    }
}

#[test]
fn an_error_in_a_later_directory_takes_back_the_earlier_ones() {
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let dirs = ["one", "two"].map(|name| root.path().join(name));
    dirs.iter().for_each(|dir| fs::create_dir(dir).unwrap());
    fs::write(dirs[0].join("a.txt"), "old").unwrap();
    fs::create_dir(dirs[1].join("b.txt")).unwrap();
    let batch = |dir: &PathBuf, name: &str| Batch {
        dir: dir.clone(),
        files: vec![file(name, "new")],
        overwrite: true,
        are_given: true,
    };
    let batches = [batch(&dirs[0], "a.txt"), batch(&dirs[1], "b.txt")];
    assert_eq!(
        write_batches(&batches, &options(state.path(), "id")).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(read(dirs[0].join("a.txt")), "old");
}

#[test]
fn a_file_does_not_lose_most_of_what_it_holds_unasked() {
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let two: String = (0..9).map(|n| format!("    v{n} = {n}\n")).collect();
    let code = &format!("def one():\n    return 1\n\n\ndef two():\n{two}    return v1\n");
    fs::write(root.path().join("a.py"), code).unwrap();
    let short = [file("a.py", "def one():\n    return 1\n")];
    let error = write_to(&short, root.path(), options(state.path(), "id")).unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("--yes"), "{error}");
    assert_eq!(&read(root.path().join("a.py")), code);
    let named = WriteOptions { asked: "Remove two.".to_owned(), ..options(state.path(), "id") };
    write_to(&short, root.path(), named).unwrap();
    fs::write(root.path().join("a.py"), code).unwrap();
    let allowed = WriteOptions { allow_shrink: true, ..options(state.path(), "id") };
    write_to(&short, root.path(), allowed).unwrap();
}

#[test]
fn what_is_kept_goes_after_seven_days_and_beyond_the_bound_the_oldest_first() {
    const DAY: i64 = 24 * 3600 * 1000;
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let place = root.path().join("a.txt");
    fs::write(&place, "0".repeat(1000)).unwrap();
    for number in 1..=4 {
        let content = number.to_string().repeat(1000);
        write_to(&[file("a.txt", &content)], root.path(), options(state.path(), &number.to_string()))
            .unwrap();
    }
    let journal = WriteJournal::new(state.path(), None);
    let kept = || fs::read_dir(state.path().join("writes")).unwrap().count();
    let now = crate::clock::SystemClock.now().0;
    journal.prune(now + 7 * DAY - 60_000, 200_000_000);
    assert_eq!(kept(), 4);
    // A write is its old content of 1000 bytes and its record of some hundreds.
    journal.prune(now, 4000);
    assert!((2..4).contains(&kept()), "{}", kept());
    journal.prune(now + 8 * DAY, 200_000_000);
    assert_eq!(kept(), 1, "the newest is kept in any case");
    journal.prune(now, 10);
    let undone = journal.undo().unwrap();
    assert_eq!((undone.result.as_deref(), read(place)), (Some("4"), "3".repeat(1000)));
}

#[cfg(unix)]
#[test]
fn a_replaced_file_keeps_its_mode_and_what_is_kept_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let (root, state) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let place = root.path().join("a.txt");
    fs::write(&place, "old").unwrap();
    fs::set_permissions(&place, fs::Permissions::from_mode(0o751)).unwrap();
    write_to(&[file("a.txt", "new")], root.path(), options(state.path(), "id")).unwrap();
    assert_eq!(mode(&place), 0o751);
    let writes = state.path().join("writes");
    assert_eq!(mode(&writes), 0o700);
    let write = fs::read_dir(&writes).unwrap().next().unwrap().unwrap().path();
    for kept in fs::read_dir(&write).unwrap().flatten() {
        assert_eq!(mode(&kept.path()), 0o600, "{kept:?}");
    }
    WriteJournal::new(state.path(), None).undo().unwrap();
    assert_eq!((mode(&place), read(place)), (0o751, "old".to_owned()));
}

#[test]
fn new_files_are_written_where_nothing_can_be_kept_and_others_are_not() {
    let root = TempDir::new().unwrap();
    let state = root.path().join("state");
    fs::write(&state, "no directory").unwrap();
    write_to(&[file("a.txt", "new")], root.path(), options(&state, "id")).unwrap();
    let error = write_to(&[file("a.txt", "newer")], root.path(), options(&state, "id")).unwrap_err();
    assert_eq!((error.kind(), read(root.path().join("a.txt"))), (ErrorKind::Storage, "new".to_owned()));
}
