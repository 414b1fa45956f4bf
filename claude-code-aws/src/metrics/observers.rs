//! Fan-out: one observation goes to every exporter that the settings name.

use std::sync::Arc;

use aws_sdk_sts::config::SharedCredentialsProvider;
use claude_code_core::metrics::{MetricsSink, Observation};
use claude_code_core::{ClientBuilder, Clock};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::SystemClock;
use crate::connect::config::Config;
#[cfg(feature = "otlp")]
use crate::connect::config::Provider;
use crate::metrics::emf;
use crate::metrics::open_metrics::Registry;
#[cfg(feature = "otlp")]
use crate::metrics::otlp::Exporter;
use crate::metrics::request_log::LogForm;

/// The exporters of one process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observers {
    /// What `/metrics` shows.
    pub(crate) registry: Arc<Registry>,
    /// CloudWatch's lines on stdout, where they are on.
    emf: bool,
    log: LogForm,
    #[cfg(feature = "otlp")]
    otlp: Option<Arc<Exporter>>,
}

impl Observers {
    /// Those of the settings. Credentials sign what goes to CloudWatch.
    pub(crate) fn of(config: &Config, credentials: Option<SharedCredentialsProvider>) -> Self {
        #[cfg(not(feature = "otlp"))]
        drop(credentials);
        Observers {
            registry: Arc::default(),
            emf: config.emf,
            log: config.log,
            #[cfg(feature = "otlp")]
            otlp: config.otlp.clone().map(|settings| {
                let connector = crate::connect::transport::connector(&config.network);
                let provider = if config.provider == Provider::Anthropic { "anthropic" } else { "bedrock" };
                Exporter::new(settings, provider, connector, credentials)
            }),
        }
    }

    /// The builder with observations going to all of them.
    pub(crate) fn watch(&self, builder: ClientBuilder) -> ClientBuilder {
        let builder = builder.with_metrics(Arc::new(self.clone()));
        if self.records_spans() { builder.with_spans() } else { builder }
    }

    #[cfg(feature = "otlp")]
    fn records_spans(&self) -> bool {
        self.otlp.as_ref().is_some_and(|otlp| otlp.records_spans())
    }

    #[cfg(not(feature = "otlp"))]
    fn records_spans(&self) -> bool {
        false
    }

    /// Whether anything waits to be sent after a request.
    #[cfg(feature = "server")]
    pub(crate) fn waits(&self) -> bool {
        self.otlp.is_some()
    }

    /// Notes a request that was refused because its caller was not signed in.
    #[cfg(feature = "server")]
    pub(crate) fn authentication_failed(&self) {
        self.registry.authentication_failed();
        if self.emf {
            emf::put(emf::authentication_failure(SystemClock.now().0));
        }
    }
}

impl MetricsSink for Observers {
    fn record(&self, observation: &Observation) {
        self.registry.record(observation);
        let now = SystemClock.now().0;
        if self.emf {
            emf::put(emf::line(observation, now));
        }
        self.log.write(observation, now);
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &self.otlp {
            otlp.record(observation);
        }
    }

    fn flush(&self) -> BoxFuture<'_, ()> {
        async {
            #[cfg(feature = "otlp")]
            if let Some(otlp) = &self.otlp {
                otlp.flush().await;
            }
        }
        .boxed()
    }
}
