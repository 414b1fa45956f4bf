//! Spans and metrics over OTLP, at a receiver on loopback that reads them by the wire format, and at one that stands for
//! CloudWatch and verifies the signature.

use std::collections::BTreeMap;

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use claude_code_aws::connect::Network;
use claude_code_aws::{Client, Config, GenerateRequest, Generation, TraceContext};
use sha2::{Digest, Sha256};

use super::lab::{Ca, Server};
use super::protobuf::Fields;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SECRET: &str = "canary-secret-access-key";
const XRAY: &str = "xray.us-east-1.amazonaws.com";

fn at(server: &Server) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

/// A client of the model at this server, with these variables too and with AWS credentials.
async fn client(model: &Server, vars: &[(&str, &str)], network: Option<Network>) -> Client {
    let own = [
        ("CLAUDE_CODE_AWS_PROVIDER", "anthropic".to_owned()),
        ("ANTHROPIC_BASE_URL", at(model)),
        ("ANTHROPIC_API_KEY", "canary-anthropic-key".to_owned()),
    ];
    let vars = vars.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let vars = own.into_iter().chain(vars).map(|(name, value)| (name.to_owned(), value));
    let mut config = Config::from_vars(vars).unwrap();
    if let Some(network) = network {
        config.network = network;
    }
    let keys = Credentials::new("AKIDLAB", SECRET, Some("lab-session".into()), None, "test");
    let sdk = SdkConfig::builder()
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    claude_code_aws::connect(config.with_sdk_config(sdk)).await.unwrap()
}

async fn asked(client: &Client) -> Generation {
    let caller = TraceContext::parse(PARENT, None).unwrap();
    let request = GenerateRequest::new("canary-prompt").with_model("sonnet").with_trace(caller);
    let generation = client.generate(request).await.unwrap();
    client.flush_metrics().await;
    generation
}

/// Bodies by the path that they were posted to.
fn received(server: &Server) -> BTreeMap<String, Fields> {
    let bodies = server.bodies.lock().unwrap().clone();
    let paths = server.heads().into_iter().map(|head| head.split(' ').nth(1).unwrap().to_owned());
    paths.zip(bodies.iter().map(|body| Fields::read(body))).collect()
}

#[tokio::test]
async fn a_receiver_gets_a_span_for_the_request_and_one_for_its_attempt_in_the_callers_trace() {
    let (model, receiver) = (Server::plain().await, Server::plain_with(200, "").await);
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", at(&receiver)),
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b".to_owned()),
    ];
    let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let generation = asked(&client(&model, &vars, None).await).await;
    let found = received(&receiver);
    assert_eq!(found.keys().collect::<Vec<_>>(), ["/v1/metrics", "/v1/traces"]);
    assert!(
        receiver.heads().iter().all(|head| head.contains("x-tenant: a b") && !head.contains("uthorization"))
    );
    let resource = found["/v1/traces"].one(1);
    assert_eq!(resource.one(1).attributes(1)["service.name"], "shop");
    let spans = resource.one(2).all(2);
    let [request, attempt] = spans.as_slice() else { panic!("{spans:?}") };
    let caller = TraceContext::parse(PARENT, None).unwrap();
    assert_eq!((request.bytes(1), request.bytes(4)), (caller.trace_id.to_vec(), caller.span_id.to_vec()));
    assert_eq!((attempt.bytes(1), attempt.bytes(4)), (caller.trace_id.to_vec(), request.bytes(2)));
    assert_eq!((request.number(6), attempt.number(6)), (3, 1), "client, internal");
    let model_id = generation.model.as_str();
    assert_eq!(
        (request.text(5), attempt.text(5)),
        (format!("chat {model_id}"), "claude_code.attempt".to_owned())
    );
    let told = request.attributes(9);
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "anthropic"),
        ("gen_ai.request.model", model_id),
        ("gen_ai.request.stream", "true"),
        ("gen_ai.response.id", &generation.id),
        ("gen_ai.response.finish_reasons", "end_turn"),
        ("gen_ai.usage.input_tokens", "9"),
        ("gen_ai.usage.output_tokens", "20"),
        ("claude_code.outcome", "accepted"),
        ("claude_code.attempts", "1"),
        ("claude_code.files", "1"),
    ] {
        assert_eq!(told.get(name).map(String::as_str), Some(value), "{name} in {told:?}");
    }
    assert!(told.contains_key("gen_ai.response.time_to_first_chunk") && !told.contains_key("error.type"));
    assert_eq!(attempt.attributes(9)["claude_code.reason"], "first");
    assert!(request.number(7) <= attempt.number(7) && attempt.number(8) <= request.number(8));
    // The model is told the attempt's span.
    let span: String = attempt.bytes(2).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(
        model.heads()[0].contains(&format!("traceparent: {}-{span}-01", &PARENT[..35])),
        "{:?}",
        model.heads()
    );
}

