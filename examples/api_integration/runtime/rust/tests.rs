//! The runtime of generated Rust clients, on servers of our own: retries, waits, events, secrets, TLS.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::runtime::{Error, Kind, Method, Transport, segment};

/// A server that gives these answers in turn, a connection each; its URL, and what it was asked.
fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    (url, served)
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} It\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// A transport that waits for nothing, and the waits that were asked for.
fn hasty(url: &str) -> (Transport, Arc<Mutex<Vec<Duration>>>) {
    let waits = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&waits);
    let wait = move |wait| {
        seen.lock().unwrap().push(wait);
        Duration::ZERO
    };
    (Transport::new(url).wait(wait), waits)
}

#[tokio::test]
async fn what_may_be_repeated_is_and_a_post_without_a_key_is_not() {
    let busy = || answer(503, "", "{}");
    let (url, served) = server(vec![busy(), String::new(), answer(200, "", "[1]"), busy()]);
    let (transport, waits) = hasty(&url);
    let got: Value = transport.call(Method::GET, "/a").send().await.unwrap();
    assert_eq!(got, json!([1]));
    assert_eq!(waits.lock().unwrap().len(), 2, "a busy server, then a connection that broke off");
    assert!(waits.lock().unwrap()[0] <= Duration::from_millis(500));
    let once = transport.call(Method::POST, "/a").json(&json!({})).send::<Value>().await.unwrap_err();
    assert_eq!(once.kind(), Some(Kind::Server));
    assert_eq!(waits.lock().unwrap().len(), 2);
    assert_eq!(served.join().unwrap().len(), 4);
}

#[tokio::test]
async fn a_retry_after_of_seconds_or_a_date_is_waited_and_one_of_a_day_is_not() {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(30));
    let (url, served) = server(vec![
        answer(429, "Retry-After: 7\r\n", "{}"),
        answer(429, &format!("Retry-After: {date}\r\n"), "{}"),
        answer(429, "Retry-After: 86400\r\n", "{\"title\": \"Slow down\"}"),
    ]);
    let (transport, waits) = hasty(&url);
    let refused = transport.call(Method::GET, "/a").send::<Value>().await.unwrap_err();
    let Error::Api(told) = &refused else { panic!("{refused}") };
    assert_eq!(told.retry_after, Some(Duration::from_secs(86_400)));
    assert_eq!(refused.to_string(), "status 429: Slow down");
    let waits = waits.lock().unwrap().clone();
    assert_eq!((waits.len(), waits[0]), (2, Duration::from_secs(7)));
    assert!(waits[1] > Duration::from_secs(20) && waits[1] <= Duration::from_secs(30), "{waits:?}");
    served.join().unwrap();
}

#[tokio::test]
async fn a_key_is_made_once_for_all_attempts_and_queries_are_escaped() {
    let (url, served) = server(vec![answer(503, "", ""), answer(204, "", "")]);
    let (transport, _) = hasty(&url);
    let transport = transport.bearer("t").query_key("key", "k&k");
    let path = format!("/a/{}", segment("b/ü"));
    let call = transport.call(Method::POST, path).query("q", Some("x y")).query("none", None::<u8>);
    call.json(&json!({})).keyed(None).send::<()>().await.unwrap();
    let asked = served.join().unwrap();
    assert!(asked[0].starts_with("POST /a/b%2F%C3%BC?key=k%26k&q=x%20y HTTP/1.1\r\n"), "{}", asked[0]);
    let line = |request: &str, name: &str| {
        request.lines().find(|line| line.starts_with(name)).map(str::to_owned).unwrap()
    };
    assert_eq!(line(&asked[0], "authorization"), "authorization: Bearer t");
    assert_eq!(line(&asked[0], "idempotency-key"), line(&asked[1], "idempotency-key"));
}

