//! A mock of the Bedrock runtime for benches: loopback, plain HTTP, answers encoded before the first call. It does
//! as little as it can, so that what is measured is the client. One thread for each connection.
//!
//! `mock_bedrock` prints `http://127.0.0.1:PORT`. Which answer is given stands in the request: `scenario=NAME`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What the service groups in one delta of text: about five tokens.
const DELTA: usize = 20;
/// How long the model of `latency` waits before its first byte.
const LATENCY: Duration = Duration::from_millis(200);
/// The pause before each delta of `paced`.
const PACE: Duration = Duration::from_micros(500);

/// An answer ready to be sent.
struct Answer {
    /// Frames of ConverseStream, in pieces to be sent with a pause before each.
    stream: Vec<Vec<u8>>,
    /// The body of Converse.
    whole: Vec<u8>,
    before: Duration,
    between: Duration,
}

fn main() {
    let answers = Arc::new(answers());
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    println!("http://{}", listener.local_addr().expect("an address"));
    for connection in listener.incoming().flatten() {
        let answers = answers.clone();
        thread::spawn(move || serve(connection, &answers));
    }
}

fn answers() -> HashMap<&'static str, Answer> {
    let small = format!("```python\n{}```\n", "def half(n: int) -> int:\n    return n // 2\n".repeat(4));
    let long = |bytes: usize| {
        let line = "    def value(self, key: str) -> int: return self._values.get(key, 0) + 1\n";
        format!("```python\nclass A:\n{}```\n", line.repeat(bytes / line.len()))
    };
    let eight: String = (0..8)
        .map(|n| {
            format!(
                "```python m{n}.py\n{}```\n\n",
                "VALUE = 'a line of about forty characters'\n".repeat(30_000)
            )
        })
        .collect();
    let instant = |text: &str| Answer::new(text, DELTA);
    let mut claims = vec![frame_head(1 << 30)];
    claims.extend(std::iter::repeat_n(vec![0; 1 << 20], 64));
    HashMap::from([
        ("small", instant(&small)),
        ("deltas", instant(&long(8_000 * DELTA))),
        ("paced", Answer::new(&long(2_000 * DELTA), DELTA).paced()),
        ("latency", Answer { before: LATENCY, ..instant(&small) }),
        ("large", Answer::new(&eight, 1_000)),
        ("claims", Answer { stream: claims, ..instant(&small) }),
    ])
}

impl Answer {
    fn new(text: &str, delta: usize) -> Self {
        let mut frames = vec![event("messageStart", "{\"role\":\"assistant\",\"p\":\"abcdef\"}")];
        let chars: Vec<char> = text.chars().collect();
        for piece in chars.chunks(delta) {
            let piece = serde_json::Value::from(piece.iter().collect::<String>());
            let payload = format!(
                "{{\"contentBlockIndex\":0,\"delta\":{{\"text\":{piece}}},\"p\":\"abcdefghijklmnop\"}}"
            );
            frames.push(event("contentBlockDelta", &payload));
        }
        frames.push(event("contentBlockStop", "{\"contentBlockIndex\":0,\"p\":\"abc\"}"));
        frames.push(event("messageStop", "{\"stopReason\":\"end_turn\",\"p\":\"abcd\"}"));
        let usage = "\"usage\":{\"inputTokens\":900,\"outputTokens\":50,\"totalTokens\":950}";
        frames.push(event("metadata", &format!("{{\"metrics\":{{\"latencyMs\":5}},{usage}}}")));
        let content = serde_json::json!([{ "text": text }]);
        let whole = format!(
            "{{\"output\":{{\"message\":{{\"role\":\"assistant\",\"content\":{content}}}}},\
             \"stopReason\":\"end_turn\",\"metrics\":{{\"latencyMs\":5}},{usage}}}"
        );
        let stream = vec![frames.concat()];
        Answer { stream, whole: whole.into_bytes(), before: Duration::ZERO, between: Duration::ZERO }
    }

    /// Each delta in a piece of its own, with a pause before it.
    fn paced(mut self) -> Self {
        let whole = std::mem::take(&mut self.stream).concat();
        let mut rest = &whole[..];
        while !rest.is_empty() {
            let length = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize;
            let (frame, tail) = rest.split_at(length);
            self.stream.push(frame.to_vec());
            rest = tail;
        }
        self.between = PACE;
        self
    }
}

/// The first twelve bytes of a frame of so many: total length, length of headers, their checksum.
fn frame_head(total: u32) -> Vec<u8> {
    let mut bytes = total.to_be_bytes().to_vec();
    bytes.extend(64_u32.to_be_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_be_bytes());
    bytes
}

fn event(kind: &str, payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in
        [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")]
    {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let mut bytes = (16 + headers.len() as u32 + payload.len() as u32).to_be_bytes().to_vec();
    bytes.extend((headers.len() as u32).to_be_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_be_bytes());
    bytes
}

/// Answers the requests of a connection until it is closed.
fn serve(connection: TcpStream, answers: &HashMap<&str, Answer>) {
    let _ = connection.set_nodelay(true);
    let Ok(mut out) = connection.try_clone() else { return };
    let mut input = BufReader::with_capacity(64 << 10, connection);
    while let Some((streams, body)) = request(&mut input) {
        let name = scenario(&body);
        let answer = answers.get(name.as_str()).unwrap_or_else(|| panic!("no scenario {name:?}"));
        thread::sleep(answer.before);
        let sent = match streams {
            true => send_stream(&mut out, answer),
            false => send_whole(&mut out, &answer.whole),
        };
        if sent.is_err() {
            return;
        }
    }
}

/// The next request: whether it asks for a stream, and its body.
fn request(input: &mut impl BufRead) -> Option<(bool, Vec<u8>)> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let streams = line.contains("/converse-stream ");
    let mut length = 0;
    loop {
        line.clear();
        input.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some((streams, body))
}

/// The name after `scenario=` in a request's body.
fn scenario(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let name = text.split_once("scenario=").map_or("small", |(_, rest)| rest);
    name.chars().take_while(char::is_ascii_lowercase).collect()
}

fn send_whole(out: &mut TcpStream, body: &[u8]) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-amzn-requestid: 1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    out.write_all(&[head.as_bytes(), body].concat())
}

fn send_stream(out: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    out.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.amazon.eventstream\r\nx-amzn-requestid: 1\r\n\
          transfer-encoding: chunked\r\n\r\n",
    )?;
    for piece in &answer.stream {
        if !answer.between.is_zero() {
            thread::sleep(answer.between);
        }
        out.write_all(&[format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat())?;
    }
    out.write_all(b"0\r\n\r\n")
}
