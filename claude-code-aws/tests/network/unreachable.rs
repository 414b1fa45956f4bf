//! Hosts that cannot be reached: each failure names its cause, its host, and what to do.

use claude_code_aws::{Cost, ErrorKind};

use super::lab::{KEY, Server, ask, network};

/// An alert: protocol_version, as a server sends it that knows TLS 1.0 alone.
const OLD_TLS: &[u8] = &[0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46];

#[tokio::test]
async fn an_old_tls_version_is_named_after_two_attempts() {
    let server = Server::raw(OLD_TLS).await;
    let error = ask(&format!("https://127.0.0.1:{}", server.port), network(&[])).await.unwrap_err();
    assert!(error.message().contains("no TLS version or cipher in common"), "{error}");
    assert_eq!((error.kind(), server.connections()), (ErrorKind::Connection, 2));
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_that() {
    let server = Server::raw(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = ask(&format!("https://127.0.0.1:{}", server.port), network(&[])).await.unwrap_err();
    assert!(error.message().contains("answered without TLS"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[tokio::test]
async fn a_closed_port_is_named_with_host_and_port_and_given_up_after_its_window() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        let error = ask(&format!("{scheme}://{closed}"), network(&[])).await.unwrap_err();
        assert!(error.message().starts_with(&format!("{closed} refused the connection")), "{error}");
        assert!(!error.message().contains(KEY));
        assert_eq!((error.kind(), error.receipt().unwrap().total()), (ErrorKind::Connection, Cost::ZERO));
    }
}

#[tokio::test]
async fn a_name_that_is_not_in_dns_is_named_as_that() {
    let error = ask("https://no-such-host.invalid", network(&[])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    // Without a resolver the same name is a lookup that failed.
    let told = [
        "the name no-such-host.invalid does not exist in DNS",
        "the name no-such-host.invalid could not be looked up",
    ];
    assert!(told.iter().any(|told| error.message().starts_with(told)), "{error}");
}

#[tokio::test]
async fn a_handshake_that_the_peer_breaks_off_is_retried_within_the_window() {
    let server = Server::raw(b"").await;
    let error = ask(&format!("https://127.0.0.1:{}", server.port), network(&[])).await.unwrap_err();
    assert!(error.message().contains("was closed before it was ready"), "{error}");
    assert!(server.connections() >= 1);
}
