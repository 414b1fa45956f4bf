//! Generation of the six files: one streamed answer, each file stored as soon as its end was seen. A run that was cut
//! off continues with the missing files.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::Sender;

use super::conversation::{CodeRef, Conversation};
use super::creator::Creator;
use super::files::{self, FILES};
use super::step::STEPS;
use super::store::{Code, CodeEntry};
use super::writer;
use crate::Event;
use crate::Generation;
use crate::answer::diagnostic::Diagnostic;
use crate::answer::file::CodeFile;
use crate::model::Tier;
use crate::money::receipt::Receipt;
use crate::request::GenerateRequest;
use crate::state::lease::Lease;
use crate::{Error, ErrorKind, Result};

/// What is shown while the files are written.
#[derive(Clone, Debug)]
pub enum Shown {
    /// An event of a file, of text, or a notice; files that were there before are shown first. Never `Finished`.
    Event(Event),
    /// The end: the row is kept, and all the files that it names.
    Written(Box<Code>),
}

/// The right to write one code, and what is left to be written.
#[derive(Debug)]
pub struct Writing {
    creator: Creator,
    conversation: Conversation,
    code: CodeRef,
    /// What is there: files that a run before kept, over those that a change is made to.
    kept: Vec<CodeFile>,
    /// The code's row, where nothing is left to do.
    done: Option<Code>,
    lease: Option<Lease>,
    within: Option<Duration>,
}

impl Writing {
    pub(super) async fn begin(
        creator: Creator,
        conversation: Conversation,
        code: CodeRef,
        within: Option<Duration>,
    ) -> Result<Self> {
        let (kept, done, lease) = (Vec::new(), None, None);
        let mut writing = Writing { creator, conversation, code, kept, done, lease, within };
        let mut row = writing.row().await?;
        if !row.as_ref().is_some_and(is_whole) {
            writing.lease = Some(writer::take(&writing.creator.client, &writing.code.code_id).await?);
            // The writer before may have ended in between.
            row = writing.row().await?;
        }
        writing.kept = writing.creator.services.kept(&writing.code, row.as_ref()).await?;
        writing.done = row.filter(is_whole);
        if writing.done.is_none()
            && let Some(change) = &writing.code.change
        {
            let Creator { client, services } = &writing.creator;
            let base = services.code(client.scope(), &writing.code.service_id, &change.base).await?;
            writing.kept = files::together(&services.files(&base).await?, &writing.kept);
            files::sort(&mut writing.kept);
        }
        Ok(writing)
    }

