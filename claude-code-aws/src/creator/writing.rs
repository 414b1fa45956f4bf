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

use super::Creator;

/// A writer that shows no life for so long is dead, and another one may go on.
const LEASE: Duration = Duration::from_secs(30);
/// How often it shows that it lives.
const RENEW: Duration = Duration::from_secs(10);
/// Events that wait for a slow reader; the writer waits with them.
const QUEUE: usize = 64;

/// A run that may begin.
#[derive(Debug)]
pub(crate) struct Run {
    code: CodeRef,
    kept: Vec<CodeFile>,
    /// The code's row, where nothing is left to do.
    done: Option<Code>,
    lease: Option<(StateKey, u64)>,
    within: Option<Duration>,
}

/// What a run shows.
#[derive(Debug)]
pub(crate) enum Written {
    /// As the model writes; files that were there before come first, as if they were written now.
    Event(Event),
    /// The end: the row, and the files behind it.
    Done(Box<Code>, Vec<CodeFile>),
}

impl Written {
    /// The event, where it is one.
    #[cfg(feature = "cli")]
    pub(crate) fn event(&self) -> Option<&Event> {
        match self {
            Written::Event(event) => Some(event),
            Written::Done(..) => None,
        }
    }
}

type Out = mpsc::Sender<Result<Written>>;

impl Creator {
    /// Looks at what there is, and takes the right to write what is missing within this time; none: as the client has
    /// it. `Conflict` while another writer lives.
    pub(crate) async fn prepare(
        &self,
        conversation: &str,
        given: Option<ServiceData>,
        within: Option<Duration>,
    ) -> Result<Run> {
        let (mut conversation, version) = self.services.conversation(self.scope(), conversation).await?;
        let data = conversation.description(given)?;
        let before = conversation.code.clone();
        let code = conversation.code_for(&data, || self.client.new_id());
        if before.as_ref() != Some(&code) {
            self.services.save(self.scope(), &conversation, version).await?;
            self.services.describe(self.scope(), &code).await?;
        }
        let mut run = Run { code, kept: Vec::new(), done: None, lease: None, within };
        run.done = self.found(&run.code).await?;
        if run.done.is_none() {
            run.lease = Some(self.take(&run.code.code_id).await?);
        }
        run.kept = self.services.files(&run.code.service_id, &run.code.code_id).await?;
        Ok(run)
    }

    async fn found(&self, code: &CodeRef) -> Result<Option<Code>> {
        match self.services.code(self.scope(), &code.service_id, &code.code_id).await {
            Ok(code) => Ok(Some(code)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What happens, as it happens. Dropped before its end, the request to the model is closed; what was kept stays.
    pub(crate) fn write(&self, mut run: Run) -> BoxStream<'static, Result<Written>> {
        let creator = self.clone();
        let (out, shown) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let reader = out.clone();
            let written = tokio::select! {
                written = creator.whole(&mut run, &out) => written,
                () = reader.closed() => Ok(()),
            };
            creator.release(run.lease.take()).await;
            if let Err(error) = written {
                let _ = out.send(Err(explained(error))).await;
            }
        });
        stream::unfold(shown, |mut shown| async move { shown.recv().await.map(|event| (event, shown)) })
            .boxed()
    }

    async fn whole(&self, run: &mut Run, out: &Out) -> Result<()> {
        show(&run.kept, out).await;
        let (code, files) = match run.done.take() {
            Some(done) => (done, run.kept.clone()),
            None => {
                let (code, files) = self.missing(run, out).await?;
                self.services.put_code(self.scope(), &code).await?;
                (code, files)
            }
        };
        let _ = out.send(Ok(Written::Done(Box::new(code), files))).await;
        Ok(())
    }

    /// Writes what is missing. With nothing missing the kept files are only checked: they were paid for before.
    async fn missing(&self, run: &mut Run, out: &Out) -> Result<(Code, Vec<CodeFile>)> {
        if service::missing(&run.kept).is_empty() {
            let diagnostics = service::check(&run.kept);
            return Ok((self.code(run, &run.kept, diagnostics, None), run.kept.clone()));
        }
        let mut request = service::request(&run.code.data, &run.kept);
        request.timeout = run.within;
        let generation = self.answer(run, request, out).await?;
        let new =
            generation.files.iter().filter(|file| is_wanted(run, file.path.as_deref()) && file.complete);
        let mut files: Vec<CodeFile> = run.kept.iter().chain(new).cloned().collect();
        files.sort_by_key(|file| FILES.iter().position(|name| file.path.as_deref() == Some(*name)));
        for file in &files {
            // The last word of a repair may differ from what was kept on the way.
            let path = file.path.as_deref().unwrap_or_default();
            if is_wanted(run, Some(path)) {
                self.services.put_file(&run.code, path, &file.content).await?;
            }
        }
        Ok((self.code(run, &files, generation.diagnostics.clone(), Some(&generation)), files))
    }

