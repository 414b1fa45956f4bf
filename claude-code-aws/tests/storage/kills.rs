//! Four processes over one directory, one of them killed at any moment between the steps of sending and storing.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claude_code_aws::clock::SystemClock;
use claude_code_aws::local::{self, Twin};
use claude_code_aws::provider::{ModelCall, ModelEvent, ProviderError, StopReason};
use claude_code_aws::storage::results::AwsResults;
use claude_code_aws::testing::{Script, ScriptedProvider};
use claude_code_aws::{
    BudgetView, CacheMode, GenerateRequest, GenerationStore, ModelProvider, PicoUsd, Policy, Scope, Usage,
};
use futures_util::stream::BoxStream;

use super::{REVERSE, TABLE, builder, is_campaign, share};

const CHILD: &str = "STORAGE_CHILD_DIRECTORY";
const SEED: &str = "STORAGE_CHILD_SEED";
const TWO: &str = "```python app/main.py\nimport app\n```\n\n```markdown README.md\n# App\n```\n";

/// Tells of every send before anything comes of it.
#[derive(Debug)]
struct Told(Arc<ScriptedProvider>);

impl ModelProvider for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn stream(&self, call: ModelCall) -> BoxStream<'static, Result<ModelEvent, ProviderError>> {
        println!("tell sent");
        self.0.stream(call)
    }
}

async fn client(twin: &Twin, seed: u64) -> claude_code_aws::Client {
    // Every send costs the same, whatever it answers: what was sent is then what was spent.
    let same = |text| Script::text(text).stop(StopReason::EndTurn).usage(Usage::new(100, 25));
    let provider = ScriptedProvider::new([same(REVERSE), same(TWO)]);
    let cap = Some(PicoUsd::from_usd("1000").unwrap());
    let builder = builder(Arc::new(Told(provider)), Arc::new(SystemClock), seed)
        .with_policy(Policy { max_usd_per_day: cap, ..Policy::default() });
    local::with_disk(builder, twin).await.unwrap().build()
}

/// Helper process: generates and stores until it is killed.
#[tokio::test]
#[ignore = "helper process of another test"]
async fn child_that_generates_until_it_is_killed() {
    let path = std::env::var_os(CHILD).expect("a helper process is started by its test");
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let twin = Twin::open(Path::new(&path)).unwrap();
    let client = client(&twin, seed + 1_000).await;
    println!("tell ready");
    for n in 0.. {
        let long = if n % 3 == 0 { 80 } else { 1 };
        // Every tenth request is another process's too. Every third request repeats the one before it: a hit, unless it asks past the cache.
        let task = if n % 3 == 2 { n - 1 } else { n };
        let mode = if n % 4 == 3 { CacheMode::Off } else { CacheMode::Use };
        let name = if n % 10 == 5 { n.to_string() } else { format!("{seed} {task}") };
        let request = GenerateRequest::new(format!("task {name} ").repeat(long)).with_model("haiku");
        let g = client.generate(request.with_cache(mode)).await.unwrap();
        assert!(g.stored, "{:?}", g.stored_problem);
        println!("tell stored {} {}", g.id, g.receipt.total().known().0);
        // All that is stored is read in the end.
        tokio::time::sleep(Duration::from_millis(n % 2 * 25)).await;
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the killed process had told.
#[derive(Debug, Default)]
struct Heard {
    sends: u64,
    stored: Vec<String>,
    cost: u64,
}

impl Heard {
    fn note(&mut self, line: &str) {
        let Some((_, told)) = line.split_once("tell ") else { return };
        match told.split(' ').collect::<Vec<_>>().as_slice() {
            ["sent"] => self.sends += 1,
            ["stored", id, cost] => {
                self.stored.push((*id).to_owned());
                self.cost = self.cost.max(cost.parse().unwrap());
            }
            _ => {}
        }
    }
}

impl Heard {
    fn add(&mut self, other: Heard) {
        self.sends += other.sends;
        self.cost = self.cost.max(other.cost);
        self.stored.extend(other.stored);
    }
}

/// A child and what it tells.
struct Running {
    child: Killed,
    lines: Box<dyn Iterator<Item = String>>,
    heard: Heard,
}

impl Running {
    fn start(path: &Path, seed: u64) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "kills::child_that_generates_until_it_is_killed", "--nocapture"])
            .env(CHILD, path)
            .env(SEED, seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut child = Killed(child.unwrap());
        let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        Running { child, lines: Box::new(lines), heard: Heard::default() }
    }

    /// Kills the child at some moment after a few results, and gives what it had told by then.
    fn killed(self, seed: u64) -> Heard {
        let Running { child, mut lines, mut heard } = self;
        while heard.stored.len() <= seed as usize % 3 {
            heard.note(&lines.next().expect("the child ended early"));
        }
        // From one stored result to the next is a few milliseconds; these moments fall into all of its steps.
        std::thread::sleep(Duration::from_micros(seed * 7_919 % 20_000));
        drop(child);
        lines.for_each(|line| heard.note(&line));
        heard
    }
}

