//! What tests ask of a node: another time, its ends of work, and their own words back.

use jsonrpsee::core::async_trait;
use jsonrpsee::{Methods, RpcModule};
use pyrite_consensus::spec::AddressKind;
use pyrite_index::IndexKind;
use serde_json::Value;

use super::Handler;
use crate::api::test_aids::TestAidsServer;
use crate::call::{CallError, CallResult};

/// The latest time that the clock can be set to (what fits into Bitcoin Core's nanoseconds).
const MAX_MOCK_TIME: i64 = 9_223_372_036;

/// The most seconds that can be skipped.
const MAX_DELTA_S: i64 = 3_600;

/// The methods that return what they get, however much of it there is.
pub(super) fn echoes(handler: Handler) -> Methods {
    let mut module = RpcModule::new(handler);
    for name in ["echo", "echojson"] {
        module
            .register_method(name, |params, _, _| {
                params
                    .parse::<Option<Vec<Value>>>()
                    .map(Option::unwrap_or_default)
            })
            .expect("no two methods have the same name");
    }
    module.into()
}

#[async_trait]
impl TestAidsServer for Handler {
    async fn set_mock_time(&self, timestamp: i64) -> CallResult<Value> {
        self.only_in_tests("setmocktime")?;
        let time = u64::try_from(timestamp)
            .ok()
            .filter(|_| timestamp <= MAX_MOCK_TIME)
            .ok_or_else(|| {
                CallError::invalid_parameter(format!(
                    "Mocktime must be in the range [0, {MAX_MOCK_TIME}], not {timestamp}."
                ))
            })?;
        self.context.clock.stop_at(time);
        // Bans may have ended, or be in force again.
        self.enforce_bans().await;
        Ok(Value::Null)
    }

    fn mock_scheduler(&self, delta_time: i64) -> CallResult<Value> {
        self.only_in_tests("mockscheduler")?;
        if !(1..=MAX_DELTA_S).contains(&delta_time) {
            return Err(CallError::misc(
                "delta_time must be between 1 and 3600 seconds (1 hr)",
            ));
        }
        self.mempool_at_tip()?;
        (self.context.sync_wallet)();
        Ok(Value::Null)
    }

    fn sync_with_validation_interface_queue(&self) -> CallResult<Value> {
        self.mempool_at_tip()?;
        (self.context.sync_wallet)();
        for kind in IndexKind::ALL {
            // One that is still being built is not waited for, as in Bitcoin Core.
            let _ = self.context.indexes.wait_until_current(kind);
        }
        Ok(Value::Null)
    }
}

impl Handler {
    /// Refuses what would harm a chain that people use.
    fn only_in_tests(&self, method: &str) -> CallResult<()> {
        if self.context.spec.address_kind == AddressKind::Regtest {
            return Ok(());
        }
        Err(CallError::misc(format!(
            "{method} is for regression testing (-regtest mode) only"
        )))
    }
}
