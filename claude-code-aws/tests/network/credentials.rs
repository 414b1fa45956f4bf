//! Credentials that cannot be had: each way to fail keeps its own words. And credentials that change while a server runs.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::configured::Machine;
use super::lab::{Ca, Server};

const PORTAL: &str = "portal.sso.us-east-1.amazonaws.com";
const RUNTIME: &str = "bedrock-runtime.us-east-1.amazonaws.com";
/// SHA-1 of the session's name, `s`: the name of its token's file.
const TOKEN: &str = "a0f1490a20d0211c997b44bc357e1972deab8ae3.json";
const SSO: &str = "[profile p]\nregion = us-east-1\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = dev\n\
                   [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n";

/// A machine whose SSO session has a token until this year.
fn signed_in(until: u16) -> Machine {
    let machine = Machine::new(SSO, "").with("AWS_PROFILE", "p");
    let cache = machine.home.path().join(".aws/sso/cache");
    std::fs::create_dir_all(&cache).unwrap();
    let token = format!(
        "{{\"accessToken\":\"canary-token\",\"expiresAt\":\"{until}-01-01T00:00:00Z\",\"region\":\"us-east-1\",\
         \"startUrl\":\"https://x.awsapps.com/start\"}}"
    );
    std::fs::write(cache.join(TOKEN), token).unwrap();
    machine
}

#[tokio::test]
async fn an_sso_session_that_has_ended_is_told_with_the_command_that_begins_it_anew() {
    let (code, told) = signed_in(2020).generate().await;
    assert!(code == 1 && told.contains("SSO session has expired") && told.contains("--profile p"), "{told}");
}

#[tokio::test]
async fn what_the_sso_portal_refuses_is_told_by_its_reason_and_no_prompt_leaves() {
    for (status, body, words) in [
        (401, "{\"message\":\"Session token not found or invalid\"}", "aws sso login --profile p"),
        (
            403,
            "{\"__type\":\"ForbiddenException\",\"message\":\"No access\"}",
            "may not use the profile's role",
        ),
    ] {
        let ca = Ca::new();
        let server = Server::tls_with(&ca, &[PORTAL, RUNTIME], status, body).await;
        let proxy = Server::proxy(server.port, None).await;
        let (code, told) = signed_in(2099).behind(&proxy, &ca).generate().await;
        assert!(code == 1 && told.contains(words), "{status}: {told}");
        let heads = server.heads();
        assert!(
            !heads.is_empty() && heads.iter().all(|head| head.starts_with("GET /federation")),
            "{heads:?}"
        );
    }
}

