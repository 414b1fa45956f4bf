//! A raw TCP server on loopback that plays scripts of bytes and counts the whole requests that it received.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// What one request gets.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub bytes: Vec<u8>,
    pub toxic: Option<Toxic>,
}

/// The seven things that happen to connections.
#[derive(Clone, Copy, Debug)]
pub enum Toxic {
    /// This long before the first byte.
    Latency(Duration),
    /// At most so many bytes in each ten milliseconds.
    Bandwidth(usize),
    /// The connection stays open for so long after the last byte.
    SlowClose(Duration),
    /// After so many bytes nothing comes any more, and the connection stays open.
    Timeout(usize),
    /// After so many bytes the connection is reset.
    Reset(usize),
    /// Pieces of so many bytes, each on its own.
    Slicer(usize),
    /// After so many bytes the connection is closed as if that were all.
    Limit(usize),
}

impl Script {
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Script { bytes: bytes.into(), toxic: None }
    }

    pub fn with(mut self, toxic: Toxic) -> Self {
        self.toxic = Some(toxic);
        self
    }
}

#[derive(Debug, Default)]
struct Seen {
    requests: Mutex<Vec<Vec<u8>>>,
    open: AtomicUsize,
    closed_by_client: Mutex<Vec<Instant>>,
}

/// Stops with its value.
#[derive(Debug)]
pub struct Server {
    pub url: String,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Plays one script a request, in order; the last one for every request after it.
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Seen>::default();
        let scripts = Arc::new(Mutex::new(scripts.into_iter().collect::<VecDeque<_>>()));
        let kept = seen.clone();
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, scripts.clone(), kept.clone()));
            }
        });
        Server { url, seen, task }
    }

    /// Whole requests that arrived.
    pub fn sends(&self) -> usize {
        self.seen.requests.lock().unwrap().len()
    }

    /// A request as it arrived.
    pub fn request(&self, at: usize) -> String {
        String::from_utf8_lossy(&self.seen.requests.lock().unwrap()[at]).into_owned()
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// When the client closed its connections.
    pub fn closings(&self) -> Vec<Instant> {
        self.seen.closed_by_client.lock().unwrap().clone()
    }
}

struct Opened(Arc<Seen>);

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn serve(mut stream: TcpStream, scripts: Arc<Mutex<VecDeque<Script>>>, seen: Arc<Seen>) {
    seen.open.fetch_add(1, Ordering::SeqCst);
    let _opened = Opened(seen.clone());
    stream.set_nodelay(true).unwrap();
    if let Some(request) = whole_request(&mut stream).await {
        seen.requests.lock().unwrap().push(request);
        let script = {
            let mut scripts = scripts.lock().unwrap();
            if scripts.len() > 1 { scripts.pop_front() } else { scripts.front().cloned() }
        };
        play(stream, script.unwrap_or_default(), &seen).await;
    }
}

async fn whole_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 16 << 10];
        let n = stream.read(&mut piece).await.ok().filter(|n| *n > 0)?;
        bytes.extend_from_slice(&piece[..n]);
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        if bytes.len() >= head + 4 + length.unwrap_or(0usize) {
            return Some(bytes);
        }
    }
}

async fn play(mut stream: TcpStream, script: Script, seen: &Seen) {
    let bytes = &script.bytes;
    let upto = |n: usize| &bytes[..n.min(bytes.len())];
    match script.toxic {
        Some(Toxic::Latency(time)) => {
            tokio::select! {
                () = sleep(time) => {}
                () = closed(&mut stream, seen) => return,
            }
            let _ = stream.write_all(bytes).await;
        }
        Some(Toxic::Bandwidth(size)) => {
            for piece in bytes.chunks(size) {
                if stream.write_all(piece).await.is_err() {
                    return;
                }
                if timeout(Duration::from_millis(10), closed(&mut stream, seen)).await.is_ok() {
                    return;
                }
            }
        }
        Some(Toxic::SlowClose(time)) => {
            let _ = stream.write_all(bytes).await;
            let _ = timeout(time, closed(&mut stream, seen)).await;
        }
        Some(Toxic::Timeout(n)) => {
            let _ = stream.write_all(upto(n)).await;
            closed(&mut stream, seen).await;
        }
        Some(Toxic::Reset(n)) => {
            let _ = stream.write_all(upto(n)).await;
            // Without a pause the reset overtakes the bytes before it.
            sleep(Duration::from_millis(2)).await;
            let _ = stream.set_zero_linger();
        }
        Some(Toxic::Slicer(size)) => {
            for piece in bytes.chunks(size) {
                if stream.write_all(piece).await.is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
        Some(Toxic::Limit(n)) => {
            let _ = stream.write_all(upto(n)).await;
        }
        None => {
            let _ = stream.write_all(bytes).await;
        }
    }
}

/// Until the client closes its side.
async fn closed(stream: &mut TcpStream, seen: &Seen) {
    let mut byte = [0; 64];
    while matches!(stream.read(&mut byte).await, Ok(n) if n > 0) {}
    seen.closed_by_client.lock().unwrap().push(Instant::now());
}
