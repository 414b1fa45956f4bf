//! The writer of a service killed behind each of its six files, in a process of its own over the disk.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::Twin;
use claude_code_aws::service_creator::{Code, Creator, FILES, ServiceData, Services, Shown};
use claude_code_aws::storage::services::AwsServices;
use claude_code_aws::testing::{Script, ScriptedProvider};
use claude_code_aws::{Clock, Config, Event, Scope};
use tokio::sync::mpsc;

use super::{HandClock, builder, state, twin};

const CHILD: &str = "STORAGE_WRITER_DIRECTORY";
const FINISHED: &str = "STORAGE_WRITER_FILES";
const CONVERSATION: &str = "c";

fn golden() -> [(&'static str, &'static str); 6] {
    macro_rules! file {
        ($name:literal) => {
            ($name, include_str!(concat!("../../../claude-code-core/tests/golden/service/", $name)))
        };
    }
    [
        file!("backend_service.py"),
        file!("api_routes.py"),
        file!("database_schema.sql"),
        file!("config.yaml"),
        file!("requirements.txt"),
        file!("README.md"),
    ]
}

fn fenced(files: &[(&str, &str)]) -> String {
    files.iter().map(|(name, content)| format!("````text {name}\n{content}````\n\n")).collect()
}

fn services(twin: &Twin, clock: Arc<dyn Clock>) -> Services {
    let Config { service_table, service_bucket, .. } = Config::default();
    let store = AwsServices::new(twin.dynamodb_client(), twin.s3_client(), &service_table, &service_bucket);
    Services::new(Arc::new(store), clock)
}

fn creator(twin: &Twin, provider: &Arc<ScriptedProvider>, clock: Arc<dyn Clock>, seed: u64) -> Creator {
    let client = builder(provider.clone(), clock.clone(), seed).with_state(state(twin)).build();
    Creator::new(client, services(twin, clock))
}

/// Helper process: writes so many files, tells of them, and hangs until it is killed.
#[tokio::test]
#[ignore = "helper process of another test"]
async fn child_that_writes_files_until_it_is_killed() {
    let path = std::env::var_os(CHILD).expect("a helper process is started by its test");
    let files: usize = std::env::var(FINISHED).unwrap().parse().unwrap();
    let twin = Twin::open(Path::new(&path)).unwrap();
    let provider = ScriptedProvider::new([Script::text(&fenced(&golden()[..files])).hang()]);
    let creator = creator(&twin, &provider, Arc::new(SystemClock), 1);
    let (out, mut shown) = mpsc::channel(1);
    tokio::spawn(creator.write(CONVERSATION, Some(ServiceData::sample()), None).await.unwrap().run(out));
    while let Some(next) = shown.recv().await {
        if let Shown::Event(Event::FileFinished { complete: true, .. }) = next.unwrap() {
            println!("tell kept");
        }
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A writer that is killed when it has shown so many files.
fn killed_behind(path: &Path, files: usize) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "writers::child_that_writes_files_until_it_is_killed", "--nocapture"])
        .env(CHILD, path)
        .env(FINISHED, files.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = Killed(child.unwrap());
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = lines.filter(|line| line.ends_with("tell kept")).take(files).count();
    assert_eq!(told, files, "the child ended early");
}

async fn written(creator: &Creator) -> Code {
    let (out, mut shown) = mpsc::channel(64);
    tokio::spawn(creator.write(CONVERSATION, Some(ServiceData::sample()), None).await.unwrap().run(out));
    loop {
        if let Shown::Written(code) = shown.recv().await.unwrap().unwrap() {
            return *code;
        }
    }
}

#[tokio::test]
async fn a_writer_killed_behind_any_file_is_followed_by_one_that_asks_for_the_others_only() {
    let files = golden();
    for reached in 1..=FILES.len() {
        let (dir, first) = twin().await;
        services(&first, Arc::new(SystemClock)).start(&Scope::local(), CONVERSATION).await.unwrap();
        drop(first);
        killed_behind(dir.path(), reached);
        let twin = Twin::open(dir.path()).unwrap();
        let provider = ScriptedProvider::new([Script::answer(&fenced(&files[reached..]))]);
        let clock = HandClock::now();
        // The dead writer's right has ended by then.
        clock.advance(Duration::from_secs(11));
        let creator = creator(&twin, &provider, clock, 2);
        let code = written(&creator).await;
        assert!(code.accepted, "behind {reached}: {:?}", code.diagnostics);
        let stored = creator.files(&code).await.unwrap();
        let stored: Vec<_> =
            stored.iter().map(|file| (file.path.as_deref().unwrap(), &*file.content)).collect();
        assert_eq!(stored, files, "behind {reached}");
        let calls = provider.calls();
        assert_eq!(calls.len(), usize::from(reached < FILES.len()), "behind {reached}");
        for call in &calls {
            let task = call.messages[0].blocks[0].text.split("</task>").next().unwrap();
            let wanted = task.rsplit("Write only these").next().unwrap();
            for (n, name) in FILES.iter().enumerate() {
                assert_eq!(wanted.contains(name), n >= reached, "behind {reached}: {name}");
            }
        }
    }
}
