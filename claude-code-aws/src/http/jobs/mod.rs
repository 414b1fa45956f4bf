//! Asynchronous jobs: the queue, its workers, and the pool that bounds them.

pub(super) mod pool;
pub(super) mod queue;
pub(super) mod recovery;
pub(super) mod worker;
