//! The listener as clients meet it that speak HTTP/2 at once, as JavaScript's does.

use bytes::Bytes;
use claude_code_aws::local::{Service, listen};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;

use crate::bedrock::REVERSE;
use crate::support::twin;

#[tokio::test]
async fn http_2_is_spoken_without_tls_and_its_authority_is_the_host() {
    let twin = twin();
    let listening = listen(&twin.twin, 0, false).await.unwrap();
    let address = listening.address(Service::Bedrock);
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": REVERSE }] }] }).to_string();
    let near = address.to_string();
    for (authority, operation, status) in
        [(near.as_str(), "converse", 200), (&near, "converse-stream", 200), ("evil.example", "converse", 403)]
    {
        let uri = format!("http://{authority}/model/global.anthropic.claude-haiku-5-5/{operation}");
        let request = http::Request::post(uri).body(Full::new(Bytes::from(body.clone()))).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (status, http::Version::HTTP_2));
        let answer = response.into_body().collect().await.unwrap().to_bytes();
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.contains("reverse"), status == 200, "{authority} {operation}: {answer}");
    }
    drop(sender);
    listening.close().await;
    let _ = connection.await;
}
