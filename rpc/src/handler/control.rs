//! The node itself.

use std::time::Duration;

use jsonrpsee::core::async_trait;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::Handler;
use crate::api::control::ControlServer;
use crate::call::{CallError, CallResult};
use crate::{help, open_rpc};

/// The longest that `stop` waits.
const MAX_STOP_WAIT: Duration = Duration::from_secs(60);

#[async_trait]
impl ControlServer for Handler {
    fn help(&self, command: Option<String>) -> CallResult<String> {
        let Some(command) = command.filter(|command| !command.is_empty()) else {
            return Ok(help::overview(&self.catalogue));
        };
        Ok(match self.catalogue.method(&command) {
            Some(method) => help::detail(method),
            None => format!("help: unknown command: {command}"),
        })
    }

    fn get_memory_info(&self, mode: Option<String>) -> CallResult<Value> {
        match mode.as_deref() {
            None | Some("stats") => Ok(json!({
                "locked": {
                    "used": 0,
                    "free": 0,
                    "total": 0,
                    "locked": 0,
                    "chunks_used": 0,
                    "chunks_free": 0,
                },
            })),
            Some("mallocinfo") => Err(CallError::invalid_parameter(
                "mallocinfo mode not available",
            )),
            Some(other) => Err(CallError::invalid_parameter(format!(
                "unknown mode {other}"
            ))),
        }
    }

    fn uptime(&self) -> CallResult<u64> {
        Ok(self
            .context
            .clock
            .now()
            .saturating_sub(self.context.started_at))
    }

    fn get_rpc_info(&self) -> CallResult<Value> {
        let active = self.active.list().into_iter().map(|(method, duration)| {
            let duration = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
            json!({"method": method, "duration": duration})
        });
        Ok(json!({
            "active_commands": active.collect::<Vec<_>>(),
            "logpath": self.context.log_path.display().to_string(),
        }))
    }

    fn discover(&self) -> CallResult<Box<RawValue>> {
        let text = || to_raw_value(&open_rpc::document(&self.catalogue)).expect("values are JSON");
        Ok(self.open_rpc.get_or_init(text).clone())
    }

    async fn stop(&self, wait: Option<i64>) -> CallResult<String> {
        let wait_ms = u64::try_from(wait.unwrap_or(0)).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait_ms).min(MAX_STOP_WAIT)).await;
        (self.context.shutdown)();
        Ok("Pyrite stopping".to_owned())
    }
}
