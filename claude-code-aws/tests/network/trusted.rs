//! Certificate authorities: which are trusted, who says so, and what is told where one is not.

use claude_code_aws::ErrorKind;

use super::lab::{Ca, Server, ask, network};

#[tokio::test]
async fn an_unknown_ca_is_named_as_that_after_two_attempts_and_nothing_is_sent() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["localhost", "127.0.0.1"]).await;
    let error = ask(&format!("https://127.0.0.1:{}", server.port), network(&[])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    let begins = format!(
        "the certificate of 127.0.0.1:{} is signed by a CA that this machine does not know",
        server.port
    );
    assert!(error.message().starts_with(&begins) && error.message().contains("set AWS_CA_BUNDLE"), "{error}");
    assert_eq!((server.connections(), server.heads().len()), (2, 0));
}

#[tokio::test]
async fn each_way_to_name_a_ca_makes_its_server_trusted_beside_the_systems_roots() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["127.0.0.1"]).await;
    let url = format!("https://127.0.0.1:{}", server.port);
    let pem = ca.pem().display().to_string();
    let dir = ca.pem().parent().unwrap().display().to_string();
    for (name, value) in
        [("AWS_CA_BUNDLE", &pem), ("AWS_CA_BUNDLE", &dir), ("SSL_CERT_FILE", &pem), ("SSL_CERT_DIR", &dir)]
    {
        let g = ask(&url, network(&[(name, value)])).await;
        assert!(g.is_ok_and(|g| g.accepted), "{name}={value}");
    }
    assert!(ask(&url, network(&[]).with_ca_bundle(ca.pem())).await.is_ok());
}

#[tokio::test]
async fn the_setting_wins_over_aws_ca_bundle() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["127.0.0.1"]).await;
    let wrong = network(&[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]);
    let url = format!("https://127.0.0.1:{}", server.port);
    assert!(ask(&url, wrong.clone().with_ca_bundle(ca.pem())).await.is_ok());
    assert!(ask(&url, wrong).await.is_err());
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_is_one_line_with_its_variable_and_no_panic() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["127.0.0.1"]).await;
    let url = format!("https://127.0.0.1:{}", server.port);
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_CA_BUNDLE"] {
        let error = ask(&url, network(&[(name, "/nowhere/ca.pem")])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(
            error.message().starts_with(&format!("{name}=/nowhere/ca.pem: there is no such file")),
            "{error}"
        );
        assert_eq!(server.connections(), 0);
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_called_an_unknown_ca() {
    let ca = Ca::new();
    let server = Server::tls(&ca, &["other.example"]).await;
    let url = format!("https://127.0.0.1:{}", server.port);
    let error = ask(&url, network(&[]).with_ca_bundle(ca.pem())).await.unwrap_err();
    assert!(error.message().contains("is for other names"), "{error}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_appliances_self_signed_certificate_is_told_apart_from_an_unknown_ca() {
    let server = Server::self_signed(&["127.0.0.1"]).await;
    let error = ask(&format!("https://127.0.0.1:{}", server.port), network(&[])).await.unwrap_err();
    assert!(error.message().contains("is self-signed and marked as a CA's own"), "{error}");
    assert_eq!((server.connections(), server.heads().len()), (2, 0));
}
