//! The doctor against a twin that is up, and against an account in which things are missing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Value, json};

use super::run::{Done, Place};
use super::up::Up;

const IDENTITY: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId><Account>123456789012</Account>\
</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>";

/// What the account answers to a request, by operation.
#[derive(Clone)]
struct Account {
    identity: (u16, String),
    profile: (u16, Value),
    access: (u16, Value),
    model: (u16, Value),
}

fn account() -> Account {
    let access = json!({
        "modelId": "m", "agreementAvailability": { "status": "AVAILABLE" }, "authorizationStatus": "AUTHORIZED",
        "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE",
    });
    let models = [json!({ "modelArn": "arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-5-5" })];
    let profile = json!({
        "inferenceProfileName": "p", "inferenceProfileId": "p", "inferenceProfileArn": "arn:p", "status": "ACTIVE",
        "type": "SYSTEM_DEFINED", "models": models,
    });
    Account {
        identity: (200, IDENTITY.to_owned()),
        profile: (200, profile),
        access: (200, access),
        model: (200, lifecycle("ACTIVE", None)),
    }
}

fn lifecycle(status: &str, ends: Option<&str>) -> Value {
    let mut lifecycle = json!({ "status": status });
    if let Some(ends) = ends {
        lifecycle["endOfLifeTime"] = ends.into();
    }
    json!({ "modelDetails": { "modelArn": "arn:m", "modelId": "m", "modelLifecycle": lifecycle } })
}

fn refused(code: &str) -> Value {
    json!({ "__type": code, "message": "no" })
}

/// Serves the account until the process ends; gives its address.
fn serve(account: Account) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let account = account.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &account));
        }
    });
    url
}

fn answer(mut stream: TcpStream, account: &Account) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    // A connection that is closed over unread bytes is reset, and the answer may be lost with it.
    let length =
        head.split_once("content-length:").and_then(|(_, rest)| rest.lines().next()?.trim().parse().ok());
    let _ = stream.read_exact(&mut vec![0; length.unwrap_or(0)]);
    let (status, body, offset) = if head.contains("/inference-profiles/") {
        (account.profile.0, account.profile.1.to_string(), 0)
    } else if head.contains("/foundation-model-availability/") {
        (account.access.0, account.access.1.to_string(), 0)
    } else if head.contains("/foundation-models/") {
        (account.model.0, account.model.1.to_string(), 0)
    } else {
        (account.identity.0, account.identity.1.clone(), if account.identity.0 == 200 { 0 } else { 3_600 })
    };
    let date = DateTime::from(SystemTime::now() + Duration::from_secs(offset)).fmt(Format::HttpDate).unwrap();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\ndate: {date}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn ask(command: &[&str], account: Account, env: &[(&str, &str)]) -> Done {
    let url = serve(account);
    let keys = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("CLAUDE_CODE_AWS_STORE", "none"),
        ("CLAUDE_CODE_AWS_MODEL_ID", "global.anthropic.claude-sonnet-5-5"),
    ];
    Place::new().run_with(command, &[&keys[..], env].concat())
}

fn line<'a>(done: &'a Done, begins: &[&str]) -> &'a str {
    let is = |line: &&str| line.split_whitespace().take(begins.len()).eq(begins.iter().copied());
    done.out.lines().find(is).unwrap_or_else(|| panic!("{begins:?}: {done:?}"))
}

#[test]
fn against_a_twin_every_line_is_ok_or_a_note() {
    let place = Place::new();
    let up = Up::start(&place, &[]);
    let mut command = place.command(&["doctor", "--json"]);
    let done = Done::of(command.envs(up.env()).env("CLAUDE_CODE_AWS_STORE", "aws").output().unwrap());
    assert_eq!(done.code, 0, "{done:?}");
    let found = done.json();
    let checks = found["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    for name in ["credentials", "clock", "region", "access", "models", "table", "bucket", "caps"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    for name in ["CloudServiceCreator", "cloudservicecreator-code"] {
        assert!(done.out.contains(name), "the service creator's {name}: {done:?}");
    }
    let told =
        |check: &&Value| check["name"] == "access" && check["detail"].as_str().unwrap().contains("may call");
    assert_eq!(checks.iter().filter(told).count(), 3, "each tier's model: {done:?}");
    let mut command = place.command(&["models", "check"]);
    let done = Done::of(command.envs(up.env()).output().unwrap());
    assert!(done.code == 0 && done.out.contains("this account may call"), "{done:?}");
}

