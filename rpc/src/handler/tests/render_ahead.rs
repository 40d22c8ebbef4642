//! Templates are rendered before they are asked for, if somebody has asked before.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use pyrite_consensus::bitcoin::ScriptBuf;

use super::harness::TestNode;
use crate::catalogue::Catalogue;
use crate::handler::Handler;
use crate::stop::stop_signal;

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_published_template_is_rendered_for_those_who_ask_again() {
    let harness = TestNode::start().await;
    let (stop, told) = stop_signal();
    let handler = Handler::new(harness.context.clone(), told, Catalogue::node());
    let rendered = |handler: &Handler| {
        let slot = handler.template.lock();
        slot.unwrap_or_else(PoisonError::into_inner).is_some()
    };
    let task = tokio::spawn(handler.clone().render_ahead());
    handler.last_asked.note(Instant::now());
    let deadline = Instant::now() + LIMIT;
    while !rendered(&handler) {
        assert!(Instant::now() < deadline, "nothing is rendered");
        // The task may not listen yet.
        harness.context.work.set_payout(ScriptBuf::new());
        tokio::task::yield_now().await;
    }
    stop.stop();
    task.await.unwrap();
    harness.finish().await;
}
