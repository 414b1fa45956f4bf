//! `batch`: runs many prompts from a file of JSON lines and writes their results to another; answered ones are never
//! sent again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use claude_code_core::batch::BatchOptions;
use claude_code_core::{Error, ErrorKind, PicoUsd, Result};
use futures_util::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::batch::Options;
use crate::batch::plan::Wish;
use crate::cli::args::Global;
use crate::cli::batch::input::{Input, Requests};
use crate::cli::batch::jobs;
use crate::cli::batch::output::Output;
use crate::cli::batch::plan;
use crate::cli::batch::progress::{Progress, Tally};
use crate::cli::batch_args::{BatchAction, BatchArgs, FileSchema, RunBatchArgs};
use crate::cli::output::{exit, figures, json, show};
use crate::cli::setup;
use crate::cli::shutdown::Signals;
use crate::connect::batch::{batch_lane, no_jobs};
use crate::files::batch_journal::{Entry, Journal, Look};
use crate::files::batch_manifest::{Key, Manifest};

/// How often the bar moves, and how soon `batch stop` is seen.
const TICK: Duration = Duration::from_millis(250);

/// Where a batch keeps what it needs to go on.
pub(crate) struct Place {
    id: String,
    dir: PathBuf,
}

impl Place {
    /// The place of the batch that writes this file: its id is a hash of the file's path.
    fn of(out: &Path, local_dir: &Path) -> Result<Self> {
        let out = std::path::absolute(out)
            .map_err(|error| Error::invalid(format!("cannot use {}: {error}", out.display())))?;
        let id = Key::of_text(&out.to_string_lossy()).uuid();
        Ok(Place { id, dir: local_dir.join("batches") })
    }

    /// The place of the batch with this id, where there is one.
    pub(crate) fn found(id: &str, local_dir: &Path) -> Option<Self> {
        let place = Place { id: id.to_owned(), dir: local_dir.join("batches") };
        let is_id = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        (is_id && place.journal().exists()).then_some(place)
    }

    /// The place of the batch with this id.
    fn named(id: &str, local_dir: &Path) -> Result<Self> {
        Place::found(id, local_dir).ok_or_else(|| {
            let dir = local_dir.join("batches");
            let told = format!("no batch {id:?} in {}: `batch` prints its id at the end", dir.display());
            Error::new(ErrorKind::NotFound, told)
        })
    }

    /// The file of its journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join(format!("{}.jsonl", self.id))
    }

    fn stop(&self) -> PathBuf {
        self.dir.join(format!("{}.stop", self.id))
    }

    fn create(&self) -> Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.dir).map_err(|error| {
            Error::new(ErrorKind::Storage, format!("cannot write to {}: {error}", self.dir.display()))
        })
    }
}

/// What a batch says when Ctrl-C ends it.
const INTERRUPTED: &str =
    "interrupted: what was under way is closed, and charged at its ceiling where it had been sent";

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    Interrupted,
    Stopped,
    Deadline,
}

pub(crate) async fn run(global: Global, args: BatchArgs) -> Result<u8> {
    match args.action {
        Some(BatchAction::Status { id }) => status(global, &id).await,
        Some(BatchAction::Stop { id }) => stop(global, &id).await,
        None => start(global, &args.run).await,
    }
}

