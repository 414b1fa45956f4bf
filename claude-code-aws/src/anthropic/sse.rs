//! Server-sent events parser: pure, linear and bounded, whatever the chunking of the bytes.

use super::error::Damage;

/// The longest event that is taken; an honest one is a few kilobytes.
const MAX_EVENT: usize = 16 << 20;
/// The longest stream that is taken.
const MAX_STREAM: u64 = 64 << 20;

/// Collects lines to events.
#[derive(Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: String,
    seen: u64,
    after_cr: bool,
    comment: bool,
}

impl Events {
    /// Takes bytes and gives the data of the events that they end.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<String>, Damage> {
        self.seen += bytes.len() as u64;
        if self.seen > MAX_STREAM {
            return Err(Damage::Stream);
        }
        let mut ended = Vec::new();
        let mut rest = bytes;
        // A line ends at CR, LF or both.
        if std::mem::take(&mut self.after_cr) && rest.first() == Some(&b'\n') {
            rest = &rest[1..];
        }
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            self.line.extend_from_slice(&rest[..at]);
            let cr = rest[at] == b'\r';
            rest = &rest[at + 1..];
            match (cr, rest.first()) {
                (true, Some(b'\n')) => rest = &rest[1..],
                (true, None) => self.after_cr = true,
                _ => {}
            }
            ended.extend(self.end_line()?);
        }
        self.line.extend_from_slice(rest);
        if self.line.len() + self.data.len() > MAX_EVENT {
            return Err(Damage::Event);
        }
        Ok(ended)
    }

    /// Whether a comment arrived since this was last asked.
    pub(crate) fn take_comment(&mut self) -> bool {
        std::mem::take(&mut self.comment)
    }

    /// What stands there at the end of the bytes. An event without its blank line counts only if it is whole in
    /// itself, which the reader of its JSON sees.
    pub(crate) fn finish(mut self) -> Result<Option<String>, Damage> {
        let last = self.end_line()?;
        Ok(last.or(Some(self.data).filter(|data| !data.is_empty())))
    }

    fn end_line(&mut self) -> Result<Option<String>, Damage> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok(Some(data).filter(|data| !data.is_empty()));
        }
        let line = std::str::from_utf8(&line).map_err(|_| Damage::Text)?;
        self.comment |= line.starts_with(':');
        // All fields but the data are not needed: each event's JSON has its type in it.
        if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        Ok(None)
    }
}
