//! Proxies: who goes through one, what it sees, and what is told where it refuses.

use claude_code_aws::ErrorKind;

use super::lab::{Ca, HOST, KEY, Server, ask, network};

/// `user:pass` in base64.
const USER: &str = "dXNlcjpwYXNz";

fn at(proxy: &Server, user: &str) -> String {
    format!("http://{user}127.0.0.1:{}", proxy.port)
}

#[tokio::test]
async fn https_goes_through_a_tunnel_with_name_and_password_and_the_proxy_sees_the_host_alone() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &[HOST]).await;
    let proxy = Server::proxy(server.port, Some(USER)).await;
    let network = network(&[("HTTPS_PROXY", &at(&proxy, "user:pass@"))]).with_ca_bundle(ca.pem());
    let g = ask(&format!("https://{HOST}"), network).await.unwrap();
    assert!(g.accepted);
    let seen = proxy.heads();
    assert!(seen[0].starts_with(&format!("CONNECT {HOST}:443 ")), "{seen:?}");
    assert!(seen.iter().all(|head| !head.contains(KEY)));
    assert!(server.heads()[0].contains(KEY));
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_named_without_the_one_it_got() {
    let proxy = Server::proxy(1, Some(USER)).await;
    let network = network(&[("ALL_PROXY", &at(&proxy, "user:canary@"))]);
    let error = ask(&format!("https://{HOST}"), network).await.unwrap_err();
    let begins =
        format!("http://user@127.0.0.1:{} wants a user name and password for {HOST} (407)", proxy.port);
    assert!(error.message().starts_with(&begins) && !error.message().contains("canary"), "{error}");
    assert_eq!((error.kind(), proxy.connections()), (ErrorKind::Connection, 2));
}

#[tokio::test]
async fn a_proxy_that_forbids_the_host_is_named_with_its_status_after_two_attempts() {
    let proxy = Server::raw(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let error =
        ask(&format!("https://{HOST}"), network(&[("https_proxy", &at(&proxy, ""))])).await.unwrap_err();
    let begins = format!("http://127.0.0.1:{} refuses {HOST} (403)", proxy.port);
    assert!(error.message().starts_with(&begins) && error.message().contains("NO_PROXY"), "{error}");
    // Each of the two attempts, and each time the question for the status.
    assert_eq!((error.kind(), proxy.connections()), (ErrorKind::Connection, 4));
}

#[tokio::test]
async fn a_proxy_that_asks_for_a_password_in_its_own_way_is_known_by_its_status() {
    const ANSWERS: [&[u8]; 2] = [
        b"HTTP/1.0 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\na line that is no header\r\n\r\n",
    ];
    for answer in ANSWERS {
        let proxy = Server::raw(answer).await;
        let asked = ask(&format!("https://{HOST}"), network(&[("https_proxy", &at(&proxy, ""))])).await;
        let error = asked.unwrap_err();
        assert!(error.message().contains(&format!("user name and password for {HOST} (407)")), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_is_asked_for_its_status_with_the_name_and_password_too() {
    let proxy = Server::raw(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let network = network(&[("https_proxy", &at(&proxy, "user:pass@"))]);
    ask(&format!("https://{HOST}"), network).await.unwrap_err();
    let heads = proxy.heads();
    let is_signed = |head: &String| head.contains(&format!("Basic {USER}\r\n"));
    assert!(heads.len() == 4 && heads.iter().all(is_signed), "{heads:?}");
}

#[tokio::test]
async fn a_proxy_that_is_gone_is_named_as_what_refused() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let network = network(&[("HTTPS_PROXY", &format!("http://user:canary@{closed}"))]);
    let error = ask(&format!("https://{HOST}"), network).await.unwrap_err();
    let begins = format!("http://user@{closed} (the proxy for {HOST}) refused the connection");
    assert!(error.message().starts_with(&begins) && !error.message().contains("canary"), "{error}");
}

#[tokio::test]
async fn a_ca_unknown_behind_a_proxy_is_told_with_the_proxy() {
    let server = Server::tls(&Ca::new(), &[HOST]).await;
    let proxy = Server::proxy(server.port, None).await;
    let error =
        ask(&format!("https://{HOST}"), network(&[("HTTPS_PROXY", &at(&proxy, ""))])).await.unwrap_err();
    let via = format!("(through http://127.0.0.1:{})", proxy.port);
    assert!(error.message().contains("signed by a CA") && error.message().contains(&via), "{error}");
    assert!(server.heads().is_empty());
}

#[tokio::test]
async fn this_machine_is_asked_directly_whatever_proxy_is_set() {
    let server = Server::plain().await;
    let proxy = Server::proxy(server.port, None).await;
    let through = at(&proxy, "");
    let vars = [("HTTP_PROXY", through.as_str()), ("HTTPS_PROXY", &through), ("ALL_PROXY", &through)];
    for host in ["127.0.0.1", "localhost"] {
        assert!(ask(&format!("http://{host}:{}", server.port), network(&vars)).await.unwrap().accepted);
    }
    assert_eq!((proxy.connections(), server.heads().len()), (0, 2), "key and prompt stay on this machine");
}

#[tokio::test]
async fn what_no_proxy_names_is_asked_directly() {
    let server = Server::tls(&Ca::new(), &[HOST]).await;
    let proxy = Server::proxy(server.port, None).await;
    let vars = [("HTTPS_PROXY", at(&proxy, "")), ("NO_PROXY", ".lab.test".to_owned())];
    let vars: Vec<(&str, &str)> = vars.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let error = ask(&format!("https://{HOST}"), network(&vars)).await.unwrap_err();
    assert!(error.message().contains("the name api.lab.test"), "{error}");
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_socks_proxy_is_refused_by_name_with_what_is_supported() {
    let network = network(&[("ALL_PROXY", "socks5://user:canary@127.0.0.1:1080")]);
    let error = ask(&format!("https://{HOST}"), network).await.unwrap_err();
    assert!(
        error.message().contains("SOCKS proxies are not supported, http:// and https:// ones are"),
        "{error}"
    );
    assert!(!error.message().contains("canary"));
}

// As people write it: a password with signs of a URL, a user of a Windows domain.
#[tokio::test]
async fn a_name_and_password_arrive_at_the_proxy_as_they_were_written() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &[HOST]).await;
    for (written, sent) in [
        ("ada:p@ss@", "YWRhOnBAc3M="),
        ("CORP\\ada:p%40ss%3Aword@", "Q09SUFxhZGE6cEBzczp3b3Jk"),
        ("ada:a/b#c?d%@", "YWRhOmEvYiNjP2Ql"),
        ("j\u{f6}rg:\u{e4}@", "asO2cmc6w6Q="),
    ] {
        let proxy = Server::proxy(server.port, Some(sent)).await;
        let network = network(&[("HTTPS_PROXY", &at(&proxy, written))]).with_ca_bundle(ca.pem());
        let asked = ask(&format!("https://{HOST}"), network).await;
        assert!(asked.is_ok_and(|g| g.accepted), "{written}: {:?}", proxy.heads());
    }
}
