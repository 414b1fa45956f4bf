//! Pieces in chunks, as a consumer puts them together.

use std::collections::BTreeMap;

use claude_code_core::Language;
use claude_code_core::read::{Answer, AnswerEvent, AnswerReader};

/// Reads a text in these chunks: the pieces, adjacent ones of the same file or text merged, and the answer.
pub fn read<'a>(
    chunks: impl IntoIterator<Item = &'a str>,
    nonce: Option<&str>,
) -> (Vec<AnswerEvent>, Answer) {
    read_as(chunks, nonce, None)
}

/// The same with a language that was asked for.
pub fn read_as<'a>(
    chunks: impl IntoIterator<Item = &'a str>,
    nonce: Option<&str>,
    hint: Option<Language>,
) -> (Vec<AnswerEvent>, Answer) {
    let mut reader = AnswerReader::new(nonce, hint);
    let mut pieces: Vec<AnswerEvent> = chunks.into_iter().flat_map(|c| reader.feed(c)).collect();
    let (last, answer) = reader.finish();
    pieces.extend(last);
    (merged(pieces), answer)
}

fn merged(pieces: Vec<AnswerEvent>) -> Vec<AnswerEvent> {
    let mut out: Vec<AnswerEvent> = Vec::new();
    for piece in pieces {
        match (out.last_mut(), &piece) {
            (Some(AnswerEvent::Text(last)), AnswerEvent::Text(text)) => last.push_str(text),
            (
                Some(AnswerEvent::FileChunk { index: i, revision: r, text: last }),
                AnswerEvent::FileChunk { index, revision, text },
            ) if *i == *index && *r == *revision => last.push_str(text),
            _ => out.push(piece),
        }
    }
    out
}

/// What the pieces say of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Preview {
    pub path: Option<String>,
    pub content: String,
    pub finished: Option<bool>,
    revision: u32,
}

/// The files that the pieces tell, by index: the highest revision counts.
pub fn previews(pieces: &[AnswerEvent]) -> BTreeMap<usize, Preview> {
    let mut files: BTreeMap<usize, Preview> = BTreeMap::new();
    for piece in pieces {
        match piece {
            AnswerEvent::Text(_) => {}
            AnswerEvent::FileStarted { index, path, revision, .. } => {
                let known = files.get(index).map(|f| f.revision);
                assert!(known.is_none_or(|r| r < *revision), "a file began again without a higher revision");
                let preview = Preview { path: path.clone(), revision: *revision, ..Preview::default() };
                files.insert(*index, preview);
            }
            AnswerEvent::FileChunk { index, revision, text } => {
                let file = files.get_mut(index).expect("a chunk of a file that did not begin");
                assert_eq!(file.revision, *revision);
                file.content.push_str(text);
            }
            AnswerEvent::FileFinished { index, revision, complete } => {
                let file = files.get_mut(index).expect("the end of a file that did not begin");
                assert_eq!(file.revision, *revision);
                file.finished = Some(*complete);
            }
            other => panic!("a piece without a test: {other:?}"),
        }
    }
    files
}

/// The pieces must tell the answer's files.
pub fn check_previews(pieces: &[AnswerEvent], answer: &Answer) {
    let previews = previews(pieces);
    assert_eq!(answer.files.len(), answer.indices.len());
    for (file, index) in answer.files.iter().zip(&answer.indices) {
        let preview = &previews[index];
        assert_eq!(preview.path, file.path);
        assert_eq!(preview.content, file.content);
        assert_eq!(preview.finished, Some(file.complete));
    }
}
