//! Equal requests race for one flight. As in the client, the work looks into the cache first.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::flight::{Role, SingleFlight};

/// Each caller has as much as the others.
const TIME: Duration = Duration::from_secs(1);

/// What stands around the slot. Its counters are std's: they are not what is tried out, and each of loom's would
/// multiply the orders.
struct World {
    single_flight: SingleFlight<usize>,
    cache: Mutex<Option<usize>>,
    sends: AtomicUsize,
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(World { single_flight: SingleFlight::new(), cache: Mutex::new(None), sends: AtomicUsize::new(0) })
    }
}

/// What a flight does: a hit, or one send whose answer enters the cache.
fn work(world: &Arc<World>) -> BoxFuture<'static, usize> {
    let world = world.clone();
    async move {
        if let Some(kept) = *world.cache.lock().unwrap() {
            return kept;
        }
        let answer = 7 + world.sends.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        *world.cache.lock().unwrap() = Some(answer);
        answer
    }
    .boxed()
}

fn ask(world: &Arc<World>) -> usize {
    block_on(match world.single_flight.join("key", TIME, || work(world)) {
        Role::Leader(flight) | Role::Follower(flight) => flight,
    })
}

#[test]
fn equal_requests_send_once() {
    loom::model(|| {
        let world = World::new();
        let other = {
            let world = world.clone();
            thread::spawn(move || ask(&world))
        };
        assert_eq!((ask(&world), other.join().unwrap()), (7, 7));
        assert_eq!(world.sends.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_leader_that_leaves_takes_nobodys_answer_along() {
    loom::model(|| {
        let world = World::new();
        let leaver = {
            let world = world.clone();
            // Boards and goes without waiting, as a dropped stream does.
            thread::spawn(move || drop(world.single_flight.join("key", TIME, || work(&world))))
        };
        assert_eq!(ask(&world), 7);
        leaver.join().unwrap();
        assert_eq!(world.sends.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn requests_of_different_keys_do_not_share() {
    loom::model(|| {
        let single_flight = Arc::new(SingleFlight::<usize>::new());
        let other = {
            let single_flight = single_flight.clone();
            thread::spawn(move || match single_flight.join("b", TIME, || async { 2 }.boxed()) {
                Role::Leader(flight) | Role::Follower(flight) => block_on(flight),
            })
        };
        let one = match single_flight.join("a", TIME, || async { 1 }.boxed()) {
            Role::Leader(flight) | Role::Follower(flight) => block_on(flight),
        };
        assert_eq!((one, other.join().unwrap()), (1, 2));
    });
}
