//! Files land below their root, all or none, whatever else happens there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use claude_code_aws::files::read::name_of;
use claude_code_aws::files::write::{WriteOptions, write_to};
use claude_code_core::{CodeFile, ErrorKind, Language};
use tempfile::TempDir;

fn overwriting() -> WriteOptions {
    WriteOptions { overwrite: true, ..WriteOptions::default() }
}

fn file(path: &str, content: &str) -> CodeFile {
    CodeFile {
        path: Some(path.to_owned()),
        language: Language::from_path(path).unwrap_or_else(Language::text),
        content: content.to_owned(),
        complete: true,
        rejected: None,
    }
}

fn unnamed(rejected: Option<&str>) -> CodeFile {
    CodeFile { path: None, rejected: rejected.map(str::to_owned), ..file("x.py", "x = 1\n") }
}

/// Everything below a directory, files with their content.
fn tree(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.push(format!("{name}/"));
            found.extend(tree(&entry.path()).into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            found.push(format!("{name}={}", fs::read_to_string(entry.path()).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

fn kind(files: &[CodeFile], dir: &Path, options: WriteOptions) -> ErrorKind {
    let error = write_to(files, dir, options).unwrap_err();
    assert!(!error.message().contains('\n'), "{error}");
    error.kind()
}

#[test]
fn writes_files_with_their_directories_and_names_them() {
    let root = TempDir::new().unwrap();
    let dir = root.path().join("new/out");
    let paths = write_to(&[file("src/a.py", "a"), file("b.md", "b")], &dir, WriteOptions::default()).unwrap();
    assert_eq!(paths, [dir.join("src/a.py"), dir.join("b.md")]);
    assert_eq!(tree(&dir), ["b.md=b", "src/", "src/a.py=a"]);
}

#[cfg(unix)]
#[test]
fn files_have_the_mode_0644() {
    use std::os::unix::fs::PermissionsExt;
    let root = TempDir::new().unwrap();
    let paths = write_to(&[file("a.sh", "#!/bin/sh\n")], root.path(), WriteOptions::default()).unwrap();
    assert_eq!(fs::metadata(&paths[0]).unwrap().permissions().mode() & 0o7777, 0o644);
}

#[test]
fn an_unnamed_file_is_named() {
    let root = TempDir::new().unwrap();
    write_to(&[unnamed(None)], root.path(), WriteOptions::default()).unwrap();
    assert_eq!(tree(root.path()), ["main.py=x = 1\n"]);
}

#[test]
fn a_refused_seventh_name_leaves_nothing() {
    let root = TempDir::new().unwrap();
    let dir = root.path().join("out");
    for name in ["../g.py", "/g.py", "a/.git/config", "c.py/g.py", "A.py", "nul", "g\u{202e}.py"] {
        let mut files: Vec<CodeFile> = "abcdef".chars().map(|c| file(&format!("{c}.py"), "x")).collect();
        files.push(file(name, "x"));
        assert_eq!(kind(&files, &dir, overwriting()), ErrorKind::InvalidRequest, "{name}");
        assert_eq!(tree(root.path()), [""; 0], "{name}");
    }
}

#[test]
fn a_rejected_file_refuses_all_unless_skipped() {
    let root = TempDir::new().unwrap();
    let files = [file("a.py", "a"), unnamed(Some("the path is absolute"))];
    assert_eq!(kind(&files, root.path(), WriteOptions::default()), ErrorKind::InvalidRequest);
    assert_eq!(tree(root.path()), [""; 0]);
    let skip = WriteOptions { skip_refused: true, ..WriteOptions::default() };
    assert_eq!(write_to(&files, root.path(), skip).unwrap().len(), 1);
    assert_eq!(tree(root.path()), ["a.py=a"]);
}

#[test]
fn a_file_in_a_directory_of_ours_is_refused() {
    let root = TempDir::new().unwrap();
    for name in [".claude-code-aws-1-0/old-0", ".Claude-Code-AWS-x", ".claude-code-aws-2/a.py"] {
        assert_eq!(kind(&[file(name, "x")], root.path(), overwriting()), ErrorKind::InvalidRequest, "{name}");
    }
    assert_eq!(tree(root.path()), [""; 0]);
}

#[test]
fn half_a_file_is_not_written() {
    let root = TempDir::new().unwrap();
    let half = CodeFile { complete: false, ..file("b.py", "b") };
    assert_eq!(kind(&[file("a.py", "a"), half], root.path(), overwriting()), ErrorKind::InvalidRequest);
    assert_eq!(tree(root.path()), [""; 0]);
}

#[test]
fn files_that_run_by_being_opened_need_leave() {
    let root = TempDir::new().unwrap();
    let files = [file(".github/workflows/ci.yml", "x")];
    assert_eq!(kind(&files, root.path(), overwriting()), ErrorKind::InvalidRequest);
    let allowed = WriteOptions { allow_auto_exec: true, ..WriteOptions::default() };
    assert_eq!(write_to(&files, root.path(), allowed).unwrap().len(), 1);
}

#[test]
fn a_file_that_exists_stays_and_nothing_else_is_written() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("b.py"), "old").unwrap();
    let files = [file("a.py", "new"), file("b.py", "new")];
    assert_eq!(kind(&files, root.path(), WriteOptions::default()), ErrorKind::Conflict);
    assert_eq!(tree(root.path()), ["b.py=old"]);
    write_to(&files, root.path(), overwriting()).unwrap();
    assert_eq!(tree(root.path()), ["a.py=new", "b.py=new"]);
}

#[test]
fn a_failure_half_way_puts_back_what_was_there() {
    let root = TempDir::new().unwrap();
    fs::write(root.path().join("a.py"), "old").unwrap();
    fs::create_dir(root.path().join("z.py")).unwrap();
    let before = tree(root.path());
    let files = [file("a.py", "new"), file("deep/er/b.py", "new"), file("z.py", "new")];
    assert_eq!(kind(&files, root.path(), overwriting()), ErrorKind::Conflict);
    assert_eq!(tree(root.path()), before);
    fs::write(root.path().join("y"), "a file, not a directory").unwrap();
    let before = tree(root.path());
    assert_eq!(
        kind(&[file("a.py", "new"), file("y/z.py", "new")], root.path(), overwriting()),
        ErrorKind::Storage
    );
    assert_eq!(tree(root.path()), before);
}

#[cfg(unix)]
#[test]
fn follows_no_link_in_any_component() {
    use std::os::unix::fs::symlink;
    let (root, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    fs::write(outside.path().join("target"), "old").unwrap();
    fs::create_dir(root.path().join("inside")).unwrap();
    symlink(outside.path(), root.path().join("out")).unwrap();
    symlink("inside", root.path().join("in")).unwrap();
    symlink(outside.path().join("target"), root.path().join("link")).unwrap();
    symlink(outside.path().join("missing"), root.path().join("dangling")).unwrap();
    let before = tree(root.path());
    for name in ["out/a.py", "out/deep/a.py", "in/a.py", "link", "dangling"] {
        for options in [overwriting(), WriteOptions::default()] {
            assert!(
                write_to(&[file("first.py", "x"), file(name, "x")], root.path(), options).is_err(),
                "{name}"
            );
        }
    }
    assert_eq!(tree(root.path()), before);
    assert_eq!(tree(outside.path()), ["target=old"]);
}

/// Half a second by default, the campaign's 60 s by CLAUDE_CODE_AWS_RACE_SECONDS.
#[cfg(unix)]
#[test]
fn a_directory_swapped_for_a_link_meanwhile_leads_nowhere() {
    use std::os::unix::fs::symlink;
    let seconds =
        std::env::var("CLAUDE_CODE_AWS_RACE_SECONDS").ok().and_then(|s| s.parse::<f64>().ok()).unwrap_or(0.5);
    let (root, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (place, parked) = (root.path().join("src"), root.path().join("parked"));
    let done = AtomicBool::new(false);
    let (mut rounds, mut written, mut swaps) = (0_u32, 0_u32, 0_u32);
    std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut swaps = 0_u32;
            while !done.load(Ordering::Relaxed) {
                if fs::rename(&place, &parked).is_ok() && symlink(outside.path(), &place).is_ok() {
                    swaps += 1;
                    std::thread::yield_now();
                    let _ = fs::remove_file(&place);
                }
                let _ = fs::remove_dir_all(&place);
                let _ = fs::rename(&parked, &place);
            }
            swaps
        });
        let end = Instant::now() + Duration::from_secs_f64(seconds);
        while Instant::now() < end || rounds < 20 {
            let files = [file("src/deep/a.py", "x"), file("src/b.py", "x"), file("c.py", "x")];
            written += u32::from(write_to(&files, root.path(), overwriting()).is_ok());
            rounds += 1;
        }
        done.store(true, Ordering::Relaxed);
        swaps = swapper.join().unwrap();
    });
    println!(
        "{rounds} writes, {written} of them whole, {swaps} swaps, {} files outside",
        tree(outside.path()).len()
    );
    assert_eq!(tree(outside.path()), [""; 0]);
}