/// Everything that a scan of the table finds, read whole.
async fn rows_without_objects(twin: &Twin, acknowledged: Vec<String>) -> (u64, u64) {
    let mut missing: BTreeSet<String> = acknowledged.into_iter().collect();
    let results = AwsResults::new(twin.dynamodb_client(), twin.s3_client(), TABLE, local::BUCKET);
    let mut pages = twin.dynamodb_client().scan().table_name(TABLE).into_paginator().items().send();
    let (mut rows, mut broken) = (0, 0);
    while let Some(item) = pages.next().await {
        let id = item.unwrap()["id"].as_s().unwrap().clone();
        rows += 1;
        missing.remove(&id);
        broken += u64::from(results.get(&Scope::local(), &id).await.is_err());
    }
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    (rows, broken)
}

fn charged(view: BudgetView) -> PicoUsd {
    view.spent.saturating_add(view.reserved)
}

#[tokio::test]
async fn a_kill_at_any_moment_loses_nothing_acknowledged_and_no_money() {
    const PROCESSES: u64 = 4;
    let kills = share(200);
    let dir = tempfile::tempdir().unwrap();
    drop(local::open(dir.path()).await.unwrap());
    let mut running: Vec<_> = (0..PROCESSES).map(|seed| Running::start(dir.path(), seed)).collect();
    let (mut told, mut slowest) = (Heard::default(), Duration::ZERO);
    for seed in 0..kills {
        // The other three go on meanwhile.
        let victim = std::mem::replace(
            &mut running[(seed % PROCESSES) as usize],
            Running::start(dir.path(), PROCESSES + seed),
        );
        let heard = victim.killed(seed);
        let begun = Instant::now();
        let twin = Twin::open(dir.path()).unwrap();
        twin.s3_client().list_buckets().send().await.unwrap();
        slowest = slowest.max(begun.elapsed());
        told.add(heard);
    }
    for (seed, last) in (kills..).zip(running) {
        told.add(last.killed(seed));
    }
    let twin = Twin::open(dir.path()).unwrap();
    let view = client(&twin, kills).await.budget().await.unwrap();
    let spent = PicoUsd(told.sends * told.cost);
    assert!(charged(view) >= spent, "{view:?} for {} sends", told.sends);
    let acknowledged = told.stored.len();
    let (rows, broken) = rows_without_objects(&twin, told.stored).await;
    assert_eq!(broken, 0, "rows without objects");
    assert_eq!(twin.notices(), Vec::<String>::new(), "a database was damaged");
    println!(
        "{kills} kills: {acknowledged} acknowledged, {rows} rows, 0 broken; slowest opening {slowest:?}"
    );
    if is_campaign() {
        assert!(slowest < Duration::from_secs(2));
    }
}