    /// One answer of the model: files are kept as their ends are seen, and the lease is renewed while it lasts.
    async fn answer(
        &self,
        run: &mut Run,
        request: GenerateRequest,
        out: &Out,
    ) -> Result<std::sync::Arc<Generation>> {
        let mut events = self.client.stream(request);
        let mut texts: HashMap<usize, String> = HashMap::new();
        let mut life = interval(RENEW);
        life.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = life.tick() => {
                    self.renew(run).await?;
                    continue;
                }
            };
            match event {
                Some(Ok(Event::Finished(generation))) => return Ok(generation),
                Some(Ok(event)) => {
                    self.keep(run, &mut texts, &event).await?;
                    let _ = out.send(Ok(Written::Event(shifted(event, run.kept.len())))).await;
                }
                Some(Err(error)) => return Err(error),
                None => {
                    return Err(Error::new(Kind::Unavailable, "the answer broke off: repeat the request"));
                }
            }
        }
    }

    async fn keep(&self, run: &Run, texts: &mut HashMap<usize, String>, event: &Event) -> Result<()> {
        match event {
            Event::FileStarted { index, .. } => {
                texts.insert(*index, String::new());
            }
            Event::FileChunk { index, text, .. } => texts.entry(*index).or_default().push_str(text),
            Event::FileFinished { index, path, complete: true, .. } if is_wanted(run, path.as_deref()) => {
                let content = texts.remove(index).unwrap_or_default();
                self.services.put_file(&run.code, path.as_deref().unwrap_or_default(), &content).await?;
            }
            _ => {}
        }
        Ok(())
    }

    fn code(
        &self,
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
            generated_at: self.client.clock().now().iso(),
        }
    }

    async fn take(&self, code_id: &str) -> Result<(StateKey, u64)> {
        let key = StateKey::new(StateKind::Lease, self.scope(), format!("service/{code_id}"));
        let now = self.client.clock().now();
        match self.client.state().put(&key, Vec::new(), now.plus(LEASE), OnlyIf::AbsentAt(now)).await {
            Ok(version) => Ok((key, version)),
            Err(PutError::Conflict) => {
                let message = "the files are being written by another request: repeat this one later";
                let mut busy = Error::new(Kind::Conflict, message);
                busy.retry_after = Some(LEASE);
                Err(busy)
            }
            Err(PutError::Store(error)) => Err(error),
        }
    }

    async fn renew(&self, run: &mut Run) -> Result<()> {
        let Some((key, version)) = &mut run.lease else { return Ok(()) };
        let until = self.client.clock().now().plus(LEASE);
        match self.client.state().put(key, Vec::new(), until, OnlyIf::Version(*version)).await {
            Ok(renewed) => *version = renewed,
            Err(PutError::Conflict) => {
                return Err(Error::new(Kind::Conflict, "another request has taken the files over"));
            }
            Err(PutError::Store(error)) => tracing::warn!(%error, "the writer's lease could not be renewed"),
        }
        Ok(())
    }

    async fn release(&self, lease: Option<(StateKey, u64)>) {
        let Some((key, version)) = lease else { return };
        let ended = self.client.clock().now();
        if let Err(PutError::Store(error)) =
            self.client.state().put(&key, Vec::new(), ended, OnlyIf::Version(version)).await
        {
            tracing::warn!(%error, "the writer's lease could not be released: it ends by itself");
        }
    }
}

/// One of the six, and not paid for before.
fn is_wanted(run: &Run, path: Option<&str>) -> bool {
    path.is_some_and(|path| FILES.contains(&path))
        && !run.kept.iter().any(|file| file.path.as_deref() == path)
}

/// The files that are there already, as if they were written now.
async fn show(files: &[CodeFile], out: &Out) {
    for (index, file) in files.iter().enumerate() {
        let (path, revision) = (file.path.clone(), 0);
        let language = file.language.as_str().to_owned();
        for event in [
            Event::FileStarted { index, path: path.clone(), language, revision },
            Event::FileChunk { index, path: path.clone(), revision, text: file.content.clone() },
            Event::FileFinished { index, path, revision, complete: true },
        ] {
            let _ = out.send(Ok(Written::Event(event))).await;
        }
    }
}

/// The event with its file counted behind those that were shown before.
fn shifted(mut event: Event, shown: usize) -> Event {
    if let Event::FileStarted { index, .. }
    | Event::FileChunk { index, .. }
    | Event::FileFinished { index, .. } = &mut event
    {
        *index += shown;
    }
    event
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
