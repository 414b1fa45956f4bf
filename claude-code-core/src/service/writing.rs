//! Writing the six files of a service: one streamed answer, each file kept as soon as its end was seen, and a run
//! that was cut off goes on with the files that are missing.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, timeout_at};

use super::conversation::CodeRef;
use super::creator::Creator;
use super::files::{self, FILES};
use super::step::STEPS;
use super::store::{Code, CodeEntry};
use crate::diagnostic::Diagnostic;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::file::CodeFile;
use crate::generation::Generation;
use crate::receipt::Receipt;
use crate::request::GenerateRequest;
use crate::state::{OnlyIf, PutError, StateKey, StateKind};

/// A writer that shows no life for so long is dead, and another one may go on.
const LEASE: Duration = Duration::from_secs(30);
/// How often it shows that it lives.
const RENEW: Duration = Duration::from_secs(10);

/// What is shown while the files are written.
#[derive(Clone, Debug)]
pub enum Shown {
    /// An event of a file, of text, or a notice; files that were there before are shown first. Never `Finished`.
    Event(Event),
    /// The end: all six files are kept.
    Written(Box<Code>),
}

/// The right to write one code, and what is left to be written.
#[derive(Debug)]
pub struct Writing {
    creator: Creator,
    code: CodeRef,
    kept: Vec<CodeFile>,
    /// The code's row, where nothing is left to do.
    done: Option<Code>,
    lease: Option<(StateKey, u64)>,
    within: Option<Duration>,
}

impl Writing {
    pub(super) async fn begin(creator: Creator, code: CodeRef, within: Option<Duration>) -> Result<Self> {
        let mut writing = Writing { creator, code, kept: Vec::new(), done: None, lease: None, within };
        writing.done = writing.found().await?;
        if writing.done.is_none() {
            writing.lease = Some(writing.take().await?);
            writing.kept = writing.stored().await?;
        }
        Ok(writing)
    }