async fn start(global: Global, args: &RunBatchArgs) -> Result<u8> {
    if let Some(of) = args.schema {
        let schema = match of {
            FileSchema::Prompts => crate::cli::batch::input::schema(),
            FileSchema::Results => crate::http::batch_line(),
        };
        show::out(&json::text(&schema)?)?;
        return Ok(exit::OK);
    }
    let (Some(prompts), Some(out)) = (&args.prompts, &args.out) else {
        return Err(Error::invalid(
            "name the file of prompts and, with --out, the file of results (see batch --help)",
        ));
    };
    let input = Input::read(prompts)?;
    let config = setup::config(global)?;
    let wish = Wish { lane: args.lane, deadline: args.deadline, ..Wish::default() };
    if args.dry_run {
        return plan::show(global, &input, Wish { no_jobs: no_jobs(&config), ..wish }).await;
    }
    let place = Place::of(out, &config.local_dir()?)?;
    place.create()?;
    let journal = journal(&place, &input, out, args.resume)?;
    let _ = std::fs::remove_file(place.stop());
    let mut output = Output::open(out, &input, !args.as_completed)?;
    let mut tally = Tally::new(input.len(), journal.spent(), input.bad().count());
    let client = setup::client(global).await?;
    let options = BatchOptions::new(args.concurrency.into())
        .with_max_usd(args.max_usd)
        .with_tokens_per_minute(args.tpm)
        .with_id(&place.id);
    let lane = match wish.wants_jobs() || !journal.jobs().is_empty() {
        true => batch_lane(&config).await?,
        false => Err("nobody asked for jobs".to_owned()),
    };
    let options = Options::new(options).with_lane(wish, lane).with_notes(show::note);
    let mut items = crate::batch::run(&client, journal, Requests::again(&input), options).await?;
    let ended = drive(&mut items, &mut output, &mut tally, &place, args.deadline).await;
    drop(items);
    let _ = tokio::time::timeout(Duration::from_secs(1), client.release_leases()).await;
    client.flush_metrics().await;
    let ended = ended?;
    output.finish()?;
    let _ = std::fs::remove_file(place.stop());
    if ended == Ended::Done && tally.done < tally.all {
        let (shown, done, all) = (prompts.display(), tally.done, tally.all);
        return Err(Error::invalid(format!(
            "{shown} changed while it was read: {done} of its {all} requests are done; go on with --resume"
        )));
    }
    told(global, args, &place, &tally, ended)
}

/// The journal of this batch, with a look at what is there already: neither results nor an unfinished batch of before are
/// overwritten unseen.
fn journal(place: &Place, input: &Input, out: &Path, resume: bool) -> Result<Journal> {
    let (path, shown) = (place.journal(), out.display());
    if !resume && path.exists() {
        let look = Look::at(&path)?;
        let (kept, all) = (look.answers, look.requests);
        return Err(Error::invalid(format!(
            "a batch into {shown} was begun before ({kept} of {all} answered): go on with --resume, or choose another --out"
        )));
    }
    if let Some(dir) = out.parent().filter(|dir| !dir.as_os_str().is_empty() && !dir.is_dir()) {
        let dir = dir.display();
        return Err(Error::invalid(format!(
            "cannot write {shown}: there is no directory {dir}; make it first"
        )));
    }
    if out.exists() && !path.exists() {
        return Err(Error::invalid(format!(
            "{shown} exists and no batch made it: choose another --out, or remove it"
        )));
    }
    let mut journal = Journal::open(&path)?;
    let manifest = Manifest::new(&place.id, input.keys());
    if let Some((new, gone)) = journal.manifest().map(|earlier| manifest.difference(earlier))
        && (new, gone) != (0, 0)
    {
        show::note(&format!(
            "the input changed since this batch was begun: {} new, {gone} gone; the answers of the others are kept",
            figures::some(new, "request")
        ));
    }
    journal.begin(manifest)?;
    Ok(journal)
}

async fn drive(
    items: &mut (impl futures_util::Stream<Item = Entry> + Unpin),
    output: &mut Output,
    tally: &mut Tally,
    place: &Place,
    deadline: Option<Duration>,
) -> Result<Ended> {
    let mut signals = Signals::listen()?;
    let mut progress = Progress::start();
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let end = deadline.map(|time| Instant::now() + time);
    loop {
        tokio::select! {
            biased;
            () = signals.next() => return Ok(Ended::Interrupted),
            item = items.next() => match item {
                Some(entry) => {
                    tally.note(&entry);
                    output.put(entry)?;
                }
                None => return Ok(Ended::Done),
            },
            _ = tick.tick() => {
                progress.draw(tally);
                if end.is_some_and(|end| Instant::now() >= end) {
                    return Ok(Ended::Deadline);
                }
                if place.stop().exists() {
                    return Ok(Ended::Stopped);
                }
            }
        }
    }
}

