//! Asking: one stage after the other within one budget, in process or through the HTTP API, with what is paid for kept.

use std::path::Path;
use std::sync::Arc;

use claude_code_aws::connect::config::{Provider, Store};
use claude_code_aws::remote::Remote;
use claude_code_aws::{
    Check, Client, CodeFile, Config, Diagnostic, Error, ErrorKind, Event, GenerateRequest, Generation,
    PicoUsd, Result, Secret, local,
};
use futures_util::TryStreamExt;

use crate::args::Common;
use crate::checks::errors;
use crate::progress::{self, Progress};
use crate::receipt::Account;
use crate::resume::{self, Rest};
use crate::stages::Stages;
use crate::terminal::note;

/// Rounds of repair through the HTTP API, as in process.
const ROUNDS: usize = 2;

/// Who answers.
#[derive(Debug)]
enum Origin {
    Here(Box<Client>),
    There(Box<Remote>),
}

/// What a stage gave.
#[derive(Debug)]
pub struct Answer {
    /// Its files.
    pub files: Vec<CodeFile>,
    /// Whether no check found an error.
    pub accepted: bool,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

impl Answer {
    fn of(generation: Generation, diagnostics: Vec<Diagnostic>) -> Self {
        Answer { files: generation.files, accepted: generation.accepted, diagnostics }
    }
}

/// The stages of a run, asked for one after the other.
#[derive(Debug)]
pub struct Asker {
    origin: Origin,
    model: Option<String>,
    budget: Option<PicoUsd>,
    /// What the stages cost so far.
    pub account: Account,
    /// What is kept of them.
    pub stages: Stages,
}

impl Asker {
    /// Who answers by these options; offline the sample answers of this directory.
    pub async fn open(common: &Common, samples: &Path, stages: Stages) -> Result<Self> {
        let mut config = Config::from_env()?;
        config.default_store = Store::Disk;
        let origin = match &common.endpoint {
            Some(url) => {
                let token =
                    std::env::var("CLAUDE_CODE_AWS_SERVE_TOKEN").ok().filter(|token| !token.is_empty());
                Origin::There(Box::new(Remote::new(url, token.map(Secret::new), &config.network)?))
            }
            None => {
                if common.offline {
                    note("SAMPLE ANSWERS: written by this project, not by a model");
                    config.provider = Provider::Samples;
                    let answers = common.answers.as_deref().unwrap_or(samples);
                    config.answers = Some(local::answers_of(answers)?);
                }
                Origin::Here(Box::new(claude_code_aws::connect(config).await?))
            }
        };
        let (model, budget) = (common.model.clone(), common.budget);
        Ok(Asker { origin, model, budget, account: Account::default(), stages })
    }

    /// The answer to a stage's request: kept from a run that was stopped, or asked for now. Where it is known which files
    /// are `needed`, whole files of an answer that was broken off are not asked for again.
    pub async fn ask(&mut self, stage: &str, request: GenerateRequest, needed: &[String]) -> Result<Answer> {
        if let Some(kept) = self.stages.kept(&request) {
            // It was accepted by the checks of its own run: these may be others.
            let found = match &request.check {
                Some(check) => check.check(&kept.files).await,
                None => Vec::new(),
            };
            if errors(&found).is_empty() {
                note(&format!("{stage}: kept from the run before"));
                self.account.kept(stage);
                return Ok(Answer::of(kept, found));
            }
            note(&format!(
                "{stage}: what was kept does not pass the checks of this run; it is asked for again"
            ));
        }
        note(stage);
        let before = match needed {
            [] => Vec::new(),
            _ => self.stages.kept_files(&request),
        };
        let mut sent = request.clone();
        if !before.is_empty() {
            note(&format!("  {} files are kept from the run before", before.len()));
            match resume::rest(&request, &before, needed).await {
                Rest::Nothing => {
                    return Ok(Answer { files: before, accepted: true, diagnostics: Vec::new() });
                }
                Rest::Ask(rest) => sent = *rest,
            }
        }
        sent.model.clone_from(&self.model);
        sent.max_usd = self.left()?.or(sent.max_usd);
        let answered = self.answer(&sent, &request, &before).await;
        let paid = answered.as_ref().map_or_else(|error| error.partial(), Some);
        if let Some(paid) = paid {
            self.account.add(stage, paid);
        }
        let mut generation = answered?;
        resume::complete(&mut generation.files, before);
        if generation.accepted {
            self.stages.keep(&request, &generation);
        }
        let findings = generation.diagnostics.clone();
        Ok(Answer::of(generation, findings))
    }

