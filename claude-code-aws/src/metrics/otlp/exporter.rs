//! The exporter: keeps spans and metrics, and sends them within seconds or when a host says so. It never fails a call, and
//! what cannot be sent is dropped once too much of it waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use claude_code_core::Clock;
use claude_code_core::metrics::Observation;

use super::labels::Labels;
use super::meters::Meters;
use super::protobuf::{Message, Value};
use super::settings::{Settings, Target};
use super::signature::Signer;
use super::{labels, spans};
use crate::clock::SystemClock;

/// How long one flush may take, the waiting for another one included.
const FLUSH: Duration = Duration::from_secs(2);
/// What is recorded is sent after this time at the latest, as OpenTelemetry's own processors do.
const DELAY: Duration = Duration::from_secs(5);
/// Spans that wait; more are dropped, as OpenTelemetry's own processors do.
const WAITING: usize = 2_048;
/// The same trouble is told once in this time.
const QUIET: Duration = Duration::from_secs(60);

/// The exporter of one process.
#[derive(Debug)]
pub(crate) struct Exporter {
    settings: Settings,
    provider: &'static str,
    resource: Message,
    connector: SharedHttpConnector,
    signer: Option<Signer>,
    waiting: Mutex<Waiting>,
    /// Whether a flush is planned.
    planned: AtomicBool,
    flushing: tokio::sync::Mutex<()>,
    warned: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Waiting {
    spans: Vec<Vec<u8>>,
    meters: Meters,
}

impl Exporter {
    /// An exporter of what happens with this provider, over this connector.
    pub(crate) fn new(
        settings: Settings,
        provider: &str,
        connector: SharedHttpConnector,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Arc<Self> {
        let mut resource = Message::default();
        for (name, value) in &settings.resource {
            resource.attribute(1, name, Value::Text(value));
        }
        let meters = Meters::new(nanos(), settings.is_delta, settings.old_names);
        Arc::new(Exporter {
            provider: labels::provider(provider),
            resource,
            connector,
            signer: credentials.map(Signer::new),
            waiting: Mutex::new(Waiting { spans: Vec::new(), meters }),
            planned: AtomicBool::new(false),
            flushing: tokio::sync::Mutex::default(),
            warned: Mutex::default(),
            settings,
        })
    }

    /// Whether requests become spans.
    pub(crate) fn records_spans(&self) -> bool {
        self.settings.has_traces()
    }

    /// Keeps the spans and figures of a request, and plans to send them.
    pub(crate) fn record(self: &Arc<Self>, seen: &Observation) {
        let encoded = match self.settings.has_traces() {
            true => spans::of(self.provider, seen, self.settings.old_names),
            false => Vec::new(),
        };
        let mut waiting = self.waiting();
        waiting.meters.record(Labels::of(self.provider, seen), seen);
        let room = WAITING.saturating_sub(waiting.spans.len());
        waiting.spans.extend(encoded.into_iter().take(room));
        drop(waiting);
        self.plan();
    }

    /// A flush of its own after a while, where there is a runtime for it.
    fn plan(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.planned.swap(true, Ordering::SeqCst) {
            return;
        }
        let exporter = Arc::downgrade(self);
        runtime.spawn(async move {
            tokio::time::sleep(DELAY).await;
            if let Some(exporter) = exporter.upgrade() {
                exporter.planned.store(false, Ordering::SeqCst);
                exporter.flush().await;
            }
        });
    }

    /// Sends what waits, within two seconds.
    pub(crate) async fn flush(&self) {
        let work = async {
            let _turn = self.flushing.lock().await;
            futures_util::future::join(self.send_traces(), self.send_metrics()).await;
        };
        if tokio::time::timeout(FLUSH, work).await.is_err() {
            self.warn("no answer within 2 s");
        }
    }

    async fn send_traces(&self) {
        let Some(target) = &self.settings.traces else { return };
        let waiting = std::mem::take(&mut self.waiting().spans);
        if waiting.is_empty() {
            return;
        }
        let body = self.request(|scope| waiting.iter().for_each(|span| scope.bytes(2, span)));
        if self.send(target, body).await == Sent::Later {
            let mut now = self.waiting();
            let room = WAITING.saturating_sub(now.spans.len());
            now.spans.extend(waiting.into_iter().take(room));
        }
    }

    async fn send_metrics(&self) {
        let Some(target) = &self.settings.metrics else { return };
        let Some(report) = self.waiting().meters.report(nanos()) else { return };
        let body = self.request(|scope| scope.append(&report));
        self.send(target, body).await;
    }

    /// An export request: resource, scope, and in it what `write` adds.
    fn request(&self, write: impl FnOnce(&mut Message)) -> Vec<u8> {
        let mut request = Message::default();
        request.message(1, |of_resource| {
            of_resource.bytes(1, self.resource.as_bytes());
            of_resource.message(2, |scope| {
                scope.message(1, |own| {
                    own.bytes(1, "claude_code");
                    own.bytes(2, env!("CARGO_PKG_VERSION"));
                });
                write(scope);
            });
        });
        request.into_bytes()
    }

    async fn send(&self, target: &Target, body: Vec<u8>) -> Sent {
        let host = target.url.host().unwrap_or_default();
        let request = match self.built(target, body).await {
            Ok(request) => request,
            Err(why) => {
                self.warn(&format!("{host}: {why}"));
                return Sent::Never;
            }
        };
        match self.connector.call(request).await {
            Ok(answer) => match answer.status().as_u16() {
                200..=299 => Sent::Now,
                status @ (429 | 502 | 503 | 504) => {
                    self.warn(&format!("{host} answers {status}"));
                    Sent::Later
                }
                status => {
                    self.warn(&format!("{host} answers {status}"));
                    Sent::Never
                }
            },
            Err(failed) => {
                let why = crate::connect::unreachable(&failed).map_or_else(
                    || format!("{host} cannot be reached"),
                    |unreachable| unreachable.to_string(),
                );
                self.warn(&why);
                Sent::Later
            }
        }
    }

    async fn built(&self, target: &Target, body: Vec<u8>) -> Result<HttpRequest, String> {
        let mut request =
            http::Request::post(target.url.clone()).header("content-type", "application/x-protobuf");
        for (name, value) in &target.headers {
            request = request.header(name, value.expose());
        }
        let mut request = request.body(body).map_err(|error| error.to_string())?;
        if let Some((service, region)) = &target.signed_for {
            let signer = self.signer.as_ref().ok_or("no AWS credentials found")?;
            signer.sign(&mut request, (service, region.as_str())).await?;
        }
        HttpRequest::try_from(request.map(SdkBody::from)).map_err(|error| error.to_string())
    }

    /// Tells that telemetry is lost, unless that was told a moment ago.
    fn warn(&self, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() > QUIET) {
            tracing::warn!("spans and metrics could not be sent: {why}; requests go on without them");
            *warned = Some(Instant::now());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an export.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Now,
    /// The receiver may take it later.
    Later,
    /// It never will.
    Never,
}

/// Now, in nanoseconds since 1970.
fn nanos() -> u64 {
    u64::try_from(SystemClock.now().0).unwrap_or(0).saturating_mul(1_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use aws_smithy_runtime_api::client::http::HttpConnectorFuture;

    use super::*;

    /// A receiver that takes every request and never answers.
    #[derive(Clone, Debug, Default)]
    struct Silent(Arc<AtomicUsize>);

    impl HttpConnector for Silent {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.0.fetch_add(1, Ordering::SeqCst);
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    fn exporter() -> (Arc<Exporter>, Silent) {
        let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "http://127.0.0.1:4318".to_owned())];
        let settings = Settings::from_vars(&vars.into()).unwrap();
        let silent = Silent::default();
        (Exporter::new(settings, "bedrock", SharedHttpConnector::new(silent.clone()), None), silent)
    }

    #[tokio::test(start_paused = true)]
    async fn a_receiver_that_never_answers_holds_a_flush_up_for_two_seconds() {
        let (exporter, silent) = exporter();
        exporter.record(&Observation::new("accepted"));
        let begun = tokio::time::Instant::now();
        // The second waits for the first one's turn, and no longer.
        futures_util::future::join(exporter.flush(), exporter.flush()).await;
        assert_eq!((begun.elapsed(), silent.0.load(Ordering::SeqCst)), (FLUSH, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_recorded_is_sent_within_five_seconds_without_being_told_to() {
        let (exporter, silent) = exporter();
        for _ in 0..3 {
            exporter.record(&Observation::new("accepted"));
        }
        tokio::time::sleep(DELAY - Duration::from_millis(1)).await;
        assert_eq!(silent.0.load(Ordering::SeqCst), 0);
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(silent.0.load(Ordering::SeqCst), 1, "one report for all three");
    }
}