#[test]
fn what_keeps_an_account_from_a_model_is_named_with_its_fix() {
    let with = |change: &dyn Fn(&mut Account)| {
        let mut account = account();
        change(&mut account);
        account
    };
    let access = |name: &str, value: Value| with(&|account| account.access.1[name] = value.clone());
    let table = [
        (access("regionAvailability", json!("NOT_AVAILABLE")), "access", "another region"),
        (access("agreementAvailability", json!({ "status": "NOT_AVAILABLE" })), "access", "accept"),
        (access("authorizationStatus", json!("NOT_AUTHORIZED")), "access", "ask for access"),
        (access("entitlementAvailability", json!("NOT_AVAILABLE")), "access", "ask for access"),
        (
            with(&|account| account.profile = (404, refused("ResourceNotFoundException"))),
            "profile",
            "CLAUDE_CODE_AWS_PROFILE_SCOPE",
        ),
        (
            with(&|account| account.model = (404, refused("ResourceNotFoundException"))),
            "lifecycle",
            "another region",
        ),
    ];
    for (account, name, fix) in table {
        for command in [&["doctor"][..], &["models", "check"]] {
            let done = ask(command, account.clone(), &[]);
            assert_eq!(done.code, 1, "{done:?}");
            assert!(line(&done, &["fix", name]).contains(fix), "{done:?}");
        }
    }
}

#[test]
fn dates_that_the_catalogue_does_not_have_are_told_and_stop_nothing() {
    let table = [
        (lifecycle("LEGACY", None), "is legacy"),
        (lifecycle("ACTIVE", Some("2027-03-01T00:00:00Z")), "ends on 2027-03-01"),
        (lifecycle("LEGACY", Some("2027-03-01T00:00:00Z")), "is legacy and ends on 2027-03-01"),
    ];
    for (model, words) in table {
        let done = ask(&["doctor"], Account { model: (200, model), ..account() }, &[]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(line(&done, &["note", "lifecycle"]).contains(words), "{done:?}");
    }
    let done = ask(&["doctor"], account(), &[]);
    assert!(done.code == 0 && !done.out.contains("lifecycle"), "{done:?}");
}

#[test]
fn questions_that_are_not_allowed_are_told_once_with_their_permission() {
    let denied = || (403, refused("AccessDeniedException"));
    let account = Account { profile: denied(), access: denied(), model: denied(), ..account() };
    let done = ask(&["doctor"], account, &[]);
    assert_eq!(done.code, 0, "they may be callable all the same: {done:?}");
    for action in ["GetInferenceProfile", "GetFoundationModelAvailability", "GetFoundationModel "] {
        assert_eq!(done.out.matches(&format!("bedrock:{action}")).count(), 1, "{action}: {done:?}");
    }
}

#[test]
fn the_model_behind_an_application_profile_is_named() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    let done = ask(&["doctor"], account(), &[("CLAUDE_CODE_AWS_MODEL_ID", arn)]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("stands for global.anthropic.claude-sonnet-5-5"), "{done:?}");
}

#[test]
fn the_other_regions_that_may_be_asked_are_looked_at_too() {
    let env = [
        ("CLAUDE_CODE_AWS_PROFILE_SCOPE", "us"),
        ("CLAUDE_CODE_AWS_MODEL_ID", "us.anthropic.claude-sonnet-5-5"),
        ("CLAUDE_CODE_AWS_FAILOVER_REGIONS", "us-west-2,eu-west-1"),
    ];
    let done = ask(&["doctor"], account(), &env);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.out.contains("us-west-2: Claude Sonnet 5.5: this account may call us.anthropic"),
        "{done:?}"
    );
    assert!(line(&done, &["note", "access", "eu-west-1"]).contains("never asked"), "{done:?}");
    let lacking = Account { profile: (404, refused("ResourceNotFoundException")), ..account() };
    let done = ask(&["doctor"], lacking, &env);
    assert!(done.code == 1 && line(&done, &["fix", "profile", "us-west-2:"]).contains("us."), "{done:?}");
}