#[test]
fn parallel_writers_of_the_same_files_leave_one_answer_whole() {
    let root = TempDir::new().unwrap();
    let dir = root.path();
    let write = |n: usize| {
        let content = n.to_string();
        write_to(&[file("a.py", &content), file("d/b.py", &content)], dir, WriteOptions::default()).is_ok()
    };
    let write = &write;
    let winners = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || write(n))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count()
    });
    assert!(winners <= 1);
    assert!(!tree(dir).iter().any(|name| name.starts_with(".claude-code-aws")));
}

#[test]
fn a_given_file_is_named_below_the_current_directory_or_by_its_own_name() {
    let here = std::env::current_dir().unwrap();
    let cases = [
        (PathBuf::from("src/lib.rs"), "src/lib.rs"),
        (PathBuf::from("./src/lib.rs"), "src/lib.rs"),
        (PathBuf::from("src/../src/lib.rs"), "src/lib.rs"),
        (here.join("src/lib.rs"), "src/lib.rs"),
        (here.join("Cargo.toml"), "Cargo.toml"),
        (here.join("../Cargo.toml"), "Cargo.toml"),
        (PathBuf::from("/nowhere/at/all.py"), "all.py"),
        (PathBuf::from("../a.py"), "a.py"),
    ];
    for (path, name) in cases {
        assert_eq!(name_of(&path).unwrap(), name, "{path:?}");
    }
    assert_eq!(name_of(Path::new("/")).unwrap_err().kind(), ErrorKind::InvalidRequest);
}
