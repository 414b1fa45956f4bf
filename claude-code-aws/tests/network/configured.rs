//! The command with the configuration of a corporate machine: profiles, chains of credentials, service endpoints, regions. No
//! request reaches a host that the configuration forbids: proxy and servers note what does.

use std::ffi::OsString;
use std::process::{Command, Output};

use super::lab::{Ca, Server};

/// Hosts that AWS SDKs ask in these scenarios.
const HOSTS: [&str; 3] =
    ["sts.us-east-1.amazonaws.com", "sts.amazonaws.com", "bedrock-runtime.us-east-1.amazonaws.com"];
pub(super) const KEYS: &str = "aws_access_key_id = AKIDLAB\naws_secret_access_key = lab-secret\n";
const REFUSED: &str = "{\"message\":\"no\"}";

/// A home directory with these files in `~/.aws`, and a command in it.
pub(super) struct Machine {
    pub(super) home: tempfile::TempDir,
    vars: Vec<(String, OsString)>,
}

impl Machine {
    pub(super) fn new(config: &str, credentials: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let aws = home.path().join(".aws");
        std::fs::create_dir(&aws).unwrap();
        std::fs::write(aws.join("config"), config).unwrap();
        std::fs::write(aws.join("credentials"), credentials).unwrap();
        Machine { home, vars: Vec::new() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    /// With a proxy for everything, which leads to a server of this authority.
    pub(super) fn behind(self, proxy: &Server, ca: &Ca) -> Self {
        let url = format!("http://127.0.0.1:{}", proxy.port);
        self.with("HTTPS_PROXY", &url).with("HTTP_PROXY", &url).with("AWS_CA_BUNDLE", ca.pem())
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claude-code-aws"));
        command.args(args).current_dir(self.home.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.home.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("CLAUDE_CODE_AWS_STORE", "none");
        command.env("CLAUDE_CODE_AWS_RECONNECT_SECONDS", "1");
        command.envs(self.vars.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(super) async fn run(&self, args: &[&str]) -> (i32, String) {
        let mut command = self.command(args);
        let Output { status, stdout, stderr } =
            tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let told = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(
            !told.contains("canary") && !told.contains("lab-secret") && !told.contains("panicked"),
            "{told}"
        );
        (status.code().unwrap_or(-1), told)
    }

    pub(super) async fn generate(&self) -> (i32, String) {
        self.run(&["generate", "reverse a string"]).await
    }
}

/// A server for all of [`HOSTS`] behind a proxy.
async fn aws(status: u16, body: &'static str) -> (Ca, Server, Server) {
    let ca = Ca::new();
    let server = Server::tls_with(&ca, &HOSTS, status, body).await;
    let proxy = Server::proxy(server.port, None).await;
    (ca, server, proxy)
}

fn hosts(proxy: &Server) -> Vec<String> {
    proxy.heads().iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_profile_that_is_not_there_is_named_with_those_that_are() {
    let machine =
        Machine::new("[profile dev]\nregion = us-east-1\n[profile prod]\n", "").with("AWS_PROFILE", "nope");
    let (code, told) = machine.generate().await;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("AWS_PROFILE=nope: there is no such profile: there are dev, prod"), "{told}");
}

#[tokio::test]
async fn a_file_of_profiles_that_cannot_be_read_is_named_and_no_prompt_leaves_without_its_settings() {
    let (ca, _, proxy) = aws(400, REFUSED).await;
    let config = "[default]\nregion = us-east-1\n";
    let machine = Machine::new(config, "")
        .with("AWS_ACCESS_KEY_ID", "AKIDLAB")
        .with("AWS_SECRET_ACCESS_KEY", "lab-secret")
        .with("AWS_REGION", "us-east-1")
        .with("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
        .behind(&proxy, &ca);
    for (file, added, words) in [
        ("config", &b"[services own\n"[..], ".aws/config on line 3:"),
        ("config", b"# J\xfcrg\n", ".aws/config is not UTF-8"),
        ("credentials", b"[default]\naws_access_key_id\n", ".aws/credentials on line "),
        ("credentials", b"# J\xfcrg\n", ".aws/credentials is not UTF-8"),
    ] {
        let path = machine.home.path().join(".aws").join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&good, added].concat()).unwrap();
        let (code, told) = machine.generate().await;
        assert!(code == 1 && told.contains(words) && told.lines().count() == 1, "{file}: {told}");
        std::fs::write(&path, good).unwrap();
    }
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_told_in_the_words_of_sts_and_no_prompt_leaves() {
    let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/ada is not authorized to \
                perform: sts:AssumeRole on resource: arn:aws:iam::1:role/dev</Message></Error></ErrorResponse>";
    let (ca, _, proxy) = aws(403, body).await;
    let config = "[profile p]\nrole_arn = arn:aws:iam::1:role/dev\nsource_profile = base\nregion = us-east-1\n[profile base]\n";
    let machine =
        Machine::new(config, &format!("[base]\n{KEYS}")).with("AWS_PROFILE", "p").behind(&proxy, &ca);
    let (code, told) = machine.generate().await;
    assert_eq!(code, 1, "{told}");
    for words in [
        "user/ada is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/dev",
        "trust policy",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(hosts(&proxy).iter().all(|host| host.starts_with("sts.")), "{:?}", hosts(&proxy));
}

#[tokio::test]
async fn a_credential_process_that_fails_is_told_with_its_status_and_last_line() {
    let process = "sh -c \"echo token=canary >&2; echo vault is sealed >&2; exit 3\"";
    let config = format!("[profile p]\nregion = us-east-1\ncredential_process = {process}\n");
    let (code, told) = Machine::new(&config, "").with("AWS_PROFILE", "p").generate().await;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("credential_process failed (exit status: 3): vault is sealed"), "{told}");
}

#[tokio::test]
async fn an_sso_session_that_was_never_begun_is_told_with_the_command_that_begins_it() {
    let config = "[profile p]\nregion = us-east-1\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = dev\n\
                  [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n";
    let (code, told) = Machine::new(config, "").with("AWS_PROFILE", "p").generate().await;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("aws sso login --profile p"), "{told}");
}

#[tokio::test]
async fn container_credentials_and_their_token_never_go_through_a_proxy() {
    let container = Server::plain_with(
        200,
        "{\"AccessKeyId\":\"AKIDLAB\",\"SecretAccessKey\":\"lab-secret\",\"Token\":\"t\",\"Expiration\":\"2099-01-01T00:00:00Z\"}",
    )
    .await;
    let (ca, server, proxy) = aws(400, REFUSED).await;
    let machine = Machine::new("[default]\nregion = us-east-1\n", "")
        .with("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("http://127.0.0.1:{}/creds", container.port))
        .with("AWS_CONTAINER_AUTHORIZATION_TOKEN", "canary-token")
        .behind(&proxy, &ca);
    let (code, told) = machine.generate().await;
    assert_ne!(code, 0, "{told}");
    assert!(container.heads()[0].to_lowercase().contains("canary-token"), "{told}");
    assert!(
        hosts(&proxy).iter().all(|host| host.starts_with("bedrock-runtime.us-east-1")),
        "{:?}",
        hosts(&proxy)
    );
    assert!(server.heads().iter().all(|head| !head.contains("canary-token")));
}

#[tokio::test]
async fn a_service_endpoint_under_the_documented_key_is_where_the_prompt_goes() {
    let endpoint = Server::plain_with(400, REFUSED).await;
    let (ca, _, proxy) = aws(400, REFUSED).await;
    for key in ["bedrock_runtime", "bedrock-runtime"] {
        let config = format!(
            "[profile p]\nregion = us-east-1\nservices = own\n[services own]\n{key} =\n  endpoint_url = http://127.0.0.1:{}\n",
            endpoint.port
        );
        let machine =
            Machine::new(&config, &format!("[p]\n{KEYS}")).with("AWS_PROFILE", "p").behind(&proxy, &ca);
        let before = endpoint.heads().len();
        let (_, told) = machine.generate().await;
        assert!(endpoint.heads().len() > before, "{key}: {told}");
        assert!(endpoint.heads()[before].starts_with("POST /model/"), "{told}");
    }
    assert!(hosts(&proxy).is_empty(), "signed prompts left for the public host: {:?}", hosts(&proxy));
}

#[tokio::test]
async fn profiles_are_read_in_every_form_that_the_aws_command_line_reads() {
    let endpoint = Server::plain_with(400, REFUSED).await;
    let (ca, _, proxy) = aws(400, REFUSED).await;
    let config = format!(
        "\u{feff}[profile p] # ours\n region: us-east-1\n services = own\n  # remark\n[services own] /* lab */\n\tbedrock_runtime =\n\t\t\
         endpoint_url = http://127.0.0.1:{}\n",
        endpoint.port
    );
    let keys = "[p]\n  aws_access_key_id: AKIDLAB\n  aws_secret_access_key: lab-secret\n";
    let machine = Machine::new(&config, keys).with("AWS_PROFILE", "p").behind(&proxy, &ca);
    let (_, told) = machine.generate().await;
    assert!(endpoint.heads().iter().any(|head| head.contains("Credential=AKIDLAB/")), "{told}");
    assert!(hosts(&proxy).is_empty(), "{:?}", hosts(&proxy));
}

#[tokio::test]
async fn endpoints_that_are_to_be_ignored_are() {
    let endpoint = Server::plain_with(400, REFUSED).await;
    let (ca, server, proxy) = aws(400, REFUSED).await;
    let config = |flag: &str| {
        format!(
            "[default]\nregion = us-east-1\nservices = own\n{flag}[services own]\nbedrock_runtime =\n  endpoint_url = \
             http://127.0.0.1:{}\n",
            endpoint.port
        )
    };
    let keys = format!("[default]\n{KEYS}");
    let of_profile = Machine::new(&config("ignore_configured_endpoint_urls = true\n"), &keys);
    let of_variable = Machine::new(&config(""), &keys).with("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    for (machine, asked) in [(of_profile, 1), (of_variable, 2)] {
        let (_, told) = machine.behind(&proxy, &ca).generate().await;
        assert_eq!((server.heads().len(), endpoint.connections()), (asked, 0), "{told}");
    }
}

#[tokio::test]
async fn a_variable_wins_over_the_profiles_service_endpoint() {
    let (profile, variable) =
        (Server::plain_with(400, REFUSED).await, Server::plain_with(400, REFUSED).await);
    let config = format!(
        "[default]\nregion = us-east-1\nservices = own\n[services own]\nbedrock_runtime =\n  endpoint_url = http://127.0.0.1:{}\n",
        profile.port
    );
    let machine = Machine::new(&config, &format!("[default]\n{KEYS}"))
        .with("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", format!("http://127.0.0.1:{}", variable.port));
    machine.generate().await;
    assert_eq!((profile.connections(), variable.connections() > 0), (0, true));
}

#[tokio::test]
async fn a_scope_without_its_region_is_an_error_before_anything_is_sent() {
    let (ca, _, proxy) = aws(400, REFUSED).await;
    let keys = format!("[default]\n{KEYS}");
    let none = Machine::new("", &keys).behind(&proxy, &ca).with("CLAUDE_CODE_AWS_PROFILE_SCOPE", "eu");
    let (code, told) = none.generate().await;
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("PROFILE_SCOPE=eu and no region: set AWS_REGION") && told.contains("eu-central-1"),
        "{told}"
    );
    let other = none.with("AWS_REGION", "us-west-2");
    let (code, told) = other.generate().await;
    assert!(code == 2 && told.contains("us-west-2: the region is outside of it"), "{told}");
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn the_profiles_ca_bundle_is_trusted_and_aws_ca_bundle_wins_over_it() {
    let ca = Ca::new();
    let server = Server::tls_with(&ca, &HOSTS, 400, REFUSED).await;
    let proxy = Server::proxy(server.port, None).await;
    let config = format!("[default]\nregion = us-east-1\nca_bundle = {}\n", ca.pem().display());
    let machine = Machine::new(&config, &format!("[default]\n{KEYS}"))
        .with("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port));
    machine.generate().await;
    assert_eq!(server.heads().len(), 1, "the request arrived");
    // As people write it: nothing reads `~` in that file but what takes the path.
    std::fs::copy(ca.pem(), machine.home.path().join("corp.pem")).unwrap();
    let config = "[default]\nregion = us-east-1\nca_bundle = ~/corp.pem\n";
    std::fs::write(machine.home.path().join(".aws/config"), config).unwrap();
    let (_, told) = machine.generate().await;
    assert_eq!(server.heads().len(), 2, "{told}");
    let (code, told) = machine.with("AWS_CA_BUNDLE", "/nowhere.pem").generate().await;
    assert!(code == 2 && told.contains("AWS_CA_BUNDLE=/nowhere.pem: there is no such file"), "{told}");
}

#[tokio::test]
async fn the_region_of_an_arn_is_the_region_that_is_called() {
    let ca = Ca::new();
    let server = Server::tls_with(
        &ca,
        &["bedrock-runtime.eu-west-1.amazonaws.com", "bedrock.eu-west-1.amazonaws.com"],
        400,
        REFUSED,
    )
    .await;
    let proxy = Server::proxy(server.port, None).await;
    let arn = "arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/abc";
    let machine =
        Machine::new("[default]\nregion = us-east-1\n", &format!("[default]\n{KEYS}")).behind(&proxy, &ca);
    let (_, told) = machine.run(&["generate", "reverse a string", "-m", arn]).await;
    let hosts = hosts(&proxy);
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host.contains(".eu-west-1.")), "{hosts:?} {told}");
}

#[tokio::test]
async fn the_doctor_tells_each_step_of_the_route() {
    let (ca, _, proxy) = aws(403, REFUSED).await;
    let machine = Machine::new("[default]\nregion = us-east-1\n", &format!("[default]\n{KEYS}"));
    let behind = machine.behind(&proxy, &ca);
    let (_, told) = behind.run(&["doctor"]).await;
    for words in [
        "leads to bedrock-runtime.us-east-1.amazonaws.com",
        "takes connections",
        "the certificate is trusted",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let unknown = behind.with("AWS_CA_BUNDLE", Ca::new().pem());
    let (code, told) = unknown.run(&["doctor"]).await;
    assert!(code == 1, "{told}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_variable_that_is_not_utf8_is_named_and_not_dropped() {
    use std::os::unix::ffi::OsStringExt;
    let broken = || OsString::from_vec(vec![b'a', 0xff]);
    for name in ["CLAUDE_CODE_AWS_MODEL_ID", "AWS_PROFILE", "HTTPS_PROXY", "HOME"] {
        let (code, told) = Machine::new("", "").with(name, broken()).generate().await;
        assert!(code == 2 && told.contains(&format!("{name} is not UTF-8")), "{name}: {told}");
    }
}