#[tokio::test]
async fn a_container_endpoint_that_refuses_is_told_with_its_status() {
    let container = Server::plain_with(403, "{}").await;
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", container.port);
    let machine = Machine::new("[default]\nregion = us-east-1\n", "")
        .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", at("/creds"))
        .with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-token");
    let (code, told) = machine.generate().await;
    assert!(code == 1 && told.contains("the container's credential endpoint answers 403"), "{told}");
    let elsewhere = machine.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/creds");
    let (code, told) = elsewhere.generate().await;
    assert!(code == 1 && told.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI names an address"), "{told}");
}

#[tokio::test]
async fn an_instances_metadata_service_is_told_by_what_it_answers() {
    let config = "[default]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/dev\ncredential_source = Ec2InstanceMetadata\n";
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (none, broken) = (Server::plain_with(404, "").await, Server::plain_with(500, "").await);
    for (endpoint, words) in [
        (closed.to_string(), "refused the connection"),
        (format!("127.0.0.1:{}", none.port), "metadata service"),
        (format!("127.0.0.1:{}", broken.port), "metadata service"),
    ] {
        let machine = Machine::new(config, "")
            .with("AWS_EC2_METADATA_DISABLED", "false")
            .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{endpoint}/"));
        let (code, told) = machine.generate().await;
        assert!(code == 1 && told.contains(words), "{endpoint}: {told}");
    }
}

const ROLE: &str = "{\"roleCredentials\":{\"accessKeyId\":\"AKIDSSO\",\"secretAccessKey\":\"lab-secret\",\
                    \"sessionToken\":\"t\",\"expiration\":4070908800000}}";
const ASSUMED: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
                       <AccessKeyId>AKIDROLE</AccessKeyId><SecretAccessKey>lab-secret</SecretAccessKey><SessionToken>t\
                       </SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
                       </AssumeRoleResponse>";
const STS: &str = "sts.us-east-1.amazonaws.com";
const ROUTES: &[(&str, u16, &str)] = &[("GET /federation", 200, ROLE), (STS, 200, ASSUMED)];

/// Who signed the requests to Bedrock's runtime.
fn signers(server: &Server) -> Vec<String> {
    let runtime = |head: &&String| head.contains(RUNTIME);
    let id = |head: &String| head.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned();
    server.heads().iter().filter(runtime).map(id).collect()
}

// Reported for other clients: anthropics/claude-code#6, openai/codex#43381.
#[tokio::test]
async fn a_role_over_an_sso_profile_is_assumed_behind_a_proxy_that_shows_its_own_certificates() {
    let ca = Ca::new();
    let server = Server::tls_routed(&ca, &[PORTAL, STS, RUNTIME], ROUTES).await;
    let proxy = Server::proxy(server.port, None).await;
    let machine = signed_in(2099);
    let config = format!(
        "{SSO}[profile role]\nregion = us-east-1\nrole_arn = arn:aws:iam::1:role/bedrock\nsource_profile = p\n"
    );
    std::fs::write(machine.home.path().join(".aws/config"), config).unwrap();
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let machine =
        machine.with("HTTPS_PROXY", url).with("SSL_CERT_FILE", ca.pem()).with("AWS_PROFILE", "role");
    let (_, told) = machine.generate().await;
    assert_eq!(signers(&server), ["AKIDROLE"], "{told}");
    assert!(server.heads()[0].contains("x-amz-sso_bearer_token: canary-token"), "{told}");
}

// Reported for other clients: minio/minio-java#1719, epam/ai-dial-adapter-vertexai#520.
#[tokio::test]
async fn the_token_of_a_pod_is_read_from_its_file_and_a_line_break_at_its_end_is_named() {
    let container = Server::plain_with(403, "{}").await;
    let machine = Machine::new("[default]\nregion = us-east-1\n", "");
    let file = machine.home.path().join("token");
    std::fs::write(&file, "pod-token").unwrap();
    let machine = machine
        .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{}/creds", container.port))
        .with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.clone());
    let (_, told) = machine.generate().await;
    let heads = container.heads();
    assert!(!heads.is_empty(), "{told}");
    assert!(heads[0].to_lowercase().contains("authorization: pod-token\r\n"), "{heads:?}");
    std::fs::write(&file, "pod-token\n").unwrap();
    let (code, told) = machine.generate().await;
    assert!(code == 1 && told.contains("a line break at its end"), "{told}");
}

/// A server of this command, at its address.
struct Serving {
    child: std::process::Child,
    address: String,
}

impl Serving {
    fn start(machine: &Machine) -> Self {
        let mut command = machine.command(&["serve", "--addr", "127.0.0.1:0", "--no-token"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.contains("listening on http://")).unwrap();
        let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        // What it says later is read, so that it can say it.
        std::thread::spawn(move || lines.for_each(drop));
        Serving { child, address }
    }

    async fn ask(&self, prompt: &str) -> String {
        let (address, body) = (self.address.clone(), format!("{{\"prompt\": \"{prompt}\"}}"));
        tokio::task::spawn_blocking(move || posted(&address, &body)).await.unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test]
async fn a_server_that_runs_signs_with_the_keys_that_its_credentials_file_has_now() {
    let ca = Ca::new();
    let aws = Server::tls_routed(&ca, &[RUNTIME], &[]).await;
    let proxy = Server::proxy(aws.port, None).await;
    let keys =
        |id: &str| format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = lab-secret\n");
    let machine = Machine::new("[default]\nregion = us-east-1\n", &keys("AKIDOLD")).behind(&proxy, &ca);
    let serving = Serving::start(&machine);
    for (id, prompt) in [("AKIDOLD", "one"), ("AKIDNEW", "two")] {
        std::fs::write(machine.home.path().join(".aws/credentials"), keys(id)).unwrap();
        let answer = serving.ask(prompt).await;
        assert_eq!(signers(&aws).last().map(String::as_str), Some(id), "{answer}");
    }
}

// Reported for other clients: aws/aws-cli#7361, aws/aws-sdk#531.
#[tokio::test]
async fn a_server_that_runs_goes_on_after_its_user_has_logged_in_anew() {
    let ca = Ca::new();
    let aws = Server::tls_routed(&ca, &[PORTAL, RUNTIME], ROUTES).await;
    let proxy = Server::proxy(aws.port, None).await;
    let machine = signed_in(2020).behind(&proxy, &ca);
    let serving = Serving::start(&machine);
    let answer = serving.ask("one").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("upstream_credentials"), "{answer}");
    let token = machine.home.path().join(".aws/sso/cache").join(TOKEN);
    let renewed = std::fs::read_to_string(&token).unwrap().replace("2020-", "2099-");
    std::fs::write(&token, renewed).unwrap();
    let answer = serving.ask("two").await;
    assert_eq!(signers(&aws), ["AKIDSSO"], "{answer}");
}

fn posted(address: &str, body: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /generate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
