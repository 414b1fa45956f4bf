//! Writing the six files of a service: one streamed answer, each file kept as soon as its end was seen, and a run
//! that was cut off goes on with the files that are missing.

use std::collections::HashMap;
use std::time::Duration;

use claude_code_core::service::{self, Code, CodeEntry, CodeRef, FILES, STEPS, ServiceData};
use claude_code_core::state::{OnlyIf, PutError, StateKey, StateKind};
use claude_code_core::{
    CodeFile, Diagnostic, Error, Event, GenerateRequest, Generation, Kind, Receipt, Result,
};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::app::App;
use super::auth::Caller;
use super::error::Problem;
use super::event::Frame;
use super::input::Asks;
use super::services;

/// A writer that shows no life for so long is dead, and another one may go on.
const LEASE: Duration = Duration::from_secs(30);
/// How often it shows that it lives.
const RENEW: Duration = Duration::from_secs(10);
/// Frames that wait for a slow reader; the writer waits with them.
const QUEUE: usize = 64;

/// A run that may begin.
#[derive(Debug)]
pub(super) struct Run {
    code: CodeRef,
    kept: Vec<CodeFile>,
    /// The code's row, where nothing is left to do.
    done: Option<Code>,
    lease: Option<(StateKey, u64)>,
    within: Duration,
    host: String,
}

impl Run {
    /// Looks at what there is, and takes the right to write what is missing. `Conflict` while another writer lives.
    pub(super) async fn prepare(
        app: &App,
        caller: &Caller,
        asks: &Asks,
        conversation: &str,
        given: Option<ServiceData>,
    ) -> Result<Run, Problem> {
        let (mut conversation, version) = app.services.conversation(&caller.scope, conversation).await?;
        let data = conversation.description(given)?;
        let before = conversation.code.clone();
        let code = conversation.code_for(&data, || caller.client.new_id());
        if before.as_ref() != Some(&code) {
            app.services.save(&caller.scope, &conversation, version).await?;
            app.services.describe(&caller.scope, &code).await?;
        }
        let mut run = Run {
            code,
            kept: Vec::new(),
            done: None,
            lease: None,
            within: asks.within,
            host: asks.host.clone(),
        };
        run.done = run.found(app, caller).await?;
        if run.done.is_none() {
            run.lease = Some(take(app, caller, &run.code.code_id).await?);
            run.kept = app.services.files(&run.code.service_id, &run.code.code_id).await?;
        }
        Ok(run)
    }

    async fn found(&self, app: &App, caller: &Caller) -> Result<Option<Code>> {
        match app.services.code(&caller.scope, &self.code.service_id, &self.code.code_id).await {
            Ok(code) => Ok(Some(code)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What happens, as it happens. Dropped before its end, the request to the model is closed; what was kept stays.
pub(super) fn frames(app: App, caller: Caller, mut run: Run) -> BoxStream<'static, Frame> {
    let (out, frames) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        let reader = out.clone();
        let written = tokio::select! {
            written = write(&app, &caller, &mut run, &out) => written,
            () = reader.closed() => Ok(()),
        };
        release(&app, run.lease.take()).await;
        if let Err(error) = written {
            let _ = out.send(Frame::error(&Problem::from(explained(error)))).await;
        }
    });
    stream::unfold(frames, |mut frames| async move { frames.recv().await.map(|frame| (frame, frames)) })
        .boxed()
}

async fn write(app: &App, caller: &Caller, run: &mut Run, out: &mpsc::Sender<Frame>) -> Result<()> {
    let ready = match run.done.take() {
        Some(done) => {
            run.kept = app.services.files(&done.service_id, &done.code_id).await?;
            show(&run.kept, out).await;
            done
        }
        None => {
            show(&run.kept, out).await;
            let code = missing(app, caller, run, out).await?;
            app.services.put_code(&caller.scope, &code).await?;
            code
        }
    };
    let answer = services::view(app, &ready, &run.host).await?;
    let _ = out.send(Frame::new("finished", serde_json::json!({ "generation": answer }))).await;
    Ok(())
}

/// Writes what is missing. With nothing missing the kept files are only checked: they were paid for before.
async fn missing(app: &App, caller: &Caller, run: &mut Run, out: &mpsc::Sender<Frame>) -> Result<Code> {
    if service::missing(&run.kept).is_empty() {
        let diagnostics = service::check(&run.kept);
        return Ok(code(app, run, &run.kept, diagnostics, None));
    }
    let request = service::request(&run.code.data, &run.kept).with_timeout(run.within);
    let generation = written(app, caller, run, request, out).await?;
    let new = generation.files.iter().filter(|file| is_wanted(run, file.path.as_deref()) && file.complete);
    let mut files: Vec<CodeFile> = run.kept.iter().chain(new).cloned().collect();
    files.sort_by_key(|file| FILES.iter().position(|name| file.path.as_deref() == Some(*name)));
    for file in &files {
        // The last word of a repair may differ from what was kept on the way.
        let path = file.path.as_deref().unwrap_or_default();
        if is_wanted(run, Some(path)) {
            app.services.put_file(&run.code, path, &file.content).await?;
        }
    }
    Ok(code(app, run, &files, generation.diagnostics.clone(), Some(&generation)))
}

/// One answer of the model: files are kept as their ends are seen, and the lease is renewed while it lasts.
async fn written(
    app: &App,
    caller: &Caller,
    run: &mut Run,
    request: GenerateRequest,
    out: &mpsc::Sender<Frame>,
) -> Result<std::sync::Arc<Generation>> {
    let mut events = caller.client.stream(request);
    let mut texts: HashMap<usize, String> = HashMap::new();
    let mut life = interval(RENEW);
    life.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = life.tick() => {
                renew(app, run).await?;
                continue;
            }
        };
        match event {
            Some(Ok(Event::Finished(generation))) => return Ok(generation),
            Some(Ok(event)) => {
                keep(app, run, &mut texts, &event).await?;
                let _ = out.send(shifted(&event, run.kept.len())).await;
            }
            Some(Err(error)) => return Err(error),
            None => return Err(Error::new(Kind::Unavailable, "the answer broke off: repeat the request")),
        }
    }
}

