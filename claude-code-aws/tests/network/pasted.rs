//! Values as people paste them and secret stores hold them: told by their names, never shown, never a panic.

use super::configured::{KEYS, Machine};
use super::lab::{Ca, Server};

const REGION: &str = "[default]\nregion = us-east-1\n";
const RUNTIME: &str = "bedrock-runtime.us-west-2.amazonaws.com";

fn keys() -> String {
    format!("[default]\n{KEYS}")
}

#[tokio::test]
async fn a_key_with_a_line_break_at_its_end_is_told_by_its_variable_in_one_line() {
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "canary-key\n"),
        ("AWS_SESSION_TOKEN", "canary-token\r\n"),
        ("AWS_SECRET_ACCESS_KEY", " canary"),
        ("AWS_BEARER_TOKEN_BEDROCK", "canary-token\n"),
    ] {
        let machine = Machine::new(REGION, "")
            .with("AWS_ACCESS_KEY_ID", "AKID")
            .with("AWS_SECRET_ACCESS_KEY", "s")
            .with(name, value);
        let (code, told) = machine.generate().await;
        assert!(code == 1 && told.contains(&format!("error: {name} has a character")), "{name}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[tokio::test]
async fn a_key_with_a_line_break_out_of_a_credential_process_is_told_with_where_to_look() {
    let process =
        r#"credential_process = printf '%s' '{"Version":1,"AccessKeyId":"canary\n","SecretAccessKey":"s"}'"#;
    let (code, told) = Machine::new(&format!("{REGION}{process}\n"), "").generate().await;
    assert!(code == 1 && told.contains("what credential_process prints"), "{told}");
}

#[tokio::test]
async fn a_key_with_a_line_break_in_the_credentials_file_is_told_with_where_to_look_and_nothing_is_sent() {
    let proxy = Server::proxy(1, None).await;
    for (id, secret, token) in [
        ("canary\n  canary", "s", "t"),
        ("canary\rcanary", "s", "t"),
        ("AKID", "canary\n  canary", "t"),
        ("AKID", "s", "canary\n  canary"),
    ] {
        let file = format!(
            "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\naws_session_token = {token}\n"
        );
        let (code, told) = Machine::new(REGION, &file).behind(&proxy, &Ca::new()).generate().await;
        assert!(code == 1 && told.contains("correct ~/.aws/credentials"), "{file}: {told}");
        assert_eq!((told.lines().count(), proxy.connections()), (1, 0), "{told}");
    }
}

#[tokio::test]
async fn variables_that_are_set_and_empty_are_as_if_they_were_not() {
    let ca = Ca::new();
    let server = Server::tls_with(&ca, &[RUNTIME], 400, "{\"message\":\"no\"}").await;
    let proxy = Server::proxy(server.port, None).await;
    let west = "[default]\nregion = us-west-2\n";
    for (name, value) in [("AWS_PROFILE", ""), ("AWS_REGION", ""), ("AWS_REGION", " us-west-2\n")] {
        let (_, told) = Machine::new(west, &keys()).behind(&proxy, &ca).with(name, value).generate().await;
        let asked = proxy.heads().pop().unwrap_or_default();
        assert!(asked.starts_with(&format!("CONNECT {RUNTIME}:443 ")), "{name}={value:?}: {asked} {told}");
        proxy.heads.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_region_that_is_none_is_named_before_anything_is_sent() {
    let (_, told) = Machine::new(REGION, &keys()).with("AWS_REGION", "US-EAST-1").generate().await;
    assert!(told.contains("the region \"US-EAST-1\" is no region's name: set AWS_REGION"), "{told}");
}

#[tokio::test]
async fn a_bundle_with_a_byte_order_mark_is_trusted() {
    let ca = Ca::new();
    let server = Server::tls_with(&ca, &[RUNTIME], 400, "{\"message\":\"no\"}").await;
    let proxy = Server::proxy(server.port, None).await;
    let machine = Machine::new("[default]\nregion = us-west-2\n", &keys()).behind(&proxy, &ca);
    let marked = machine.home.path().join("ca.pem");
    std::fs::write(&marked, format!("\u{feff}{}", std::fs::read_to_string(ca.pem()).unwrap())).unwrap();
    let (_, told) = machine.with("AWS_CA_BUNDLE", marked).generate().await;
    assert!(!server.heads().is_empty(), "{told}");
}
