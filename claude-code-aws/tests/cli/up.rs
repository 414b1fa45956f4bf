//! A twin that is up, as the command starts it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};

#[cfg(unix)]
use super::Done;
use super::Place;

/// A twin that is up; killed if the test forgets it.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) exports: Vec<(String, String)>,
}

impl Up {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Self {
        Up::start_with(place, args, &[])
    }

    pub(crate) fn start_with(place: &Place, args: &[&str], env: &[(&str, &str)]) -> Self {
        let mut command = place.command(&[&["twin", "up"], args].concat());
        command.envs(env.iter().copied()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let mut exports = Vec::new();
        while let Some(line) = lines.next().transpose().unwrap() {
            let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
            exports.push((name.to_owned(), value.to_owned()));
            if name == "AWS_ENDPOINT_URL_BEDROCK_RUNTIME" {
                break;
            }
        }
        drop(lines);
        assert!(!exports.is_empty(), "it is up: {:?}", child.wait());
        Up { child, exports }
    }

    pub(crate) fn env(&self) -> Vec<(String, String)> {
        self.exports.clone()
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        &self.exports.iter().find(|(export, _)| export == name).unwrap_or_else(|| panic!("no {name}")).1
    }

    /// The SDK's configuration as an SDK that reads these variables makes it.
    pub(crate) fn sdk(&self, endpoint: &str, secret: &str) -> SdkConfig {
        let key = self.get("AWS_ACCESS_KEY_ID");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(self.get("AWS_REGION").to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                key, secret, None, None, "test",
            )))
            .endpoint_url(self.get(endpoint))
            .build()
    }

    pub(crate) fn config(&self, endpoint: &str) -> SdkConfig {
        self.sdk(endpoint, self.get("AWS_SECRET_ACCESS_KEY"))
    }

    /// A request by hand; the whole answer.
    pub(crate) fn raw(&self, endpoint: &str, request: &str) -> String {
        let address = self.get(endpoint).trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[cfg(unix)]
    pub(crate) fn signal(mut self, name: &str) -> Done {
        let sent = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let mut err = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Done { code, out: String::new(), err }
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A twin that gives this answer to whatever is asked, and the command's environment for it.
pub(crate) fn answering(place: &Place, text: &str) -> (Up, Vec<(String, String)>) {
    let steps = serde_json::json!({ "steps": [{ "times": 20, "answer": { "text": text } }] });
    let script = place.write("script.json", &steps.to_string());
    let up = Up::start(place, &["--answers", script.to_str().unwrap()]);
    let env = [up.env(), vec![("CLAUDE_CODE_AWS_STORE".into(), "none".into())]].concat();
    (up, env)
}
