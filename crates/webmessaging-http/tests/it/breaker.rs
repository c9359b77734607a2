//! What budget and breaker together spare a server that is down. `cargo xtask bench limiter` prints the figures.

use crate::outage::{Outage, requests, unbudgeted};

#[tokio::test(start_paused = true)]
async fn a_server_that_is_down_for_a_minute_is_left_alone() {
    for outage in Outage::ALL {
        let ours = requests(outage, |builder| builder).await;
        let others = requests(outage, unbudgeted).await;
        assert!(ours * 50 < others, "{outage:?}: {ours} of {others}");
    }
}
