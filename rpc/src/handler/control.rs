//! The node itself.

use serde_json::{Value, json};

use super::Handler;
use crate::api::control::ControlServer;
use crate::call::CallResult;
use crate::{help, open_rpc};

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

    fn discover(&self) -> CallResult<Value> {
        Ok(open_rpc::document(&self.catalogue))
    }

    fn stop(&self) -> CallResult<String> {
        (self.context.shutdown)();
        Ok("Pyrite stopping".to_owned())
    }
}
