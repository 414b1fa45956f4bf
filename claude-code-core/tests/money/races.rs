use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use claude_code_core::state::memory::MemoryState;
use claude_code_core::{Client, ErrorKind, PicoUsd};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::{Chance, Jittery, Meter, capped, ceilings, on, on_haiku, share};

const CALLERS: usize = 1000;

/// Two processes over one state, so that no lock within a client helps.
fn clients(seed: u64, meter: &Arc<Meter>) -> [Client; 2] {
    let state = Arc::new(Jittery(MemoryState::default(), Chance::new(seed)));
    [on(meter, state.clone(), capped(10)), on(meter, state, capped(10))]
}

/// What one send really costs.
async fn cost() -> PicoUsd {
    let meter = Meter::new(1, 0, PicoUsd(1), PicoUsd(1));
    let client = on(&meter, Arc::new(MemoryState::default()), capped(1));
    client.generate(on_haiku(0)).await.unwrap().receipt.total().known()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_under_a_cap_for_ten_send_ten_times_while_nothing_settles() {
    for seed in 0..share(100) {
        let meter = Meter::new(seed, u64::MAX, PicoUsd(0), PicoUsd(0));
        let clients = clients(seed, &meter);
        let mut callers: FuturesUnordered<_> =
            (0..CALLERS).map(|n| clients[n % 2].generate(on_haiku(n).without_validation()).boxed()).collect();
        for _ in 0..CALLERS - 10 {
            let error = callers.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Budget, "{error}");
        }
        assert_eq!(meter.sends.load(Ordering::SeqCst), 10, "seed {seed}");
        assert!(callers.next().now_or_never().is_none());
    }
    println!("{} seeds of {CALLERS} callers", share(100));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_never_pass_the_cap_while_sends_settle_freely() {
    let ((ceiling, highest), cost) = (ceilings(), cost().await);
    assert!(cost.0 > 0 && cost < ceiling);
    for seed in 0..share(100) {
        let meter = Meter::new(seed, 40, ceiling, cost);
        let clients = clients(seed, &meter);
        let callers = (0..CALLERS).map(|n| {
            let client = &clients[n % 2];
            let start = Duration::from_millis(n as u64 / 8);
            async move {
                tokio::time::sleep(start).await;
                client.generate(on_haiku(n).without_validation()).await
            }
            .boxed()
        });
        let results = futures_util::future::join_all(callers).await;
        let sends = meter.sends.load(Ordering::SeqCst);
        assert_eq!(results.iter().filter(|r| r.is_ok()).count() as u64, sends);
        assert!(sends > 10, "settled money is free again: {sends}");
        let peak = meter.peak.load(Ordering::SeqCst);
        assert!(peak <= highest.0 * 10, "seed {seed}: {peak} at risk under {}", highest.0 * 10);
        let view = clients[0].budget().await.unwrap();
        assert_eq!((view.spent, view.reserved), (PicoUsd(cost.0 * sends), PicoUsd::ZERO));
    }
}
