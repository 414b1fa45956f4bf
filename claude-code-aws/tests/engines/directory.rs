use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use claude_code_aws::local::Twin;
use claude_code_core::ErrorKind;

use crate::support::{code, put, read, twin};

#[cfg(unix)]
#[tokio::test]
async fn the_directory_and_its_files_are_the_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("a/state");
    let twin = Twin::open(&path).unwrap();
    twin.s3_client().list_buckets().send().await.unwrap();
    twin.dynamodb_client().list_tables().send().await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn two_twins_of_one_directory_see_each_others_writes() {
    let first = twin();
    let second = Twin::open(first.directory.path()).unwrap();
    let s3 = first.bucket("shelf").await;
    for n in 0..20 {
        put(&s3, "shelf", &format!("first-{n}"), b"1").await;
        put(&second.s3_client(), "shelf", &format!("second-{n}"), b"2").await;
        assert_eq!(read(&second.s3_client(), "shelf", &format!("first-{n}")).await, b"1");
        assert_eq!(read(&s3, "shelf", &format!("second-{n}")).await, b"2");
    }
}

#[test]
fn a_fresh_directory_is_opened_by_many_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let open = |path: std::path::PathBuf| {
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let twin = Twin::open(&path).unwrap();
            runtime.block_on(async {
                twin.s3_client().list_buckets().send().await.unwrap();
                twin.dynamodb_client().list_tables().send().await.unwrap();
                twin.engines().state().await.unwrap();
            });
            assert_eq!(twin.notices(), Vec::<String>::new());
        }
    };
    let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(open(directory.path().to_owned()))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[tokio::test]
async fn a_directory_is_not_cleared_under_another_that_has_its_databases_open() {
    let owner = twin();
    let s3 = owner.bucket("shelf").await;
    put(&s3, "shelf", "k", b"kept").await;
    let second = Twin::open(owner.directory.path()).unwrap();
    let error = second.engines().directory().unwrap().clear().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains("another process has its databases open"), "{}", error.message());
    assert_eq!(read(&s3, "shelf", "k").await, b"kept");
    drop(s3);
    let crate::support::Temporary { twin, directory } = owner;
    drop(twin);
    let third = Twin::open(directory.path()).unwrap();
    third.engines().directory().unwrap().clear().unwrap();
    assert!(third.s3_client().list_buckets().send().await.unwrap().buckets().is_empty());
}

#[test]
fn the_directory_is_free_again_when_the_twin_is_closed() {
    let twin = twin();
    twin.reopened();
}

#[test]
fn an_unwritable_directory_is_one_line_with_its_path() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Twin::open(&file.path().join("below")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.message().contains(file.path().to_str().unwrap()), "{}", error.message());
    assert_eq!(error.message().lines().count(), 1);
}

/// Damages a database by `damage` and opens it again.
async fn damaged(name: &str, damage: impl FnOnce(&Path)) {
    let first = twin();
    let s3 = first.bucket("shelf").await;
    for n in 0..50 {
        put(&s3, "shelf", &format!("k{n}"), &[b'x'; 4000]).await;
    }
    first.twin.dynamodb_client().list_tables().send().await.unwrap();
    drop(s3);
    let crate::support::Temporary { twin, directory } = first;
    drop(twin);
    damage(&directory.path().join(name));
    let before = std::fs::read(directory.path().join(name)).unwrap();
    let twin = Twin::open(directory.path()).unwrap();
    assert!(twin.s3_client().list_buckets().send().await.is_ok());
    assert!(twin.dynamodb_client().list_tables().send().await.is_ok());
    let notices = twin.notices();
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(notices[0].contains(name) && notices[0].contains(".damaged-"), "{notices:?}");
    let kept: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".damaged-2"))
        .collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(std::fs::read(&kept[0]).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_set_aside() {
    damaged("s3.sqlite", |path| std::fs::write(path, "not a database at all\n".repeat(300)).unwrap()).await;
}

#[tokio::test]
async fn a_database_with_damaged_pages_is_set_aside() {
    damaged("s3.sqlite", |path| {
        let mut bytes = std::fs::read(path).unwrap();
        let length = bytes.len();
        bytes[4096..length].fill(0xa5);
        std::fs::write(path, bytes).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_damaged_table_store_is_set_aside_and_the_objects_stay() {
    damaged("dynamodb.sqlite", |path| std::fs::write(path, [7; 9000]).unwrap()).await;
}

#[tokio::test]
async fn a_sound_directory_has_no_notices() {
    let twin = twin();
    let s3 = twin.bucket("shelf").await;
    put(&s3, "shelf", "k", b"x").await;
    drop(s3);
    let twin = twin.reopened();
    assert_eq!(read(&twin.twin.s3_client(), "shelf", "k").await, b"x");
    assert_eq!(twin.twin.notices(), Vec::<String>::new());
}

const CHILD: &str = "ENGINES_CHILD_DIRECTORY";

/// Helper process: holds the directory and writes objects until it is killed.
#[tokio::test]
#[ignore = "helper process of another test"]
async fn child_that_holds_the_directory() {
    let path = std::env::var_os(CHILD).expect("a helper process is started by its test");
    let twin = Twin::open(Path::new(&path)).unwrap();
    let s3 = twin.s3_client();
    s3.create_bucket().bucket("shelf").send().await.unwrap();
    for n in 0.. {
        let request = s3.put_object().bucket("shelf").key(format!("{n:06}")).metadata("n", n.to_string());
        request.body(format!("{n}").repeat(500).into_bytes().into()).send().await.unwrap();
        println!("acknowledged {n}");
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn child(path: &Path) -> (Killed, BufReader<ChildStdout>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "directory::child_that_holds_the_directory", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (Killed(child), output)
}

/// The numbers that a child has acknowledged in these lines.
fn acknowledged(line: &str) -> Option<usize> {
    line.split("acknowledged ").nth(1)?.trim().parse().ok()
}

#[tokio::test]
async fn another_process_reads_along_and_what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let (child, mut output) = child(directory.path());
    let mut line = String::new();
    while acknowledged(&line).is_none_or(|n| n < 40) {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the child ended early");
    }
    let beside = Twin::open(directory.path()).unwrap();
    assert_eq!(read(&beside.s3_client(), "shelf", "000007").await, "7".repeat(500).into_bytes());
    drop(child);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let last = rest.lines().filter_map(acknowledged).max().or(acknowledged(&line)).unwrap();
    let twin = Twin::open(directory.path()).unwrap();
    let s3 = twin.s3_client();
    for n in 0..=last {
        let got = s3.get_object().bucket("shelf").key(format!("{n:06}")).send().await.unwrap();
        assert_eq!(got.metadata().unwrap()["n"], n.to_string());
        assert_eq!(got.body.collect().await.unwrap().to_vec(), format!("{n}").repeat(500).into_bytes());
    }
    // At most the one that was on its way may have arrived without its answer.
    let beyond = s3.head_object().bucket("shelf").key(format!("{:06}", last + 2)).send().await;
    assert_eq!(code(beyond), "NotFound");
    assert_eq!(twin.notices(), Vec::<String>::new());
}