/// The last lines, and the exit code: 1 if any item failed, 4 if the cap refused one, 3 if one is not accepted.
fn told(global: Global, args: &RunBatchArgs, place: &Place, tally: &Tally, ended: Ended) -> Result<u8> {
    let unfinished = ended != Ended::Done || tally.failed > 0;
    let resume = unfinished.then(|| resume_line(args)).flatten();
    if global.json {
        let spent: PicoUsd = tally.spent;
        let mut summary = serde_json::json!({
            "batch": place.id,
            "requests": tally.all,
            "done": tally.done,
            "resumed": tally.resumed,
            "cached": tally.cached,
            "failed": tally.failed,
            "rejected": tally.rejected,
            "bad_lines": tally.bad,
            "spent_usd": spent,
            "resume": resume,
        });
        if ended == Ended::Interrupted {
            let kind = ErrorKind::Interrupted.as_str();
            summary["error"] = serde_json::json!({ "kind": kind, "message": INTERRUPTED });
        }
        show::out(&json::text(&summary)?)?;
    }
    let why = match ended {
        Ended::Done => None,
        Ended::Interrupted => Some(INTERRUPTED),
        Ended::Stopped => Some("stopped by `batch stop`"),
        Ended::Deadline => Some("the deadline is over"),
    };
    why.iter().for_each(|why| show::note(why));
    if let Some(resume) = resume {
        show::note(&format!("go on with: {resume}"));
    }
    show::note(&format!("{} · batch {}", tally.summary(), place.id));
    Ok(match ended {
        Ended::Interrupted if global.json => exit::INTERRUPTED_AND_TOLD,
        Ended::Interrupted => exit::INTERRUPTED,
        Ended::Stopped | Ended::Deadline => exit::FAILED,
        Ended::Done if tally.over_cap > 0 => exit::BUDGET,
        Ended::Done if tally.failed > 0 || tally.bad > 0 => exit::FAILED,
        Ended::Done if tally.rejected > 0 => exit::INCOMPLETE,
        Ended::Done => exit::OK,
    })
}

/// The command that goes on, as a shell reads it.
fn resume_line(args: &RunBatchArgs) -> Option<String> {
    let quoted = |path: &Path| {
        let text = path.to_string_lossy().into_owned();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
        if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
    };
    let (prompts, out) = (args.prompts.as_deref()?, args.out.as_deref()?);
    Some(format!("claude-code-aws batch {} --out {} --resume", quoted(prompts), quoted(out)))
}

async fn status(global: Global, id: &str) -> Result<u8> {
    let config = setup::config(global)?;
    let look = Look::at(&Place::named(id, &config.local_dir()?)?.journal())?;
    let jobs = jobs::now(&config, &look.jobs).await;
    if global.json {
        show::out(&json::text(&serde_json::json!({
            "batch": id,
            "requests": look.requests,
            "answered": look.answers,
            "running": look.is_open,
            "spent_usd": look.spent,
            "jobs": jobs.iter().map(jobs::JobRow::json).collect::<Vec<_>>(),
        }))?)?;
        return Ok(exit::OK);
    }
    let state = match (look.is_open, look.answers >= look.requests) {
        (true, _) => "running",
        (false, true) => "done",
        (false, false) => "not running: --resume goes on",
    };
    let rows = [
        ("state", state.to_owned()),
        ("answered", format!("{} of {}", look.answers, look.requests)),
        ("spent", figures::usd(look.spent)),
    ];
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).into_iter();
    let jobs = jobs.iter().map(|job| vec!["job".to_owned(), job.text()]);
    show::out(&show::table(&rows.chain(jobs).collect::<Vec<_>>()))?;
    Ok(exit::OK)
}

async fn stop(global: Global, id: &str) -> Result<u8> {
    let config = setup::config(global)?;
    let place = Place::named(id, &config.local_dir()?)?;
    let look = Look::at(&place.journal())?;
    if look.is_open {
        std::fs::write(place.stop(), "stop\n").map_err(|error| {
            Error::new(ErrorKind::Storage, format!("cannot write {}: {error}", place.stop().display()))
        })?;
        show::note(&format!("batch {id} ends within a second; its answers are kept"));
    }
    let stopped = jobs::stop(&config, &look.jobs).await?;
    if stopped > 0 {
        let jobs = figures::some(stopped, "job");
        show::note(&format!(
            "{jobs} told to stop: what was answered until then is paid for; --resume collects it"
        ));
    } else if !look.is_open {
        show::note(&format!("batch {id} is not running: there is nothing to stop"));
    }
    Ok(exit::OK)
}
