//! Reader stub.
use crate::{CodeFile, Language};
/// v
pub const READER_VERSION: &str = "1";
/// r
#[derive(Clone, Debug)] pub struct AnswerReader { text: String }
impl AnswerReader { /// n
 pub fn new(_: Option<&str>, _: Option<Language>) -> Self { AnswerReader { text: String::new() } }
 /// f
 pub fn feed(&mut self, c: &str) -> Vec<Piece> { self.text.push_str(c); vec![Piece::Text(c.into())] }
 /// f
 pub fn finish(self) -> (Vec<Piece>, Answer) { (vec![], Answer { files: vec![CodeFile { path: None, language: Language::text(), content: self.text, complete: true, rejected: None }], text: String::new(), complete: true, notes: vec![] }) } }
/// p
#[derive(Clone, Debug)]
pub enum Piece { /// t
 Text(String), /// s
 FileStarted { /// i
 index: usize, /// p
 path: Option<String>, /// l
 language: Language, /// r
 revision: u32 }, /// c
 FileChunk { /// i
 index: usize, /// r
 revision: u32, /// t
 text: String }, /// f
 FileFinished { /// i
 index: usize, /// r
 revision: u32, /// c
 complete: bool } }
/// a
#[derive(Clone, Debug)]
pub struct Answer { /// f
 pub files: Vec<CodeFile>, /// t
 pub text: String, /// c
 pub complete: bool, /// n
 pub notes: Vec<String> }
