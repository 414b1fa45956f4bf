//! Where spans and metrics go, from OpenTelemetry's own variables. What cannot be used is warned of and sends nothing: the
//! variables are often meant for other programs, and metrics never fail a call.

use std::collections::BTreeMap;

use http::Uri;

use super::names::OPT_IN;
use crate::connect::decoded;
use crate::secret::Secret;

/// What is exported, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub(super) traces: Option<Target>,
    pub(super) metrics: Option<Target>,
    /// Attributes of the resource, `service.name` among them.
    pub(super) resource: BTreeMap<String, String>,
    pub(super) old_names: bool,
    pub(super) is_delta: bool,
}

/// One address.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Uri,
    pub(super) headers: Vec<(String, Secret)>,
    /// Service and region of AWS that the request is signed for.
    pub(super) signed_for: Option<(&'static str, String)>,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let host = self.url.host();
        f.debug_struct("Target")
            .field("host", &host)
            .field("signed_for", &self.signed_for)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The settings of these variables; none where they name no address.
    pub fn from_vars(vars: &BTreeMap<String, String>) -> Option<Self> {
        let get = |name: &str| vars.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        if get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return None;
        }
        let target = |signal: Signal| signal.target(&get);
        let settings = Settings {
            traces: target(TRACES),
            metrics: target(METRICS),
            resource: resource(&get),
            old_names: list(get("OTEL_SEMCONV_STABILITY_OPT_IN")).any(|name| name == OPT_IN),
            is_delta: get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
                .is_some_and(|value| value.eq_ignore_ascii_case("delta")),
        };
        (settings.traces.is_some() || settings.metrics.is_some()).then_some(settings)
    }

    /// Whether a request needs AWS credentials.
    pub(crate) fn signs(&self) -> bool {
        [&self.traces, &self.metrics].into_iter().flatten().any(|target| target.signed_for.is_some())
    }

    /// Whether requests become spans.
    pub(crate) fn has_traces(&self) -> bool {
        self.traces.is_some()
    }
}

/// One of the two kinds of data.
#[derive(Clone, Copy)]
struct Signal {
    name: &'static str,
    path: &'static str,
    /// The service of AWS that takes it.
    service: &'static str,
}

const TRACES: Signal = Signal { name: "TRACES", path: "v1/traces", service: "xray" };
const METRICS: Signal = Signal { name: "METRICS", path: "v1/metrics", service: "monitoring" };

impl Signal {
    fn target<'a>(self, get: &impl Fn(&str) -> Option<&'a str>) -> Option<Target> {
        let Signal { name, path, service } = self;
        if get(&format!("OTEL_{name}_EXPORTER")).is_some_and(|exporter| exporter != "otlp") {
            return None;
        }
        let own = |what: &str| get(&format!("OTEL_EXPORTER_OTLP_{name}_{what}"));
        let of_both = |what: &str| get(&format!("OTEL_EXPORTER_OTLP_{what}"));
        let (variable, url, is_own) = match (own("ENDPOINT"), of_both("ENDPOINT")) {
            (Some(url), _) => (format!("OTEL_EXPORTER_OTLP_{name}_ENDPOINT"), url.to_owned(), true),
            (None, Some(base)) => (
                "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(),
                format!("{}/{path}", base.trim_end_matches('/')),
                false,
            ),
            (None, None) => return None,
        };
        let protocol = own("PROTOCOL").or(of_both("PROTOCOL")).unwrap_or("http/protobuf");
        if protocol != "http/protobuf" {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_PROTOCOL={protocol:?}: only http/protobuf is sent, so nothing is; set it, and the \
                 collector's port for HTTP (4318)"
            );
            return None;
        }
        let Some(url) = address(&url) else {
            tracing::warn!(
                "{variable} is not an address such as http://localhost:4318: nothing is sent there"
            );
            return None;
        };
        let signed_for = signed_for(&url);
        // Each address of CloudWatch takes one kind of data; a common one is meant for the kind that it takes.
        if !is_own && signed_for.as_ref().is_some_and(|(taker, _)| *taker != service) {
            return None;
        }
        let headers = headers(own("HEADERS").or(of_both("HEADERS")));
        Some(Target { url, headers, signed_for })
    }
}

fn address(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let is_http = matches!(url.scheme_str(), Some("http" | "https"));
    let has_user = url.authority()?.as_str().contains('@');
    (is_http && !has_user && !url.host()?.is_empty()).then_some(url)
}

/// Service and region, where the address is exactly one of CloudWatch's: credentials sign for no other host.
fn signed_for(url: &Uri) -> Option<(&'static str, String)> {
    if url.scheme_str() != Some("https") || url.port().is_some() {
        return None;
    }
    let mut labels = url.host()?.split('.');
    let service = labels.next()?;
    let service = ["xray", "monitoring", "logs"].into_iter().find(|known| *known == service)?;
    let region = labels.next()?;
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_region = region.contains('-') && region.bytes().all(sign);
    (is_region && labels.eq(["amazonaws", "com"])).then(|| (service, region.to_owned()))
}