    /// The code's row, where a run came to write it.
    async fn row(&self) -> Result<Option<Code>> {
        let Creator { client, services } = &self.creator;
        match services.code(client.scope(), &self.code.service_id, &self.code.code_id).await {
            Ok(code) => Ok(Some(code)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes what is missing and shows it: events, then `Written` or the error. Ends early where nobody listens any
    /// more: the request to the model is closed, and what was kept stays.
    pub async fn run(mut self, out: Sender<Result<Shown>>) {
        let lease = self.lease.take();
        let ended = self.led(lease.as_ref(), &out).await;
        if let Some(lease) = &lease {
            writer::release(lease).await;
        }
        if let Some(ended) = ended {
            let shown = ended.map(|code| Shown::Written(Box::new(code))).map_err(explained);
            let _ = out.send(shown).await;
        }
    }

    /// The end, none where nobody listens any more. The lease is renewed beside all of the work: a slow reader or
    /// store must not make a second writer pay for the same files.
    async fn led(&mut self, lease: Option<&Lease>, out: &Sender<Result<Shown>>) -> Option<Result<Code>> {
        let is_done = self.done.is_some();
        let ended = match select(pin!(self.heard(out)), pin!(writer::hold(lease))).await {
            Either::Left((ended, _)) => ended,
            Either::Right((taken_over, _)) => Some(Err(taken_over)),
        };
        match ended {
            Some(Ok(code)) if !is_done => Some(self.put(lease, code).await),
            ended => ended,
        }
    }

    async fn heard(&mut self, out: &Sender<Result<Shown>>) -> Option<Result<Code>> {
        match select(pin!(self.written(out)), pin!(out.closed())).await {
            Either::Left((written, _)) => Some(written),
            Either::Right(_) => None,
        }
    }

    async fn written(&mut self, out: &Sender<Result<Shown>>) -> Result<Code> {
        self.show(out).await;
        match self.done.take() {
            Some(done) => Ok(done),
            None => self.missing(out).await,
        }
    }

    /// The row, over nobody's who has taken over.
    async fn put(&self, lease: Option<&Lease>, code: Code) -> Result<Code> {
        writer::check(lease).await?;
        self.creator.services.put_code(self.creator.client.scope(), &code).await?;
        self.creator.list(&self.conversation, Some(&code)).await;
        Ok(code)
    }

    /// Writes what is missing. With nothing missing the kept files are only checked: they were paid for before, and
    /// the run that was paid did not come to write down how much.
    async fn missing(&self, out: &Sender<Result<Shown>>) -> Result<Code> {
        let change = self.code.change.as_ref();
        if change.is_none() && files::missing(&self.kept).is_empty() {
            return Ok(self.code(&self.kept, files::check(&self.kept), None));
        }
        let request = match change {
            Some(change) => files::change_request(&self.kept, change),
            None => files::request(&self.code.data, &self.kept),
        };
        let mut request = self.creator.tiered(request, Tier::Medium);
        request.timeout = self.within;
        let generation = self.generate(request, out).await?;
        let is_new = |file: &&CodeFile| self.may_write(file.path.as_deref()) && file.complete;
        let new: Vec<CodeFile> = generation.files.iter().filter(is_new).cloned().collect();
        let mut all = files::together(&self.kept, &new);
        files::sort(&mut all);
        // The last word of a repair may differ from what was kept on the way; of a change all six are one code.
        for file in if change.is_some() { &all } else { &new } {
            let path = file.path.as_deref().unwrap_or_default();
            self.creator.services.put_file(&self.code, path, &file.content).await?;
        }
        Ok(self.code(&all, generation.diagnostics.clone(), Some(&generation)))
    }

    /// Whether an answer may write this file: one of the six, or the only one that is to change.
    fn may_write(&self, path: Option<&str>) -> bool {
        let only = self.code.change.as_ref().and_then(|change| change.file.as_deref());
        is_one(path) && only.is_none_or(|only| path == Some(only))
    }

    /// One answer of the model: files are kept as their ends are seen.
    async fn generate(
        &self,
        request: GenerateRequest,
        out: &Sender<Result<Shown>>,
    ) -> Result<Arc<Generation>> {
        let mut events = self.creator.client.stream(request);
        let mut texts: HashMap<usize, String> = HashMap::new();
        while let Some(event) = events.next().await {
            match event? {
                Event::Finished(generation) => return Ok(generation),
                event => {
                    self.keep(&mut texts, &event).await;
                    let _ = out.send(Ok(Shown::Event(shifted(event, self.kept.len())))).await;
                }
            }
        }
        Err(Error::new(ErrorKind::Unavailable, "the answer broke off: repeat the request"))
    }

    /// A file that cannot be kept now does not end the answer, which is paid for: it is put again at the end.
    async fn keep(&self, texts: &mut HashMap<usize, String>, event: &Event) {
        match event {
            Event::FileStarted { index, .. } => {
                texts.insert(*index, String::new());
            }
            Event::FileChunk { index, text, .. } => texts.entry(*index).or_default().push_str(text),
            Event::FileFinished { index, path, complete: true, .. } if self.may_write(path.as_deref()) => {
                let content = texts.remove(index).unwrap_or_default();
                let path = path.as_deref().unwrap_or_default();
                if let Err(error) = self.creator.services.put_file(&self.code, path, &content).await {
                    tracing::warn!(%error, "a file could not be kept on the way");
                }
            }
            _ => {}
        }
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
            receipt: generation.map_or_else(Receipt::lost, |g| g.receipt.clone()),
            sample: generation.is_some_and(|g| g.sample),
            generated_at: self.creator.client.clock().now().iso(),
        }
    }
}

/// Whether a row is of all six files. One of fewer says what an answer had: the others are still to be written.
fn is_whole(code: &Code) -> bool {
    code.files.len() == FILES.len()
}

/// Whether it is one of the six.
fn is_one(path: Option<&str>) -> bool {
    path.is_some_and(|path| FILES.contains(&path))
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
    if error.kind() != ErrorKind::NoSample {
        return error;
    }
    let answers: Vec<String> = STEPS.iter().map(|step| format!("{}: {}", step.title, step.example)).collect();
    Error::new(
        ErrorKind::NoSample,
        format!(
            "offline there is one sample service, for exactly these answers: {}. For any other service connect a \
             model: AWS credentials, ANTHROPIC_API_KEY, or a local Messages API server (ANTHROPIC_BASE_URL)",
            answers.join(" · ")
        ),
    )
}
