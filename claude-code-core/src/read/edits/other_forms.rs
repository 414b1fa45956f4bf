//! An answer in which no file was found, read once more when it is whole: files between markers of another nonce, files
//! between tags, code without a fence.

use crate::answer::language::Language;
use crate::read::bare;
use crate::read::edits;
use crate::read::reader::AnswerReader;

impl AnswerReader {
    /// An answer without a file whose markers have another nonce, a slip of the model's pen: those files count of which an
    /// end fits its beginning. Only the whole answer tells that there are no others.
    pub(in crate::read) fn read_other_markers(&mut self) -> bool {
        if !std::mem::take(&mut self.saw_other_marker) {
            return false;
        }
        let mut reader = AnswerReader::new(None, self.hint.clone());
        reader.lines(self.builder.text_so_far());
        let answer = reader.finish().1;
        let is_refused = answer.files.iter().any(|file| file.rejected.is_some());
        if is_refused || !answer.files.iter().any(|file| file.complete) {
            self.builder.note("A file marker with another nonce was read as text.");
            return false;
        }
        self.builder.note("The file markers have another nonce than was asked for; their files count, as there are no others.");
        answer.notes.into_iter().for_each(|note| self.builder.note(note));
        for file in answer.files {
            self.builder.start(file.path, file.language, "");
            self.builder.chunk(&file.content);
            self.builder.finish(file.complete, "");
        }
        true
    }

    /// An answer without a file whose files or edits stand between tags.
    pub(in crate::read) fn read_tags(&mut self) -> bool {
        let edits::Tagged { files, edits } = edits::between_tags(self.builder.text_so_far());
        let is_tagged = !files.is_empty() || !edits.is_empty();
        if is_tagged {
            self.builder.note(
                "The answer stands between tags, not between the markers that were asked for; it counts.",
            );
        }
        for file in &files {
            let language = Language::from_path(&file.path).or_else(|| self.hint.clone());
            self.builder.start(Some(file.path.clone()), language.unwrap_or_else(Language::text), "");
            self.builder.chunk(&file.content);
            self.builder.finish(true, "");
        }
        edits.into_iter().for_each(|edit| self.builder.edit(edit));
        is_tagged
    }

    pub(in crate::read) fn read_bare_code(&mut self) {
        let text = self.builder.text_so_far();
        let Some(language) = bare::language(text, self.hint.as_ref()) else { return };
        let code = text.to_owned();
        self.builder.note("The answer is code without a fence; it was read as one file.");
        self.builder.start(None, language, "");
        self.builder.chunk(&code);
        self.builder.finish(true, "");
    }
}
