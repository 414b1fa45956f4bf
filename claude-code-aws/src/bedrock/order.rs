//! The order of a Converse stream. A frame that was dropped, doubled or swapped on the way has a right checksum, so
//! only the order tells.

use std::collections::BTreeMap;

use aws_sdk_bedrockruntime::types::ConverseStreamOutput;
use claude_code_core::ErrorKind;
use claude_code_core::provider::{Billing, ProviderError};

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    started: bool,
    /// Whether each block is still open.
    blocks: BTreeMap<i32, bool>,
    stopped: bool,
}

impl Order {
    /// Notes the event, or says why it cannot stand here.
    pub(super) fn check(&mut self, event: &ConverseStreamOutput) -> Result<(), ProviderError> {
        let fits = match event {
            ConverseStreamOutput::MessageStart(_) => {
                !std::mem::replace(&mut self.started, true) && !self.stopped
            }
            ConverseStreamOutput::ContentBlockStart(event) => {
                self.may_be_in(event.content_block_index)
                    && self.blocks.insert(event.content_block_index, true).is_none()
            }
            ConverseStreamOutput::ContentBlockDelta(event) => {
                self.may_be_in(event.content_block_index)
                    && *self.blocks.entry(event.content_block_index).or_insert(true)
            }
            ConverseStreamOutput::ContentBlockStop(event) => {
                self.in_message() && self.blocks.insert(event.content_block_index, false) != Some(false)
            }
            ConverseStreamOutput::MessageStop(_) => {
                let whole = self.in_message() && self.blocks.values().all(|open| !open);
                self.stopped = true;
                whole
            }
            // Its figures are cumulative, so that a repeated one does no harm.
            ConverseStreamOutput::Metadata(_) => self.stopped,
            // What this version does not know may stand anywhere.
            _ => true,
        };
        if fits {
            return Ok(());
        }
        Err(ProviderError::new(
            ErrorKind::Protocol,
            Billing::Maybe,
            "an event of the stream is missing, doubled or out of order: the answer cannot be trusted, send it again",
        ))
    }

    /// Whether an event of this block may stand here: a block begins when the one before it has ended.
    fn may_be_in(&self, block: i32) -> bool {
        self.in_message() && self.blocks.iter().all(|(index, open)| *index == block || !open)
    }

    fn in_message(&self) -> bool {
        self.started && !self.stopped
    }
}
