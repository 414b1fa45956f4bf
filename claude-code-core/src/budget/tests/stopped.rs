use std::sync::Arc;
use std::time::Duration;

use super::{Fault, Hand, NOON, State};
use crate::budget::kill_switch::KillSwitch;
use crate::error::{Error, ErrorKind};
use crate::state::{Scope, StateKey, StateKind, StateStore};

/// Two hosts over one state, and their clock.
fn hosts() -> (Arc<State>, Arc<Hand>, [KillSwitch; 2]) {
    let (state, hand) = (State::new(), Hand::at_noon());
    let hosts = [(), ()].map(|()| KillSwitch::new(state.clone(), hand.clone()));
    (state, hand, hosts)
}

fn told(result: Result<(), Error>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Budget);
    error.message().to_owned()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_stop_is_seen_at_once_here_and_elsewhere_after_two_seconds() {
    let (state, hand, [here, there]) = hosts();
    let ann = Scope::authenticated("ann");
    there.check(&ann).await.unwrap();
    here.set(&Scope::all(), true).await.unwrap();
    let message = told(here.check(&ann).await);
    assert!(message.starts_with("sending was stopped for everybody: nothing was sent"), "{message}");
    hand.moves(SECOND);
    there.check(&ann).await.unwrap();
    hand.moves(SECOND);
    told(there.check(&ann).await);
    here.set(&Scope::all(), false).await.unwrap();
    here.check(&ann).await.unwrap();
    told(there.check(&ann).await);
    hand.moves(2 * SECOND);
    there.check(&ann).await.unwrap();
    let key = StateKey::new(StateKind::Budget, &Scope::all(), "stop");
    assert!(state.get(&key).await.unwrap().unwrap().value.is_empty());
}

#[tokio::test]
async fn a_stop_of_one_scope_names_it_and_lasts_ten_years() {
    let (state, _, [here, _]) = hosts();
    let (ann, bob) = (Scope::authenticated("ann"), Scope::authenticated("bob"));
    here.set(&ann, true).await.unwrap();
    assert!(told(here.check(&ann).await).contains("stopped for this user"));
    here.check(&bob).await.unwrap();
    let kept = state.get(&StateKey::new(StateKind::Budget, &ann, "stop")).await.unwrap().unwrap();
    assert_eq!(
        (kept.value.as_slice(), kept.expires_at.0),
        (b"stopped".as_slice(), NOON + 3_650 * 86_400_000)
    );
}

#[tokio::test]
async fn looks_are_two_seconds_apart() {
    let (state, hand, [here, _]) = hosts();
    let reads = || *state.reads.lock().unwrap();
    here.check(&Scope::local()).await.unwrap();
    assert_eq!(reads(), 2, "everybody's and one's own");
    hand.moves(2 * SECOND - Duration::from_millis(1));
    here.check(&Scope::local()).await.unwrap();
    assert_eq!(reads(), 2);
    hand.moves(Duration::from_millis(1));
    here.check(&Scope::local()).await.unwrap();
    assert_eq!(reads(), 4);
}

#[tokio::test]
async fn while_the_state_cannot_be_read_what_was_last_seen_counts() {
    let (state, hand, [here, there]) = hosts();
    let ann = Scope::authenticated("ann");
    state.is(Fault::Down);
    there.check(&ann).await.unwrap();
    there.recall(&ann).unwrap();
    state.is(Fault::None);
    here.set(&ann, true).await.unwrap();
    // Another scope's look, long after, forgets no stop.
    hand.moves(60 * SECOND);
    here.check(&Scope::authenticated("bob")).await.unwrap();
    state.is(Fault::Down);
    told(here.check(&ann).await);
    assert!(told(here.recall(&ann)).contains("this user"));
    here.recall(&Scope::authenticated("bob")).unwrap();
    assert_eq!(here.set(&ann, false).await.unwrap_err().kind(), ErrorKind::Storage);
    told(here.check(&ann).await);
}