    async fn found(&self) -> Result<Option<Code>> {
        let Creator { client, services } = &self.creator;
        match services.code(client.scope(), &self.code.service_id, &self.code.code_id).await {
            Ok(code) => Ok(Some(code)),
            Err(error) if error.kind == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn stored(&self) -> Result<Vec<CodeFile>> {
        self.creator.services.files(&self.code.service_id, &self.code.code_id).await
    }

    /// Writes what is missing and shows it: events, then `Written` or the error. Ends early where nobody listens any
    /// more: the request to the model is closed, and what was kept stays.
    pub async fn run(mut self, out: Sender<Result<Shown>>) {
        let ended = match select(pin!(self.written(&out)), pin!(out.closed())).await {
            Either::Left((ended, _)) => Some(ended),
            Either::Right(_) => None,
        };
        self.release().await;
        if let Some(ended) = ended {
            let shown = ended.map(|code| Shown::Written(Box::new(code))).map_err(explained);
            let _ = out.send(shown).await;
        }
    }

    async fn written(&mut self, out: &Sender<Result<Shown>>) -> Result<Code> {
        if let Some(done) = self.done.take() {
            self.kept = self.stored().await?;
            self.show(out).await;
            return Ok(done);
        }
        self.show(out).await;
        let code = self.missing(out).await?;
        let Creator { client, services } = &self.creator;
        services.put_code(client.scope(), &code).await?;
        Ok(code)
    }

    /// Writes what is missing. With nothing missing the kept files are only checked: they were paid for before.
    async fn missing(&mut self, out: &Sender<Result<Shown>>) -> Result<Code> {
        if files::missing(&self.kept).is_empty() {
            return Ok(self.code(&self.kept, files::check(&self.kept), None));
        }
        let mut request = files::request(&self.code.data, &self.kept);
        request.timeout = self.within;
        let generation = self.generate(request, out).await?;
        let new =
            generation.files.iter().filter(|file| self.is_wanted(file.path.as_deref()) && file.complete);
        let mut all: Vec<CodeFile> = self.kept.iter().chain(new).cloned().collect();
        all.sort_by_key(|file| FILES.iter().position(|name| file.path.as_deref() == Some(*name)));
        for file in &all {
            // The last word of a repair may differ from what was kept on the way.
            let path = file.path.as_deref().unwrap_or_default();
            if self.is_wanted(Some(path)) {
                self.creator.services.put_file(&self.code, path, &file.content).await?;
            }
        }
        Ok(self.code(&all, generation.diagnostics.clone(), Some(&generation)))
    }

    /// One answer of the model: files are kept as their ends are seen, and the lease is renewed while it lasts.
    async fn generate(
        &mut self,
        request: GenerateRequest,
        out: &Sender<Result<Shown>>,
    ) -> Result<Arc<Generation>> {
        let mut events = self.creator.client.stream(request);
        let mut texts: HashMap<usize, String> = HashMap::new();
        let mut renewal = Instant::now() + RENEW;
        loop {
            let Ok(event) = timeout_at(renewal, events.next()).await else {
                self.renew().await?;
                renewal = Instant::now() + RENEW;
                continue;
            };
            match event {
                Some(Ok(Event::Finished(generation))) => return Ok(generation),
                Some(Ok(event)) => {
                    self.keep(&mut texts, &event).await?;
                    let _ = out.send(Ok(Shown::Event(shifted(event, self.kept.len())))).await;
                }
                Some(Err(error)) => return Err(error),
                None => {
                    return Err(Error::new(Kind::Unavailable, "the answer broke off: repeat the request"));
                }
            }
        }
    }

    async fn keep(&self, texts: &mut HashMap<usize, String>, event: &Event) -> Result<()> {
        match event {
            Event::FileStarted { index, .. } => {
                texts.insert(*index, String::new());
            }
            Event::FileChunk { index, text, .. } => texts.entry(*index).or_default().push_str(text),
            Event::FileFinished { index, path, complete: true, .. } if self.is_wanted(path.as_deref()) => {
                let content = texts.remove(index).unwrap_or_default();
                let path = path.as_deref().unwrap_or_default();
                self.creator.services.put_file(&self.code, path, &content).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// One of the six, and not paid for before.
    fn is_wanted(&self, path: Option<&str>) -> bool {
        path.is_some_and(|path| FILES.contains(&path))
            && !self.kept.iter().any(|file| file.path.as_deref() == path)
    }

    /// The files that are there already, as if they were written now.
    async fn show(&self, out: &Sender<Result<Shown>>) {
        for (index, file) in self.kept.iter().enumerate() {
            let (path, revision) = (file.path.clone(), 0);
            let language = file.language.to_string();
            for event in [
                Event::FileStarted { index, path: path.clone(), language, revision },
                Event::FileChunk { index, path: path.clone(), revision, text: file.content.clone() },
                Event::FileFinished { index, path, revision, complete: true },
            ] {
                let _ = out.send(Ok(Shown::Event(event))).await;
            }
        }
    }

    fn code(
        &self,
        files: &[CodeFile],
        diagnostics: Vec<Diagnostic>,
        generation: Option<&Generation>,
    ) -> Code {
        Code {
            service_id: self.code.service_id.clone(),
            code_id: self.code.code_id.clone(),
            accepted: files::missing(files).is_empty() && !diagnostics.iter().any(Diagnostic::is_error),
            files: files.iter().map(CodeEntry::of).collect(),
            diagnostics,
            model: generation.map(|g| g.model.clone()),
            receipt: generation.map_or_else(Receipt::default, |g| g.receipt.clone()),
            sample: generation.is_some_and(|g| g.sample),
            generated_at: self.creator.client.clock().now().iso(),
        }
    }

    async fn take(&self) -> Result<(StateKey, u64)> {
        let client = &self.creator.client;
        let key = StateKey::new(StateKind::Lease, client.scope(), format!("service/{}", self.code.code_id));
        let now = client.clock().now();
        match client.state().put(&key, Vec::new(), now.plus(LEASE), OnlyIf::AbsentAt(now)).await {
            Ok(version) => Ok((key, version)),
            Err(PutError::Conflict) => {
                let message = "the files are being written by another request: repeat this one later";
                Err(Error { retry_after: Some(LEASE), ..Error::new(Kind::Conflict, message) })
            }
            Err(PutError::Store(error)) => Err(error),
        }
    }

    async fn renew(&mut self) -> Result<()> {
        let Some((key, version)) = &mut self.lease else { return Ok(()) };
        let client = &self.creator.client;
        let until = client.clock().now().plus(LEASE);
        match client.state().put(key, Vec::new(), until, OnlyIf::Version(*version)).await {
            Ok(renewed) => *version = renewed,
            Err(PutError::Conflict) => {
                return Err(Error::new(Kind::Conflict, "another request has taken the files over"));
            }
            Err(PutError::Store(error)) => tracing::warn!(%error, "the writer's lease could not be renewed"),
        }
        Ok(())
    }

    async fn release(&mut self) {
        let Some((key, version)) = self.lease.take() else { return };
        let client = &self.creator.client;
        let ended = client.clock().now();
        if let Err(PutError::Store(error)) =
            client.state().put(&key, Vec::new(), ended, OnlyIf::Version(version)).await
        {
            tracing::warn!(%error, "the writer's lease could not be released: it ends by itself");
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
