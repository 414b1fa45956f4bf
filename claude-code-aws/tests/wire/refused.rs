//! Requests that are refused, by the service or before they are sent: rows 12, 38 and 47, and the taxonomy.

use std::sync::Arc;
use std::time::Duration;

use claude_code_aws::bedrock::Bedrock;
use claude_code_aws::clock::{SystemClock, SystemIds};
use claude_code_aws::model::capability::{CacheTtl, Effort};
use claude_code_aws::{Client, ClientBuilder, ErrorKind, GenerateRequest};

use serde_json::json;

use super::bytes::{converse, frame, ok};
use super::in_process::{Replies, Reply};
use super::server::{Script, Server};
use super::{MODEL, REVERSE, once, paused, quick, real, request, sdk};

#[tokio::test]
async fn a_proxys_page_is_no_answer_and_its_text_is_in_no_error() {
    let page = "<html><body>canary-of-a-proxy</body></html>";
    let bad = format!(
        "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );
    let json = "{\"canary-of-a-proxy\": ";
    let unfit = json!({ "contentBlockIndex": 0, "delta": { "text": ["canary-of-a-proxy"] } });
    let unfit = [converse(REVERSE, "end_turn").remove(0), frame("contentBlockDelta", unfit)].concat();
    let scripts = [
        ok("text/html", page.as_bytes()),
        bad.into_bytes(),
        ok("application/json", json.as_bytes()),
        // It promises more than it gives.
        format!("HTTP/1.1 502 Bad Gateway\r\nx-proxy: canary\r\ncontent-length: 900\r\n\r\n{page}")
            .into_bytes(),
        ok("application/vnd.amazon.eventstream", page.as_bytes()),
        ok("application/vnd.amazon.eventstream", &unfit),
    ];
    for script in scripts {
        let server = Server::start([Script::new(script)]).await;
        let error = real(&server).generate(once()).await.unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Unavailable | ErrorKind::Cut),
            "{}",
            error.kind()
        );
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_or_nothing_in_place_of_an_error_is_told_by_status_and_type() {
    let html = "text/html; charset=utf-8";
    let reply = |status, kind: Option<&str>, body: &str| {
        let reply = Reply { status, headers: Vec::new(), ..Reply::stream([body.as_bytes().to_vec()]) };
        kind.map_or(reply.clone(), |kind| reply.with_type(kind))
    };
    let page = "<html>canary-of-a-proxy</html>";
    for (reply, told) in [
        (
            reply(403, Some(html), page),
            "HTTP 403 with a body of type text/html, which is no error of the service",
        ),
        (reply(404, Some("text/plain"), "gone"), "HTTP 404 with a body of type text/plain"),
        (reply(403, None, ""), "HTTP 403 with no reason given"),
        (reply(503, Some(html), page), "HTTP 503 with a body of type text/html"),
        (reply(502, Some(html), page), "HTTP 502 with a body of type text/html"),
    ] {
        for anthropic in [false, true] {
            let replies = Replies::new([reply.clone()]);
            let client = if anthropic { super::messages_api(&replies) } else { paused(&replies) };
            let request = GenerateRequest::new("reverse").with_model("sonnet").with_max_sends(1);
            let request = request.with_timeout(Duration::from_secs(1));
            let error = client.generate(request).await.unwrap_err();
            assert!(error.message().contains(told), "{told}: {error}");
            assert!(
                !error.message().contains("canary") && error.message().contains("HTTPS_PROXY"),
                "{error}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_breaks_off_is_known_by_its_headers() {
    let table = [
        (429, "ThrottlingException", ErrorKind::Throttled),
        (403, "AccessDeniedException", ErrorKind::AccessDenied),
        (503, "", ErrorKind::Unavailable),
    ];
    for (status, code, kind) in table {
        let mut reply = Reply::refusal(status, code, "x").header("x-amzn-requestid", "r-1");
        reply.pieces = vec![super::in_process::Piece::Break];
        let error = paused(&Replies::new([reply])).generate(once()).await.unwrap_err();
        assert_eq!((error.kind(), error.request_id()), (kind, Some("r-1")), "{error}");
        assert_eq!(error.receipt().unwrap().total(), claude_code_aws::Cost::ZERO, "refused, so not paid");
    }
}

#[tokio::test(start_paused = true)]
async fn every_refusal_has_its_kind_and_says_what_to_do() {
    let table = [
        (
            400,
            "ValidationException",
            "The provided model identifier is invalid.",
            ErrorKind::NotFound,
            "misspelt",
        ),
        (
            404,
            "ResourceNotFoundException",
            "This model version has reached the end of its life.",
            ErrorKind::Retired,
            "end of life",
        ),
        (
            404,
            "ResourceNotFoundException",
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days",
            ErrorKind::Legacy,
            "legacy",
        ),
        (
            400,
            "ValidationException",
            "Invocation of model ID anthropic.claude-sonnet-5 with on-demand throughput isn\u{2019}t supported.",
            ErrorKind::NeedsProfile,
            "global.",
        ),
        (
            400,
            "ValidationException",
            "data retention mode 'default' is not available for this model",
            ErrorKind::DataRetention,
            "PutAccountDataRetention",
        ),
        (
            400,
            "ValidationException",
            "prompt is too long: 1000001 tokens > 1000000 maximum",
            ErrorKind::ContextTooLong,
            "1000001 tokens are needed, 1000000 allowed",
        ),
        (
            400,
            "ValidationException",
            "Input is too long for requested model.",
            ErrorKind::ContextTooLong,
            "tokens by our estimate, 1000000 allowed: the service counts more",
        ),
        (
            400,
            "ValidationException",
            "The model returned the following errors: Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
            ErrorKind::ContextTooLong,
            "fewer files",
        ),
        (
            400,
            "ValidationException",
            "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000, decrease input length",
            ErrorKind::ContextTooLong,
            "207192 tokens are needed, 200000 allowed",
        ),
        (
            403,
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
            ErrorKind::AccessDenied,
            "allow bedrock:InvokeModelWithResponseStream",
        ),
        (
            403,
            "AccessDeniedException",
            "Model access is denied due to IAM user or service role is not authorized to perform the required AWS \
             Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access.",
            ErrorKind::AccessDenied,
            "allow aws-marketplace:ViewSubscriptions and aws-marketplace:Subscribe",
        ),
        (
            404,
            "ResourceNotFoundException",
            "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form \
             before using the model. If you have already filled out the form, try again in 15 minutes.",
            ErrorKind::AccessDenied,
            "PutUseCaseForModelAccess",
        ),
        (
            403,
            "AccessDeniedException",
            "Model access is denied due to INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided.",
            ErrorKind::AccessDenied,
            "INVALID_PAYMENT_INSTRUMENT:A valid payment instrument must be provided): give the account a valid payment",
        ),
        (
            403,
            "AccessDeniedException",
            "Bearer Token has expired",
            ErrorKind::Credentials,
            "AWS_BEARER_TOKEN_BEDROCK",
        ),
        (
            403,
            "AccessDeniedException",
            "User: arn:aws:sts::111122223333:assumed-role/dev/ada is not authorized to perform: \
             bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:us-east-2::foundation-model/m with an \
             explicit deny in a service control policy",
            ErrorKind::AccessDenied,
            "a policy of your organisation forbids it",
        ),
        (
            403,
            "AccessDeniedException",
            "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: bedrock:InvokeModel on resource: arn:m \
             with an explicit deny in an identity-based policy",
            ErrorKind::AccessDenied,
            "denies it explicitly",
        ),
        (
            404,
            "ResourceNotFoundException",
            "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 15 days",
            ErrorKind::Legacy,
            "in the last 15 days",
        ),
        (
            429,
            "ThrottlingException",
            "Too many tokens per day, please wait before trying again.",
            ErrorKind::Quota,
            "until tomorrow",
        ),
        (400, "ServiceQuotaExceededException", "quota", ErrorKind::Quota, "Service Quotas"),
        (418, "TeapotException", "teapot", ErrorKind::InvalidRequest, "418"),
    ];
    for (status, code, text, kind, advice) in table {
        let replies = Replies::new([Reply::refusal(status, code, text)]);
        let error = paused(&replies).generate(request()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{code}: {text}");
        assert!(error.message().contains(advice), "{code}: {error}");
        assert!(!error.message().contains('\n'));
        assert_eq!(replies.sends(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_prompt_beyond_the_context_is_refused_before_it_is_sent() {
    let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
    let client = paused(&replies);
    let words = |n: usize| "word ".repeat(n);
    let tokens = |n: usize| client.estimate(request().with_file("a.txt", words(n)).with_max_tokens(1000));
    let error = tokens(900_000).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextTooLong);
    assert!(error.message().contains("needed") && error.message().contains("1000000"), "{error}");
    // The boundary itself, to a word: the last that fits and the first that does not.
    let (mut fits, mut not) = (100_000, 900_000);
    while not - fits > 1 {
        let middle = (fits + not) / 2;
        if tokens(middle).is_ok() { fits = middle } else { not = middle }
    }
    let found = tokens(fits).unwrap().input_tokens + 1000;
    assert!((999_990..=1_000_000).contains(&found), "{found}");
    assert!(client.generate(request().with_file("a.txt", words(not)).with_max_tokens(1000)).await.is_err());
    assert_eq!(replies.sends(), 0);
}

fn at(url: &str) -> Client {
    let provider = Bedrock::new(&sdk().endpoint_url(url).build());
    ClientBuilder::new(Arc::new(provider), Arc::new(SystemClock), Arc::new(SystemIds))
        .with_policy(quick())
        .build()
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_named_and_costs_nothing() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plain = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let no_tls = format!("https://{}", plain.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let places = [
        (format!("http://{closed}/?key=canary-query"), "127.0.0.1"),
        ("http://no-such-host.invalid/".to_owned(), "no-such-host.invalid"),
        (no_tls, "127.0.0.1"),
    ];
    for (url, host) in places {
        let error = at(&url).generate(request().with_timeout(Duration::from_secs(2))).await.unwrap_err();
        println!("{host}: {} {error}", error.kind());
        assert_eq!(error.kind(), ErrorKind::Connection, "{url}: {error}");
        assert!(error.message().contains(host) && !error.message().contains("canary"), "{error}");
        assert_eq!(error.receipt().unwrap().total(), claude_code_aws::Cost::ZERO);
    }
}

/// A listener whose queue is full takes a connection's first packet and says nothing.
#[tokio::test]
async fn a_host_that_swallows_connections_is_given_up_as_unreachable_and_costs_nothing() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    let connect =
        || tokio::time::timeout(Duration::from_millis(100), tokio::net::TcpStream::connect(address));
    while let Ok(Ok(stream)) = connect().await {
        waiting.push(stream);
    }
    let provider = Bedrock::new(&sdk().endpoint_url(format!("http://{address}")).build());
    let client = ClientBuilder::new(Arc::new(provider), Arc::new(SystemClock), Arc::new(SystemIds)).build();
    let begun = std::time::Instant::now();
    let error = client.generate(once()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    assert_eq!(error.receipt().unwrap().total(), claude_code_aws::Cost::ZERO);
    // The limit on connecting is 3.1 s; without one the kernel tries for two minutes.
    assert!((3..60).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_field_that_a_model_refuses_is_left_out_once_and_for_all() {
    let refuses = Reply::refusal(400, "ValidationException", "`temperature` is deprecated for this model.");
    let replies = Replies::new([refuses, Reply::stream(converse(REVERSE, "end_turn"))]);
    let client = paused(&replies);
    let ask = |n: u32| {
        GenerateRequest::new(format!("reverse {n}"))
            .with_model("anthropic.claude-new-9")
            .with_temperature(0.3)
    };
    assert_eq!(client.generate(ask(1)).await.unwrap().attempts.len(), 2);
    assert_eq!(client.generate(ask(2)).await.unwrap().attempts.len(), 1, "it was learnt");
    let sent: Vec<bool> = replies.bodies().iter().map(|body| body.contains("temperature")).collect();
    assert_eq!(sent, [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn what_the_catalogue_says_a_model_refuses_is_not_sent_and_said() {
    let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
    let g = paused(&replies).generate(request().with_temperature(0.3)).await.unwrap();
    assert!(g.warnings.iter().any(|warning| warning.contains("temperature")));
    let old = GenerateRequest::new("reverse").with_model("global.anthropic.claude-haiku-4-5-20251001-v1:0");
    let g = paused(&replies).generate(old.with_effort(Effort::High)).await.unwrap();
    assert!(g.warnings.iter().any(|warning| warning.contains("effort high")), "{:?}", g.warnings);
    assert!(replies.bodies().iter().all(|body| !body.contains("temperature") && !body.contains("effort")));
}

#[tokio::test(start_paused = true)]
async fn an_application_profile_is_sent_as_given_and_has_no_price() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
    let g = paused(&replies).generate(GenerateRequest::new("reverse").with_model(arn)).await.unwrap();
    assert!(g.accepted && g.model == arn);
    assert!(matches!(g.receipt.total(), claude_code_aws::Cost::Unpriced { .. }), "{:?}", g.receipt.total());
}

#[tokio::test(start_paused = true)]
async fn cache_points_stand_where_they_can_pay() {
    let count = |body: &str| body.matches("cachePoint").count();
    let long = "def value():\n    return 1\n\n".repeat(800);
    let table = [
        (request(), 0, "a short prompt"),
        (request().with_file("a.py", "x = 1\n"), 0, "a short file"),
        (request().with_file("a.py", long.clone()), 1, "a long file"),
        (request().with_prompt_cache(CacheTtl::OneHour), 0, "asked for, below the model's minimum"),
        (request().with_file("a.py", long.clone()).with_prompt_cache(CacheTtl::OneHour), 1, "asked for"),
    ];
    for (request, expected, name) in table {
        let replies = Replies::new([Reply::stream(converse(REVERSE, "end_turn"))]);
        paused(&replies).generate(request).await.unwrap();
        assert_eq!(count(&replies.bodies()[0]), expected, "{name}");
        assert_eq!(replies.bodies()[0].contains("\"ttl\":\"1h\""), name == "asked for", "{name}");
    }
    let broken = "```json a.json\n{\"a\": \n```\n";
    let replies = Replies::new([
        Reply::stream(converse(broken, "end_turn")),
        Reply::stream(converse("```json a.json\n{\"a\": 1}\n```\n", "end_turn")),
    ]);
    let medium = GenerateRequest::new("word ".repeat(800)).with_model(MODEL);
    assert_eq!(paused(&replies).generate(medium).await.unwrap().attempts[1].why, "repair");
    assert_eq!(replies.bodies().iter().map(|body| count(body)).collect::<Vec<_>>(), [0, 1]);
}