#[tokio::test]
async fn a_redirect_is_an_error_and_what_is_no_json_too() {
    let (url, served) = server(vec![answer(302, "Location: /b\r\n", ""), answer(200, "", "<html>")]);
    let transport = Transport::new(url);
    let moved = transport.call(Method::GET, "/a").send::<Value>().await.unwrap_err();
    assert_eq!(moved.kind(), Some(Kind::Other));
    let page = transport.call(Method::GET, "/a").send::<Value>().await.unwrap_err();
    assert!(matches!(&page, Error::Answer(why) if why.starts_with("GET /a: ")), "{page}");
    served.join().unwrap();
}

#[tokio::test]
async fn events_are_read_over_any_cut_and_a_break_is_an_error() {
    let text = ": hello\r\nevent: file\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata: 2\n\nevent: lost\n";
    let cut: String = text.chars().map(|part| format!("1\r\n{part}\r\n")).collect();
    let head = "HTTP/1.1 200 It\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (url, served) = server(vec![format!("{head}{cut}0\r\n\r\n"), format!("{head}{cut}")]);
    let transport = Transport::new(url);
    let mut events = transport.call(Method::GET, "/events").events().await.unwrap();
    assert_eq!(events.next().await, Some(Ok(("file".to_owned(), json!({"a": 1})))));
    assert_eq!(events.next().await, Some(Ok(("message".to_owned(), json!(2)))));
    assert_eq!(events.next().await, None);
    let mut broken = transport.call(Method::GET, "/events").events().await.unwrap();
    assert!(broken.next().await.unwrap().is_ok() && broken.next().await.unwrap().is_ok());
    assert!(matches!(broken.next().await, Some(Err(Error::Connection(_)))));
    assert_eq!(broken.next().await, None);
    served.join().unwrap();
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let transport = Transport::new(url).timeout(Duration::from_millis(50)).retries(0);
    let late = transport.call(Method::GET, "/a").send::<Value>().await.unwrap_err();
    assert_eq!(late, Error::Connection("GET /a: no answer within 50ms".to_owned()));
}

#[tokio::test]
async fn secrets_are_sent_and_not_shown() {
    let (url, served) = server(vec![answer(200, "", "1")]);
    let transport = Transport::new(url).basic("Aladdin", "open sesame");
    assert!(!format!("{transport:?}").contains("QWxh"), "{transport:?}");
    transport.call(Method::GET, "/a").send::<Value>().await.unwrap();
    let asked = served.join().unwrap();
    assert!(asked[0].contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "{}", asked[0]);
}

/// The server's URL, for this test in a process that trusts its certificate.
const TRUSTING: &str = "RUNTIME_TEST_TRUSTED_URL";

#[tokio::test]
async fn https_is_spoken_with_who_is_trusted_and_with_nobody_else() {
    let ask = |url: String| async move {
        let transport = Transport::new(url).retries(0);
        transport.call(Method::GET, "/a").send::<Value>().await
    };
    if let Ok(url) = std::env::var(TRUSTING) {
        assert_eq!(ask(url).await, Ok(json!("secured")));
        return;
    }
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let url = secured(made.cert.der().to_vec(), made.signing_key.serialize_der()).await;
    let told = ask(url.clone()).await.unwrap_err().to_string();
    assert!(told.contains("TLS: invalid peer certificate"), "{told}");
    let place = tempfile::TempDir::new().unwrap();
    let trusted = place.path().join("trusted.pem");
    std::fs::write(&trusted, made.cert.pem()).unwrap();
    let own = std::env::current_exe().unwrap();
    let mut again = tokio::process::Command::new(own);
    again.args(["--exact", "runtime_tests::https_is_spoken_with_who_is_trusted_and_with_nobody_else"]);
    let again = again.env("SSL_CERT_FILE", &trusted).env_remove("SSL_CERT_DIR").env(TRUSTING, url);
    let done = again.output().await.unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && told.contains("1 passed"), "{told}");
}

/// A server that says over TLS that it is secured; its URL.
async fn secured(certificate: Vec<u8>, key: Vec<u8>) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config =
        config.with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key).into()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer(200, "", "\"secured\"").as_bytes()).await;
        }
    });
    format!("https://localhost:{port}")
}
