//! Fan-out: one observation goes to every exporter that the settings name.

use std::sync::Arc;

use claude_code_core::metrics::{MetricsSink, Observation};
use claude_code_core::{ClientBuilder, Clock};

use crate::clock::SystemClock;
use crate::connect::config::Config;
use crate::metrics::emf::Emf;
use crate::metrics::open_metrics::Registry;
use crate::metrics::request_log::RequestLog;

/// The exporters of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observers {
    /// What `/metrics` shows.
    pub(crate) registry: Arc<Registry>,
    /// CloudWatch's lines on stdout, where they are on.
    pub(crate) emf: Option<Emf>,
    log: Option<RequestLog>,
}

impl Observers {
    /// Those of the settings.
    pub(crate) fn of(config: &Config) -> Self {
        Observers {
            registry: Arc::default(),
            emf: config.emf.then(Emf::stdout),
            log: config.request_log.then(RequestLog::stderr),
        }
    }

    /// The builder with observations going to all of them.
    pub(crate) fn watch(&self, builder: ClientBuilder) -> ClientBuilder {
        builder.with_metrics(Arc::new(self.clone()))
    }

    /// Notes a request that was refused because its caller was not signed in.
    #[cfg(feature = "server")]
    pub(crate) fn authentication_failed(&self) {
        self.registry.authentication_failed();
        if let Some(emf) = &self.emf {
            emf.authentication_failed(SystemClock.now().0);
        }
    }
}

impl MetricsSink for Observers {
    fn record(&self, observation: &Observation) {
        self.registry.record(observation);
        let now = SystemClock.now().0;
        if let Some(emf) = &self.emf {
            emf.write(observation, now);
        }
        if let Some(log) = &self.log {
            log.write(observation, now);
        }
    }
}