fn resource<'a>(get: &impl Fn(&str) -> Option<&'a str>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::from([
        ("service.name".to_owned(), "claude-code-aws".to_owned()),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("telemetry.sdk.name".to_owned(), "claude-code-aws".to_owned()),
        ("telemetry.sdk.language".to_owned(), "rust".to_owned()),
    ]);
    if let Some(function) = get("AWS_LAMBDA_FUNCTION_NAME") {
        found.insert("faas.name".to_owned(), function.to_owned());
    }
    found.extend(pairs(get("OTEL_RESOURCE_ATTRIBUTES")));
    found.extend(get("OTEL_SERVICE_NAME").map(|name| ("service.name".to_owned(), name.to_owned())));
    found
}

fn headers(text: Option<&str>) -> Vec<(String, Secret)> {
    let is_header = |name: &str, value: &str| {
        http::HeaderName::from_bytes(name.as_bytes()).is_ok() && http::HeaderValue::from_str(value).is_ok()
    };
    pairs(text)
        .filter(|(name, value)| is_header(name, value))
        .map(|(name, value)| (name.to_ascii_lowercase(), Secret::new(value)))
        .collect()
}

/// `name=value,name=value`, each value percent-encoded.
fn pairs(text: Option<&str>) -> impl Iterator<Item = (String, String)> {
    list(text).filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), decoded(value.trim())))
    })
}

fn list(text: Option<&str>) -> impl Iterator<Item = &str> {
    text.unwrap_or_default().split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn settings(vars: &[(&str, &str)]) -> Option<Settings> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::from_vars(&vars.collect())
    }

    fn service(url: &str) -> Option<(&'static str, String)> {
        signed_for(&address(url)?)
    }

    #[test]
    fn only_cloudwatchs_own_addresses_are_signed_for() {
        for (url, service_and_region) in [
            ("https://xray.us-east-1.amazonaws.com/v1/traces", ("xray", "us-east-1")),
            ("https://monitoring.eu-central-1.amazonaws.com/v1/metrics", ("monitoring", "eu-central-1")),
            ("https://logs.us-gov-west-1.amazonaws.com/v1/logs", ("logs", "us-gov-west-1")),
        ] {
            let (name, region) = service(url).unwrap();
            assert_eq!((name, region.as_str()), service_and_region);
        }
        for other in [
            "http://xray.us-east-1.amazonaws.com/v1/traces",
            "https://xray.us-east-1.amazonaws.com:8443/v1/traces",
            "https://xray.us-east-1.amazonaws.com.evil.example/v1/traces",
            "https://evil.example/xray.us-east-1.amazonaws.com",
            "https://evil.xray.us-east-1.amazonaws.com/v1/traces",
            "https://xray.us-east-1.amazonaws.com./v1/traces",
            "https://xray..amazonaws.com/v1/traces",
            "https://xray.evil.amazonaws.com/v1/traces",
            "https://s3.us-east-1.amazonaws.com/v1/traces",
            "https://user@xray.us-east-1.amazonaws.com/v1/traces",
            "https://xray.us-east-1.amazonaws.com@evil.example/v1/traces",
            "https://xray.us-east-1.amazonaws.co/v1/traces",
        ] {
            assert_eq!(service(other), None, "{other}");
        }
    }

    #[test]
    fn a_common_address_serves_both_kinds_and_an_own_one_is_taken_as_it_is() {
        let both = settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318/")]).unwrap();
        assert_eq!(both.traces.unwrap().url, "http://localhost:4318/v1/traces");
        assert_eq!(both.metrics.unwrap().url, "http://localhost:4318/v1/metrics");
        let own = settings(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://localhost:4318/in")]).unwrap();
        assert_eq!((own.traces.unwrap().url.path(), own.metrics), ("/in", None));
        let xray = settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://xray.us-east-1.amazonaws.com")]);
        let xray = xray.unwrap();
        assert!(xray.signs() && xray.has_traces() && xray.metrics.is_none(), "it takes no metrics");
    }

    #[test]
    fn nothing_is_sent_where_nothing_usable_is_set() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(settings(&[]), None);
        assert_eq!(settings(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), None);
        assert_eq!(settings(&[endpoint, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]), None);
        assert_eq!(settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318")]), None);
        assert_eq!(settings(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "file:///etc/passwd")]), None);
        let traces = settings(&[endpoint, ("OTEL_METRICS_EXPORTER", "none")]).unwrap();
        assert!(traces.has_traces() && traces.metrics.is_none());
    }

    #[test]
    fn headers_and_resource_are_percent_decoded_and_headers_are_never_shown() {
        let found = settings(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20c2VjcmV0,bad name=x,x-y=1%"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=prod%2Ceu"),
            ("OTEL_SERVICE_NAME", "b"),
            ("OTEL_SEMCONV_STABILITY_OPT_IN", "http/dup, claude_code/dup"),
        ])
        .unwrap();
        let headers = found.traces.clone().unwrap().headers;
        let told: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        assert_eq!(told, [("authorization", "Basic c2VjcmV0"), ("x-y", "1%")]);
        assert_eq!(found.resource["service.name"], "b");
        assert_eq!(found.resource["deployment.environment.name"], "prod,eu");
        assert!(found.old_names && !format!("{found:?}").contains("c2VjcmV0"));
    }
}