#[test]
fn a_clock_that_is_off_is_told_in_seconds() {
    let text = "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>Signature expired</Message></Error></ErrorResponse>";
    let done = ask(&["doctor"], Account { identity: (403, text.to_owned()), ..account() }, &[]);
    assert_eq!(done.code, 1, "{done:?}");
    let told = line(&done, &["fix", "clock"]);
    let seconds = |n: u32| told.contains(&format!("{n} s behind AWS's"));
    assert!((3_590..=3_600).any(seconds) && told.contains("timedatectl"), "{told}");
}

#[test]
fn an_address_that_is_neither_near_nor_https_is_refused_before_anything_is_sent() {
    let place = Place::new();
    let env = [("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://example.com:8080/")];
    let done = place.run_with(&["doctor"], &env);
    assert!(done.code == 1 && line(&done, &["fix", "endpoints"]).contains("https://"), "{done:?}");
    let done = place.run_with(&["generate", "reverse a string", "--no-store"], &env);
    assert!(
        done.code == 2 && done.err.contains("Bedrock Runtime") && done.err.contains("example.com"),
        "{done:?}"
    );
}

/// A server that answers every request with this status; none: it takes no connection.
fn messages_api(status: Option<u16>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let Some(status) = status else { return };
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let read = stream.read(&mut head).unwrap();
            if read == 0 {
                // The doctor only looked whether the port takes connections.
                continue;
            }
            assert!(head[..read].starts_with(b"GET /v1/models?limit=1 "), "nothing is sent to a model");
            let _ =
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
        }
    });
    url
}

#[test]
fn the_messages_api_is_asked_before_it_is_said_to_answer() {
    let table = [
        (Some(200), 0, ["ok", "credentials"], "answers and takes ANTHROPIC_API_KEY"),
        (Some(401), 1, ["fix", "credentials"], "refuses the key (HTTP 401)"),
        (Some(404), 0, ["note", "credentials"], "no list of models"),
        (Some(503), 0, ["note", "credentials"], "HTTP 503"),
        (None, 1, ["fix", "tcp"], "refused"),
    ];
    for (status, code, begins, told) in table {
        let url = messages_api(status);
        let env = [
            ("CLAUDE_CODE_AWS_PROVIDER", "anthropic"),
            ("ANTHROPIC_BASE_URL", url.as_str()),
            ("ANTHROPIC_API_KEY", "key"),
            ("CLAUDE_CODE_AWS_STORE", "none"),
        ];
        let done = Place::new().run_with(&["doctor"], &env);
        assert_eq!(done.code, code, "{status:?}: {done:?}");
        assert!(line(&done, &begins).contains(told), "{status:?}: {done:?}");
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_named_as_the_environment_names_it() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let env = [
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("CLAUDE_CODE_AWS_TIMEOUT_SECONDS", "1"),
    ];
    let done = Place::new().run_with(&["generate", "reverse a string", "--no-store"], &env);
    assert!(done.code == 1 && done.err.contains(&format!("{closed} refused the connection")), "{done:?}");
}

#[test]
fn in_lambda_addresses_of_the_environment_count_only_where_they_are_allowed() {
    let lambda = ("AWS_LAMBDA_FUNCTION_NAME", "api");
    // AWS itself would be called: behind a proxy that is not there nothing leaves this machine.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("http://{closed}");
    let done = ask(&["doctor"], account(), &[lambda, ("HTTPS_PROXY", &proxy)]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(!done.out.contains("account 123456789012"), "{done:?}");
    line(&done, &["fix", "network"]);
    let allowed = [lambda, ("HTTPS_PROXY", proxy.as_str()), ("CLAUDE_CODE_AWS_ALLOW_ENDPOINT_OVERRIDE", "1")];
    let done = ask(&["doctor"], account(), &allowed);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("account 123456789012"), "{done:?}");
}
