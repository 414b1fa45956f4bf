//! What can happen to an answer on its way: waits, stalls, cuts, damage, an exception in its middle.

use std::time::Duration;

use bytes::Bytes;

use super::body::Piece;

/// One thing that goes wrong with an answer. Frames are counted from 0; in JSON the whole body is one frame.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing for this long, not even the status.
    Latency(Duration),
    /// This long before every frame but the first.
    Pace(Duration),
    /// After this many bytes nothing comes any more, and no end.
    StallAt(usize),
    /// After this many bytes the connection breaks.
    BreakAt(usize),
    /// After this many bytes the body ends as if it were complete.
    CutAt(usize),
    /// The last byte of this frame is changed: in an event stream its checksum is wrong.
    Damage(usize),
    /// Before this frame comes an exception, and then the end.
    Exception {
        /// The number of the frame that it takes the place of.
        at: usize,
        /// Its name, as in `throttlingException`.
        code: String,
        /// Its line for a person.
        message: String,
    },
}

/// Waits as long as an answer with these faults is late.
pub(super) async fn wait(faults: &[Fault]) {
    for fault in faults {
        if let Fault::Latency(time) = fault {
            tokio::time::sleep(*time).await;
        }
    }
}

/// The pieces of a body whose frames meet these faults, each applied to what the one before it left.
/// `exception` writes an exception as the body's format has it.
pub(super) fn apply(
    frames: Vec<Bytes>,
    faults: &[Fault],
    exception: impl Fn(&str, &str) -> Bytes,
) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = frames.into_iter().map(Piece::Bytes).collect();
    for fault in faults {
        match fault {
            Fault::Latency(_) => {}
            Fault::Pace(time) => pieces = paced(pieces, *time),
            Fault::StallAt(bytes) => ended(&mut pieces, *bytes, Some(Piece::Stall)),
            Fault::BreakAt(bytes) => {
                ended(&mut pieces, *bytes, Some(Piece::Break("connection reset".to_owned())));
            }
            Fault::CutAt(bytes) => ended(&mut pieces, *bytes, None),
            Fault::Damage(frame) => damage(&mut pieces, *frame),
            Fault::Exception { at, code, message } => {
                let before = frame(&pieces, *at).unwrap_or(pieces.len());
                pieces.truncate(before);
                pieces.push(Piece::Bytes(exception(code, message)));
            }
        }
    }
    pieces
}

/// Where a frame stands among the pieces.
fn frame(pieces: &[Piece], number: usize) -> Option<usize> {
    let frames = pieces.iter().enumerate().filter(|(_, piece)| matches!(piece, Piece::Bytes(_)));
    frames.map(|(at, _)| at).nth(number)
}

fn paced(pieces: Vec<Piece>, time: Duration) -> Vec<Piece> {
    let mut paced = Vec::with_capacity(pieces.len() * 2);
    for piece in pieces {
        if matches!(piece, Piece::Bytes(_)) && !paced.is_empty() {
            paced.push(Piece::Wait(time));
        }
        paced.push(piece);
    }
    paced
}

fn damage(pieces: &mut [Piece], number: usize) {
    let Some(Piece::Bytes(bytes)) = frame(pieces, number).and_then(|at| pieces.get_mut(at)) else { return };
    let mut changed = bytes.to_vec();
    if let Some(last) = changed.last_mut() {
        *last ^= 0xff;
    }
    *bytes = changed.into();
}

/// Keeps so many bytes and puts `end` behind them. A body that is shorter stays whole, and still ends so.
fn ended(pieces: &mut Vec<Piece>, bytes: usize, end: Option<Piece>) {
    let mut left = bytes;
    let mut kept = 0;
    for piece in pieces.iter_mut() {
        if let Piece::Bytes(data) = piece {
            if data.len() > left {
                data.truncate(left);
                kept += usize::from(left > 0);
                break;
            }
            left -= data.len();
        }
        kept += 1;
    }
    pieces.truncate(kept);
    pieces.extend(end);
}
