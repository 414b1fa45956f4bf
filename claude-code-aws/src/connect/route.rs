//! Route probes: one step of a connection at a time, to say which one fails. Used where the connector's error does not
//! tell a proxy's status, and by the doctor.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::proxy::Proxy;

/// How long one step may take.
pub(crate) const STEP: Duration = Duration::from_secs(3);
/// The longest head of an answer that is read.
const MAX_HEAD: usize = 8 << 10;

/// The status with which a plain proxy answers CONNECT; none where it does not, or is spoken to by TLS.
pub(crate) async fn tunnel_status(proxy: &Proxy, host: &str, port: u16) -> Option<u16> {
    if !proxy.is_plain() {
        return None;
    }
    timeout(STEP, ask(proxy, host, port)).await.ok()?.ok()?
}

async fn ask(proxy: &Proxy, host: &str, port: u16) -> std::io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(proxy.address()).await?;
    let auth = proxy.user.as_ref().map_or_else(String::new, |(name, password)| {
        let pair = aws_smithy_types::base64::encode(format!("{name}:{password}"));
        format!("Proxy-Authorization: Basic {pair}\r\n")
    });
    let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{auth}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut bytes = [0; 1024];
    while !answer.contains(&b'\n') && answer.len() < MAX_HEAD {
        match stream.read(&mut bytes).await? {
            0 => break,
            n => answer.extend_from_slice(&bytes[..n]),
        }
    }
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split_whitespace().nth(1).and_then(|status| status.parse().ok()))
}
