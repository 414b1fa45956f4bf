//! The code-generation SDK for Claude on AWS: accepted code with a receipt.

pub mod disk;
