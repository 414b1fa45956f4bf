//! Scripted faults of an answer: waits, stalls, cuts, damage, an exception in its middle.

use std::time::Duration;

use bytes::Bytes;

use crate::local::server::body::Piece;

/// One thing that goes wrong with an answer. Frames are counted from 0; in JSON the whole body is one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing for this long, not even the status.
    Latency(Duration),
    /// This long before every frame but the first.
    Pace(Duration),
    /// Frames are sent in slices of at most so many bytes; with a [`Pace`](Self::Pace) behind it, drop by drop.
    Slice(usize),
    /// After this many bytes nothing comes any more, and no end.
    StallAt(usize),
    /// After this many bytes the connection breaks.
    BreakAt(usize),
    /// After this many bytes the body ends as if it were complete.
    CutAt(usize),
    /// The last byte of this frame is changed: in an event stream its checksum is wrong.
    Damage(usize),
    /// This bit of the body is turned over, counted from the first byte's highest.
    FlipBit(usize),
    /// This frame is lost.
    Lose(usize),
    /// This frame comes twice.
    Double(usize),
    /// This frame comes after the next one.
    Swap(usize),
    /// Before this frame comes an exception, and then the end. An answer without a stream is that exception as a
    /// whole: `throttlingException` is a ThrottlingException with status 429.
    Exception {
        /// The number of the frame that it takes the place of.
        at: usize,
        /// Its name, as in `throttlingException`.
        code: String,
        /// Its line for a person.
        message: String,
    },
    /// This header is set: `retry-after`, `date`, `content-type`.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// These bytes stand in the place of the body: a proxy's page, half a JSON, a frame that claims too much.
    Body(Vec<u8>),
}

impl Fault {
    /// The header that asks to wait so long, in whole seconds rounded up.
    pub fn retry_after(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Fault::Header { name: "retry-after".to_owned(), value: seconds.to_string() }
    }
}

/// Waits as long as an answer with these faults is late.
pub(crate) async fn wait(faults: &[Fault]) {
    for fault in faults {
        if let Fault::Latency(time) = fault {
            tokio::time::sleep(*time).await;
        }
    }
}

/// The pieces of a body in one frame that meets these faults. None of them is an exception: that is of streams.
pub(crate) fn apply(body: Bytes, faults: &[Fault]) -> Vec<Piece> {
    let mut way = Way::new(faults, |_, _| Bytes::new());
    let mut pieces = Vec::new();
    way.pass(body, &mut pieces);
    way.end(&mut pieces);
    pieces
}

/// Takes the first exception, its name and its message, out of the faults, and drops the others.
pub(crate) fn take_exception(faults: &mut Vec<Fault>) -> Option<(String, String)> {
    let first = faults.iter().find_map(|fault| match fault {
        Fault::Exception { code, message, .. } => Some((code.clone(), message.clone())),
        _ => None,
    });
    faults.retain(|fault| !matches!(fault, Fault::Exception { .. }));
    first
}

/// The way of one body: frames go in as they come, pieces come out. Each fault is a stage, and meets what the one
/// before it left.
#[derive(Debug)]
pub(crate) struct Way {
    stages: Vec<Stage>,
    /// What is sent instead of all frames.
    instead: Option<Bytes>,
}

impl Way {
    /// A way with these faults.
    pub(crate) fn new(faults: &[Fault], exception: impl Fn(&str, &str) -> Bytes) -> Self {
        let instead = faults.iter().rev().find_map(|fault| match fault {
            Fault::Body(bytes) => Some(Bytes::from(bytes.clone())),
            _ => None,
        });
        Way { stages: faults.iter().filter_map(|fault| Stage::of(fault, &exception)).collect(), instead }
    }

    /// Takes the next frame; what is sent of it is put behind `pieces`.
    pub(crate) fn pass(&mut self, frame: Bytes, pieces: &mut Vec<Piece>) {
        if self.instead.is_none() {
            push(&mut self.stages, Piece::Bytes(frame), pieces);
        }
    }

    /// The body's end.
    pub(crate) fn end(&mut self, pieces: &mut Vec<Piece>) {
        if let Some(bytes) = self.instead.take() {
            push(&mut self.stages, Piece::Bytes(bytes), pieces);
        }
        let mut rest = self.stages.as_mut_slice();
        while let Some((stage, behind)) = rest.split_first_mut() {
            for piece in stage.end() {
                push(behind, piece, pieces);
            }
            rest = behind;
        }
    }
}

fn push(stages: &mut [Stage], piece: Piece, pieces: &mut Vec<Piece>) {
    match stages.split_first_mut() {
        None => pieces.push(piece),
        Some((stage, behind)) => {
            for piece in stage.pass(piece) {
                push(behind, piece, pieces);
            }
        }
    }
}

