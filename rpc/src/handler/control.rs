//! The node itself.

use super::Handler;
use crate::api::control::ControlServer;
use crate::call::CallResult;
use crate::help;

impl ControlServer for Handler {
    fn help(&self, command: Option<String>) -> CallResult<String> {
        let Some(command) = command.filter(|command| !command.is_empty()) else {
            return Ok(help::overview(&self.catalogue));
        };
        Ok(match self.catalogue.method(&command) {
            Some(method) => help::detail(method),
            None => format!("help: unknown command: {command}\n"),
        })
    }

    fn uptime(&self) -> CallResult<u64> {
        Ok(self
            .context
            .clock
            .now()
            .saturating_sub(self.context.started_at))
    }

    fn stop(&self) -> CallResult<String> {
        (self.context.shutdown)();
        Ok("Pyrite stopping".to_owned())
    }
}
