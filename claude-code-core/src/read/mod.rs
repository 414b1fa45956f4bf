//! The answer reader: a model's text, in any chunking, becomes files.
