//! Batches whose requests go in Bedrock's jobs, over the twin's four routes, its S3 and its state machine.

mod budget;
mod contract;
mod kills;
mod lanes;
mod rig;
mod traps;
