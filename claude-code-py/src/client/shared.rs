//! Shared part of both clients: settings, the defaults of requests, the connection, and the calls.

use std::sync::{Arc, Mutex, PoisonError};

use claude_code_aws::batch::lane::BatchLane;
use claude_code_aws::request::GenerateRequest;
use claude_code_aws::service_creator::Creator;
use claude_code_aws::{BudgetScope, Error, ErrorKind, GenerationStream, Result, doctor};
use pyo3::prelude::*;

use crate::client::connection::Link;
use crate::client::reader::{follow, handed_out};
use crate::client::recipe::Recipe;
use crate::convert::error::raise;
use crate::convert::options::Options;
use crate::notebook::tally;
use crate::notebook::telemetry::{self, Trace, Watch};
use crate::result::generation::{Generation, Origin};
use crate::result::values::{Budget, Estimate, Finding};
use crate::runtime;
use crate::runtime::call::{Next, Step, Work, work};

/// What both faces of a client share.
pub(crate) struct Shared {
    link: Mutex<Option<Arc<Link>>>,
    recipe: Recipe,
}

impl Shared {
    pub(crate) fn new(link: Arc<Link>, recipe: Recipe) -> Arc<Shared> {
        Arc::new(Shared { link: Mutex::new(Some(link)), recipe })
    }

    /// What a pickle makes it from. Fails for one that is closed, or that lives in this process only.
    pub(crate) fn recipe(&self) -> Result<Recipe> {
        self.link()?;
        self.recipe.clone().checked()
    }

    fn link(&self) -> Result<Arc<Link>> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner).clone();
        link.ok_or_else(closed)
    }

    /// The connection, made if need be.
    pub(crate) async fn core(&self) -> Result<claude_code_aws::Client> {
        self.link()?.client().await
    }

    /// The engine of batch jobs beside it, or why there is none.
    pub(crate) async fn batch_lane(&self) -> Result<std::result::Result<Arc<dyn BatchLane>, String>> {
        claude_code_aws::connect::batch::batch_lane(&self.link()?.submitting()).await
    }

    /// The service creator beside it.
    pub(crate) async fn creator(&self) -> Result<Creator> {
        self.link()?.creator().await
    }

    /// Lets go of the connection; the work that is left is done when the local state is another's to open. None: there
    /// is none.
    pub(crate) fn close(&self) -> Option<Work> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let here = link.is_open() && !runtime::is_stopped();
        here.then(|| {
            work(async move {
                link.release();
                Ok(None::<()>)
            })
        })
    }

    /// The one work of generate, refactor and refine.
    pub(crate) fn generate(py: Python<'_>, origin: &Origin, mut options: Options) -> Work {
        let watch = telemetry::watch(py, &options.request, &origin.client);
        options.trace = watch.as_ref().map(Watch::trace);
        if options.on_event.is_some() {
            return follow(origin.clone(), options).with_watch(watch);
        }
        let Options { request, raised, trace, .. } = options;
        let origin = origin.clone();
        let made = Work::new(async move {
            let ended = ended(&origin, Trace::around(trace.as_deref(), request)).await;
            // Handed out where the caller takes it: one that was cancelled meanwhile is charged nothing.
            let step: Step = Box::new(move |py| {
                let made = ended.and_then(|mut stream| handed_out(&mut stream, trace.as_deref()));
                let made = made.inspect(|made| tally::count(made)).inspect_err(tally::failed);
                let generation = made.map_err(|error| raise(py, error))?;
                Ok(Next::Done(Py::new(py, Generation::made(generation, origin))?.into_any()))
            });
            step
        });
        made.unless(raised).with_watch(watch)
    }

    pub(crate) fn budget(self: Arc<Self>) -> Work {
        work(async move { Ok(Budget::from(self.core().await?.budget().await?)) })
    }

    pub(crate) fn stop_budget(self: Arc<Self>) -> Work {
        work(async move { self.core().await?.stop_budget(BudgetScope::Everybody).await })
    }

    pub(crate) fn resume_budget(self: Arc<Self>) -> Work {
        work(async move { self.core().await?.resume_budget(BudgetScope::Everybody).await })
    }

    pub(crate) fn doctor(self: Arc<Self>) -> Work {
        Work::new(async move {
            let examined = async { Ok(doctor::examine(&self.link()?.examined()).await) }.await;
            let step: Step = Box::new(move |py| {
                let findings = examined.map_err(|error| raise(py, error))?;
                let findings: Vec<_> = findings.into_iter().map(Finding).collect();
                let list = py.import("claude_code._findings")?.getattr("Findings")?;
                Ok(Next::Done(list.call1((findings,))?.unbind()))
            });
            step
        })
    }

    /// The name of who answers, as telemetry has it.
    pub(crate) fn provider(&self) -> &'static str {
        self.link().map_or("bedrock", |link| link.config.provider.name())
    }

    /// The model that a request names, or the client for it.
    pub(crate) fn model(&self, request: &GenerateRequest) -> Option<String> {
        let own = || self.link().ok()?.config.policy.model.clone().filter(|_| request.tier.is_none());
        request.model.clone().or_else(own)
    }

    /// What a request would come to: without a connection, so that it needs no credentials.
    pub(crate) fn estimate(&self, request: GenerateRequest) -> Result<Estimate> {
        Ok(self.link()?.config.estimate(request)?.into())
    }

    /// The catalogue's models, in a schema.
    pub(crate) fn models(&self) -> Result<serde_json::Value> {
        let link = self.link()?;
        let policy = &link.config.policy;
        let models = policy.catalogue.models().iter().map(|card| {
            serde_json::json!({
                "name": card.name,
                "id": policy.reach.id(card).map(|id| id.to_string()),
                "family": card.family.to_string(),
                "context_window": card.context_window,
                "max_output_tokens": card.max_output_tokens,
                "end_of_life": card.lifecycle.eol,
                "successor": card.lifecycle.successor,
            })
        });
        Ok(models.collect())
    }

    pub(crate) fn describe(&self, name: &str) -> String {
        let Ok(link) = self.link() else { return format!("<{name}, closed>") };
        let store = link.config.store.unwrap_or(link.config.default_store);
        let store = format!("{store:?}").to_lowercase();
        format!("<{name}, provider {}, store {store}>", link.config.provider.name())
    }
}

/// A request at its end, with its result not handed out yet.
async fn ended(origin: &Origin, request: GenerateRequest) -> Result<GenerationStream> {
    let mut stream = origin.client.core().await?.stream(request);
    stream.finish().await;
    Ok(stream)
}

pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::InvalidRequest, "the client is closed: make another one")
}
