//! An answer that stands as a whole in one fence of Markdown: its files are those of its inside.

use crate::read::answer::Answer;
use crate::read::cursor::is_blank;
use crate::read::reader::AnswerReader;

/// Info strings of fences that models put around a whole answer.
const AROUND: [&str; 6] = ["", "markdown", "md", "text", "txt", "plaintext"];
/// A longer line between files is prose: the block is a document that shows code.
const MAX_WORDS: usize = 12;

impl AnswerReader {
    /// Takes the files of the only block, if it is nothing but named files with the lines that name them.
    pub(in crate::read) fn read_outer_fence(&mut self) {
        let is_document = self.hint.as_ref().is_some_and(|hint| hint.as_str() == "markdown");
        let Some(content) = self.builder.only_block(&AROUND).filter(|_| !is_document && !self.is_inner)
        else {
            return;
        };
        let mut inside = AnswerReader::new(None, self.hint.clone());
        inside.is_inner = true;
        inside.lines(content);
        let answer = inside.finish().1;
        let is_named = answer.files.iter().all(|file| file.path.is_some() && file.complete);
        if answer.files.is_empty() || !answer.edits.is_empty() || !is_named || !is_frame(&answer) {
            return;
        }
        self.builder.demote("The answer stands in one fence; the files in it count.");
        for file in answer.files {
            self.builder.start(file.path, file.language, "");
            self.builder.chunk(&file.content);
            self.builder.finish(file.complete, "");
        }
    }
}

/// Whether the text beside the files does nothing but name and announce them.
fn is_frame(answer: &Answer) -> bool {
    let is_short = |line: &str| line.split_whitespace().count() <= MAX_WORDS;
    let paths = || answer.files.iter().filter_map(|file| file.path.as_deref());
    let names = |line: &str| is_short(line) && paths().any(|path| line.contains(path));
    let is_rule = |line: &str| line.trim().chars().all(|c| "-*_=".contains(c));
    let announces = |line: &str| is_short(line) && line.trim_end().ends_with(':') && !line.starts_with('#');
    let mut lines = answer.text.lines().filter(|line| !is_blank(line));
    lines.all(|line| names(line) || is_rule(line) || announces(line))
}