#[tokio::test]
async fn a_receiver_gets_metrics_by_the_names_of_the_conventions_and_the_old_ones_where_asked_for() {
    for (opt_in, old) in [("", false), ("claude_code/dup", true)] {
        let (model, receiver) = (Server::plain().await, Server::plain_with(200, "").await);
        let vars = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", at(&receiver)),
            ("OTEL_SEMCONV_STABILITY_OPT_IN", opt_in.to_owned()),
        ];
        let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
        asked(&client(&model, &vars, None).await).await;
        let metrics = received(&receiver)["/v1/metrics"].one(1).one(2).all(2);
        let by_name: BTreeMap<String, Fields> =
            metrics.into_iter().map(|metric| (metric.text(1), metric)).collect();
        let duration = by_name["gen_ai.client.inference.duration"].one(9);
        assert_eq!((duration.number(2), duration.one(1).number(4)), (2, 1), "cumulative, one request");
        let buckets = duration.one(1).bytes(6);
        assert_eq!(buckets.chunks(8).map(|bytes| u64::from(bytes[0])).sum::<u64>(), 1);
        assert_eq!((buckets.len(), duration.one(1).bytes(7).len()), (15 * 8, 14 * 8));
        let sum = by_name["gen_ai.client.inference.usage.input_tokens"].one(7);
        assert_eq!((sum.one(1).number(6), sum.number(3)), (9, 1), "nine tokens, monotonic");
        let labels = sum.one(1).attributes(7);
        assert_eq!(
            (labels["gen_ai.operation.name"].as_str(), labels["claude_code.cached"].as_str()),
            ("chat", "false")
        );
        assert!(by_name.contains_key("gen_ai.client.inference.operation.output_tokens"));
        for name in ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"] {
            assert_eq!(by_name.contains_key(name), old, "{name}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_costs_the_spans_and_not_the_call() {
    let model = Server::plain().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refusing = Server::plain_with(403, "no").await;
    for endpoint in [format!("http://{closed}"), at(&refusing)] {
        let generation =
            asked(&client(&model, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], None).await).await;
        assert!(generation.accepted);
    }
    assert_eq!(refusing.heads().len(), 2);
}

#[tokio::test]
async fn spans_that_a_receiver_cannot_take_now_are_sent_with_the_next_ones() {
    let (model, receiver) = (Server::plain().await, Server::plain_with(503, "").await);
    let endpoint = at(&receiver);
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_METRICS_EXPORTER", "none")];
    let client = client(&model, &vars, None).await;
    asked(&client).await;
    asked(&client).await;
    let spans = |body: &Vec<u8>| Fields::read(body).one(1).one(2).all(2).len();
    let counts: Vec<usize> = receiver.bodies.lock().unwrap().iter().map(spans).collect();
    // The second answer is of the response cache: it has no attempt.
    assert_eq!(counts, [2, 3]);
}

/// A server that stands for these hosts, behind a proxy that leads everything to it.
async fn cloudwatch(hosts: &[&str]) -> (Server, Ca, Network) {
    let ca = Ca::new();
    let server = Server::tls_with(&ca, hosts, 200, "").await;
    let proxy = Server::proxy(server.port, None).await;
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let network = super::lab::network(&[("HTTPS_PROXY", &url)]).with_ca_bundle(ca.pem());
    (server, ca, network)
}

#[tokio::test]
async fn cloudwatchs_own_addresses_get_a_signature_that_is_right() {
    let monitoring = "monitoring.us-east-1.amazonaws.com";
    let (server, _ca, network) = cloudwatch(&[XRAY, monitoring]).await;
    let model = Server::plain().await;
    let vars = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("https://{XRAY}/v1/traces")),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", format!("https://{monitoring}/v1/metrics")),
    ];
    let vars: Vec<_> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    asked(&client(&model, &vars, Some(network)).await).await;
    let (heads, bodies) = (server.heads(), server.bodies.lock().unwrap().clone());
    assert_eq!(heads.len(), 2);
    for (head, body) in heads.iter().zip(&bodies) {
        let service = if head.contains("/v1/traces") { "xray" } else { "monitoring" };
        verify(head, body, service);
        assert!(!head.contains(SECRET), "{head}");
    }
}

#[tokio::test]
async fn no_other_address_gets_a_signature_or_a_session() {
    for host in [
        "xray.us-east-1.amazonaws.com.evil.test",
        "evil.xray.us-east-1.amazonaws.com",
        "s3.us-east-1.amazonaws.com",
    ] {
        let (server, _ca, network) = cloudwatch(&[host]).await;
        let model = Server::plain().await;
        let endpoint = format!("https://{host}/v1/traces");
        asked(&client(&model, &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)], Some(network)).await)
            .await;
        let heads = server.heads();
        assert_eq!(heads.len(), 1, "{host}");
        let head = heads[0].to_lowercase();
        assert!(!head.contains("authorization") && !head.contains("lab-session"), "{head}");
    }
}

/// Signature Version 4 by its specification, without the code that signed.
fn verify(head: &str, body: &[u8], service: &str) {
    let mut lines = head.trim_end().split("\r\n");
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers: BTreeMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let authorization = headers["authorization"].strip_prefix("AWS4-HMAC-SHA256 ").unwrap();
    let part = |name: &str| {
        authorization.split(", ").find_map(|part| part.strip_prefix(&format!("{name}="))).unwrap()
    };
    let (time, signed) = (&headers["x-amz-date"], part("SignedHeaders"));
    let scope = format!("{}/us-east-1/{service}/aws4_request", &time[..8]);
    assert_eq!(part("Credential"), format!("AKIDLAB/{scope}"));
    assert!(
        ["content-type", "host", "x-amz-date", "x-amz-security-token"]
            .iter()
            .all(|name| signed.contains(name))
    );
    let canonical: String = signed.split(';').map(|name| format!("{name}:{}\n", headers[name])).collect();
    let request = format!("POST\n{path}\n\n{canonical}\n{signed}\n{}", hex(&Sha256::digest(body)));
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(request.as_bytes())));
    let mut key = format!("AWS4{SECRET}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes());
    }
    assert_eq!(part("Signature"), hex(&hmac(&key, to_sign.as_bytes())));
}

/// HMAC-SHA256 (RFC 2104), for keys of at most a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
