//! Waiting for blocks: each call is a task that the watch of the tip wakes, so none takes a thread.

use std::time::Duration;

use jsonrpsee::core::async_trait;
use pyrite_chain::Tip;
use pyrite_consensus::bitcoin::BlockHash;
use serde_json::{Value, json};

use super::Handler;
use crate::api::chain_wait::ChainWaitServer;
use crate::call::{CallError, CallResult};
use crate::params;

#[async_trait]
impl ChainWaitServer for Handler {
    async fn wait_for_block(&self, blockhash: String, timeout: Option<i64>) -> CallResult<Value> {
        let hash: BlockHash = params::hash("blockhash", &blockhash)?;
        let limit = read_timeout(timeout)?;
        Ok(self.wait_for_tip(limit, |tip| tip.hash == hash).await)
    }

    async fn wait_for_block_height(&self, height: i64, timeout: Option<i64>) -> CallResult<Value> {
        let height = params::int(height)?;
        let limit = read_timeout(timeout)?;
        let is_reached = |tip: &Tip| i64::from(tip.height.0) >= i64::from(height);
        Ok(self.wait_for_tip(limit, is_reached).await)
    }

    async fn wait_for_new_block(
        &self,
        timeout: Option<i64>,
        current_tip: Option<String>,
    ) -> CallResult<Value> {
        let limit = read_timeout(timeout)?;
        let known: BlockHash = match current_tip {
            Some(text) => params::hash("current_tip", &text)?,
            None => self.context.reader.watch_tip().borrow().hash,
        };
        Ok(self.wait_for_tip(limit, |tip| tip.hash != known).await)
    }
}

impl Handler {
    /// The first tip that is one of those waited for, or the present one when the time is over or the
    /// server stops.
    async fn wait_for_tip(
        &self,
        limit: Option<Duration>,
        mut is_awaited: impl FnMut(&Tip) -> bool,
    ) -> Value {
        let mut tips = self.context.reader.watch_tip();
        let over = async {
            match limit {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        let found = tokio::select! {
            () = self.stop.wait() => None,
            () = over => None,
            // A chain that is closed has no further tips.
            found = tips.wait_for(|tip| is_awaited(tip)) => found.ok().map(|tip| tip_json(&tip)),
        };
        found.unwrap_or_else(|| tip_json(&self.context.reader.watch_tip().borrow()))
    }
}

/// How long to wait; `None` for ever.
fn read_timeout(timeout_ms: Option<i64>) -> CallResult<Option<Duration>> {
    let timeout_ms = params::int(timeout_ms.unwrap_or(0))?;
    match u64::try_from(timeout_ms) {
        Ok(0) => Ok(None),
        Ok(timeout_ms) => Ok(Some(Duration::from_millis(timeout_ms))),
        Err(_) => Err(CallError::misc("Negative timeout")),
    }
}

fn tip_json(tip: &Tip) -> Value {
    json!({ "hash": tip.hash.to_string(), "height": tip.height.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_in_milliseconds_and_zero_is_none() {
        assert_eq!(read_timeout(None), Ok(None));
        assert_eq!(read_timeout(Some(0)), Ok(None));
        assert_eq!(
            read_timeout(Some(1_500)),
            Ok(Some(Duration::from_millis(1_500)))
        );
        assert_eq!(
            read_timeout(Some(-1)),
            Err(CallError::misc("Negative timeout"))
        );
        assert_eq!(
            read_timeout(Some(1 << 31)),
            Err(CallError::misc("JSON integer out of range"))
        );
    }
}