/// A fault at work: how many frames or bytes went through it.
#[derive(Debug)]
struct Stage {
    act: Act,
    frames: usize,
    bytes: usize,
    /// Nothing goes through any more.
    over: bool,
    held: Option<Piece>,
}

#[derive(Debug)]
enum Act {
    Pace(Duration),
    Slice(usize),
    End { at: usize, with: Option<Piece> },
    Damage(usize),
    Flip(usize),
    Lose(usize),
    Double(usize),
    Swap(usize),
    Exception { at: usize, bytes: Bytes },
}

impl Stage {
    fn of(fault: &Fault, exception: impl Fn(&str, &str) -> Bytes) -> Option<Self> {
        let end = |at: &usize, with| Act::End { at: *at, with };
        let act = match fault {
            Fault::Latency(_) | Fault::Header { .. } | Fault::Body(_) => return None,
            Fault::Pace(time) => Act::Pace(*time),
            Fault::Slice(bytes) => Act::Slice((*bytes).max(1)),
            Fault::StallAt(bytes) => end(bytes, Some(Piece::Stall)),
            Fault::BreakAt(bytes) => end(bytes, Some(Piece::Break("connection reset".to_owned()))),
            Fault::CutAt(bytes) => end(bytes, None),
            Fault::Damage(frame) => Act::Damage(*frame),
            Fault::FlipBit(bit) => Act::Flip(*bit),
            Fault::Lose(frame) => Act::Lose(*frame),
            Fault::Double(frame) => Act::Double(*frame),
            Fault::Swap(frame) => Act::Swap(*frame),
            Fault::Exception { at, code, message } => {
                Act::Exception { at: *at, bytes: exception(code, message) }
            }
        };
        Some(Stage { act, frames: 0, bytes: 0, over: false, held: None })
    }

    /// What a piece becomes. Waits and the like go through as they are.
    fn pass(&mut self, piece: Piece) -> Vec<Piece> {
        if self.over {
            return Vec::new();
        }
        let Piece::Bytes(data) = piece else { return vec![piece] };
        let (frame, before) = (self.frames, self.bytes);
        self.frames += 1;
        self.bytes += data.len();
        match &mut self.act {
            Act::Pace(time) if frame > 0 => vec![Piece::Wait(*time), Piece::Bytes(data)],
            Act::Slice(size) => slices(&data, *size),
            Act::End { at, with } if before + data.len() > *at => {
                self.over = true;
                let kept = Piece::Bytes(data.slice(..*at - before));
                let kept = Some(kept).filter(|_| *at > before);
                kept.into_iter().chain(with.take()).collect()
            }
            Act::Damage(at) if frame == *at => {
                vec![Piece::Bytes(flipped(&data, data.len().max(1) * 8 - 1, 0xff))]
            }
            Act::Flip(bit) if (before * 8..(before + data.len()) * 8).contains(bit) => {
                vec![Piece::Bytes(flipped(&data, *bit - before * 8, 0x80 >> (*bit % 8)))]
            }
            Act::Lose(at) if frame == *at => Vec::new(),
            Act::Double(at) if frame == *at => vec![Piece::Bytes(data.clone()), Piece::Bytes(data)],
            Act::Swap(at) if frame == *at => {
                self.held = Some(Piece::Bytes(data));
                Vec::new()
            }
            Act::Swap(_) => [Piece::Bytes(data)].into_iter().chain(self.held.take()).collect(),
            Act::Exception { at, bytes } if frame == *at => {
                self.over = true;
                vec![Piece::Bytes(bytes.clone())]
            }
            _ => vec![Piece::Bytes(data)],
        }
    }

    /// What comes at the end of the body: a body shorter than where it was to stop still stops so.
    fn end(&mut self) -> Vec<Piece> {
        if self.over {
            return Vec::new();
        }
        self.over = true;
        match &mut self.act {
            Act::End { with, .. } => with.take().into_iter().collect(),
            Act::Exception { bytes, .. } => vec![Piece::Bytes(bytes.clone())],
            _ => self.held.take().into_iter().collect(),
        }
    }
}

fn slices(data: &Bytes, size: usize) -> Vec<Piece> {
    (0..data.len()).step_by(size).map(|at| Piece::Bytes(data.slice(at..data.len().min(at + size)))).collect()
}

/// The bytes with those bits of the byte around `bit` turned over.
fn flipped(data: &Bytes, bit: usize, bits: u8) -> Bytes {
    let mut changed = data.to_vec();
    if let Some(byte) = changed.get_mut(bit / 8) {
        *byte ^= bits;
    }
    changed.into()
}
