//! Markdown inside a fence: which of its fence lines is the end.
//!
//! A README fenced with three backticks often holds blocks fenced with three backticks. A fence line with
//! an info string opens an inner block, and the next bare one closes it. A bare one outside inner blocks is
//! the end or opens an inner block: what follows tells which.

mod outer;

/// A line as far as nesting cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    /// Text; `invites` says that a block may follow it (it ends with a colon).
    Text {
        invites: bool,
    },
    /// A fence line without an info string.
    Bare,
    /// A fence line with one.
    Labelled,
}

/// Kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It belongs to the block.
    Content,
    /// It may be the end: later lines will tell.
    Ask,
    /// Still not known.
    Wait,
    /// The line in question opened an inner block, and this one belongs to it.
    WasInner,
    /// The line in question was the end, and this one stands after it.
    WasEnd,
}

#[derive(Clone, Copy, Debug)]
struct Question {
    /// A blank line or a colon stood before: a block was invited.
    invited: bool,
    /// Text follows directly, as in a block.
    has_text: bool,
}

/// How deep a reader is in nested fences.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nest {
    in_block: bool,
    invites: bool,
    question: Option<Question>,
}

impl Nest {
    /// Takes the next line. `names_next` says that the text before it names a file.
    pub fn step(&mut self, kind: Kind, names_next: bool) -> Verdict {
        let verdict = match self.question {
            Some(question) => self.answer(question, kind, names_next),
            None => self.plain(kind),
        };
        self.invites = matches!(kind, Kind::Blank | Kind::Text { invites: true });
        verdict
    }

    /// Whether a fence line waits for its meaning.
    pub fn is_open_question(&self) -> bool {
        self.question.is_some()
    }

    /// At the answer's end: whether the line in question was the block's end. With nothing behind it, it opened nothing.
    pub fn was_end(&self) -> bool {
        self.question.is_some_and(|q| !q.invited || !q.has_text)
    }

    /// Says what the last of some lines of content was.
    pub fn passed(&mut self, last: Kind) {
        self.invites = matches!(last, Kind::Blank | Kind::Text { invites: true });
    }

    fn plain(&mut self, kind: Kind) -> Verdict {
        match kind {
            Kind::Labelled => self.in_block = true,
            Kind::Bare if self.in_block => self.in_block = false,
            Kind::Bare => {
                self.question = Some(Question { invited: self.invites, has_text: false });
                return Verdict::Ask;
            }
            Kind::Blank | Kind::Text { .. } => {}
        }
        Verdict::Content
    }

    fn answer(&mut self, question: Question, kind: Kind, names_next: bool) -> Verdict {
        match kind {
            Kind::Text { .. } => {
                self.question = Some(Question { has_text: true, ..question });
                Verdict::Wait
            }
            Kind::Blank if question.has_text => Verdict::Wait,
            Kind::Bare if question.has_text && !names_next => {
                self.question = None;
                Verdict::WasInner
            }
            Kind::Blank | Kind::Bare | Kind::Labelled => {
                self.question = None;
                Verdict::WasEnd
            }
        }
    }
}