    /// What may still be spent; an error where it is nothing.
    fn left(&self) -> Result<Option<PicoUsd>> {
        let Some(budget) = self.budget else { return Ok(None) };
        let left = budget.saturating_sub(self.account.spent());
        if left == PicoUsd::ZERO {
            let spent = self.account.spent();
            return Err(Error::new(
                ErrorKind::Budget,
                format!(
                    "the budget of ${budget} is spent (${spent}): raise --budget; the same command goes on"
                ),
            ));
        }
        Ok(Some(left))
    }

    async fn answer(
        &self,
        sent: &GenerateRequest,
        request: &GenerateRequest,
        before: &[CodeFile],
    ) -> Result<Generation> {
        let stages = &self.stages;
        let mut view = Progress::default();
        let mut seen = |event: &Event| {
            if view.see(event) {
                let arrived = view.finished();
                let mut files: Vec<CodeFile> = before.to_vec();
                files.retain(|kept| !arrived.iter().any(|file| file.path == kept.path));
                files.extend(arrived);
                stages.keep_files(request, &files);
            }
        };
        let answered = match &self.origin {
            Origin::Here(client) => here(client, sent.clone(), &mut seen).await,
            Origin::There(remote) => there(remote, sent, &mut seen).await,
        };
        progress::clear();
        answered
    }
}

/// Streams an answer; Ctrl-C ends it with an account of what it cost.
async fn here(
    client: &Client,
    request: GenerateRequest,
    seen: &mut (impl FnMut(&Event) + Send),
) -> Result<Generation> {
    let mut stream = client.stream(request);
    let interrupter = stream.interrupter();
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupter.set();
        }
        std::future::pending::<()>().await;
    };
    let read = async {
        while let Some(event) = stream.try_next().await? {
            seen(&event);
            if let Event::Finished(generation) = event {
                return Ok(Arc::unwrap_or_clone(generation));
            }
        }
        Err(Error::new(ErrorKind::Protocol, "the answer ended without a result: try again"))
    };
    tokio::select! {
        answered = read => answered,
        () = interrupted => Err(Error::new(ErrorKind::Interrupted, "interrupted")),
    }
}

/// Asks a server; checks of ours run here, and what they find goes back as instructions.
async fn there(
    remote: &Remote,
    request: &GenerateRequest,
    seen: &mut (impl FnMut(&Event) + Send),
) -> Result<Generation> {
    let mut generation = remote.generate(request, &mut *seen).await?;
    let Some(check) = &request.check else { return Ok(generation) };
    for round in 0..=ROUNDS {
        let found = check.check(&generation.files).await;
        generation.accepted =
            errors(&found).is_empty() && !generation.diagnostics.iter().any(|d| d.is_error());
        if generation.accepted || round == ROUNDS {
            generation.diagnostics.extend(found);
            break;
        }
        note("  repair");
        let found: Vec<Diagnostic> = found.into_iter().chain(generation.diagnostics.clone()).collect();
        let next = resume::repair(request, &generation.files, &found);
        let mended = remote.generate(&next, &mut *seen).await?;
        merge(&mut generation, mended);
    }
    Ok(generation)
}

/// The answer with what a repair changed, and the receipt of both.
fn merge(generation: &mut Generation, mended: Generation) {
    for file in mended.files {
        match generation.files.iter_mut().find(|known| known.path == file.path) {
            Some(known) => *known = file,
            None => generation.files.push(file),
        }
    }
    generation.receipt.add(mended.receipt);
    generation.usage.input_tokens += mended.usage.input_tokens;
    generation.usage.output_tokens += mended.usage.output_tokens;
    generation.attempts.extend(mended.attempts);
    generation.diagnostics = mended.diagnostics;
}

/// A check that is shared.
pub fn shared(check: impl Check + 'static) -> Arc<dyn Check> {
    Arc::new(check)
}