async fn keep(app: &App, run: &Run, texts: &mut HashMap<usize, String>, event: &Event) -> Result<()> {
    match event {
        Event::FileStarted { index, .. } => {
            texts.insert(*index, String::new());
        }
        Event::FileChunk { index, text, .. } => texts.entry(*index).or_default().push_str(text),
        Event::FileFinished { index, path, complete: true, .. } if is_wanted(run, path.as_deref()) => {
            let content = texts.remove(index).unwrap_or_default();
            app.services.put_file(&run.code, path.as_deref().unwrap_or_default(), &content).await?;
        }
        _ => {}
    }
    Ok(())
}

/// One of the six, and not paid for before.
fn is_wanted(run: &Run, path: Option<&str>) -> bool {
    path.is_some_and(|path| FILES.contains(&path))
        && !run.kept.iter().any(|file| file.path.as_deref() == path)
}

/// The files that are there already, as if they were written now.
async fn show(files: &[CodeFile], out: &mpsc::Sender<Frame>) {
    for (index, file) in files.iter().enumerate() {
        let path = file.path.as_deref();
        for frame in [
            Frame::started(path, file.language.as_str(), 0, index),
            Frame::chunk(path, &file.content, 0, index),
            Frame::finished(path, true, 0, index),
        ] {
            let _ = out.send(frame).await;
        }
    }
}

/// The frame of an event, its files counted behind those that were shown before.
fn shifted(event: &Event, shown: usize) -> Frame {
    let mut frame = Frame::of(event);
    if let Some(index) = frame.data["index"].as_u64() {
        frame.data["index"] = (index + shown as u64).into();
    }
    frame
}

fn code(
    app: &App,
    run: &Run,
    files: &[CodeFile],
    diagnostics: Vec<Diagnostic>,
    generation: Option<&Generation>,
) -> Code {
    Code {
        service_id: run.code.service_id.clone(),
        code_id: run.code.code_id.clone(),
        accepted: service::missing(files).is_empty() && !diagnostics.iter().any(Diagnostic::is_error),
        files: files.iter().map(CodeEntry::of).collect(),
        diagnostics,
        model: generation.map(|g| g.model.clone()),
        receipt: generation.map_or_else(Receipt::default, |g| g.receipt.clone()),
        sample: generation.is_some_and(|g| g.sample),
        generated_at: app.client.clock().now().iso(),
    }
}

/// Offline there is one service: the error says which answers lead to it.
fn explained(error: Error) -> Error {
    if error.kind != Kind::NoSample {
        return error;
    }
    let answers: Vec<String> = STEPS.iter().map(|step| format!("{}: {}", step.title, step.example)).collect();
    Error::new(
        Kind::NoSample,
        format!(
            "offline there is one sample service, for exactly these answers: {}. For any other service connect a \
             model: AWS credentials, ANTHROPIC_API_KEY, or a local Messages API server (ANTHROPIC_BASE_URL)",
            answers.join(" · ")
        ),
    )
}

async fn take(app: &App, caller: &Caller, code_id: &str) -> Result<(StateKey, u64), Problem> {
    let key = StateKey::new(StateKind::Lease, &caller.scope, format!("service/{code_id}"));
    let now = app.client.clock().now();
    match app.client.state().put(&key, Vec::new(), now.plus(LEASE), OnlyIf::AbsentAt(now)).await {
        Ok(version) => Ok((key, version)),
        Err(PutError::Conflict) => {
            let message = "the files are being written by another request: repeat this one later";
            Err(Problem::from(Error::new(Kind::Conflict, message)).after(LEASE.as_secs()))
        }
        Err(PutError::Store(error)) => Err(error.into()),
    }
}

async fn renew(app: &App, run: &mut Run) -> Result<()> {
    let Some((key, version)) = &mut run.lease else { return Ok(()) };
    let until = app.client.clock().now().plus(LEASE);
    match app.client.state().put(key, Vec::new(), until, OnlyIf::Version(*version)).await {
        Ok(renewed) => *version = renewed,
        Err(PutError::Conflict) => {
            return Err(Error::new(Kind::Conflict, "another request has taken the files over"));
        }
        Err(PutError::Store(error)) => tracing::warn!(%error, "the writer's lease could not be renewed"),
    }
    Ok(())
}

async fn release(app: &App, lease: Option<(StateKey, u64)>) {
    let Some((key, version)) = lease else { return };
    let ended = app.client.clock().now();
    if let Err(PutError::Store(error)) =
        app.client.state().put(&key, Vec::new(), ended, OnlyIf::Version(version)).await
    {
        tracing::warn!(%error, "the writer's lease could not be released: it ends by itself");
    }
}
