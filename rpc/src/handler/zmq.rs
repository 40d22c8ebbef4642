//! Notifications over ZMQ.

use serde_json::{Value, json};

use super::Handler;
use crate::api::zmq::ZmqServer;
use crate::call::CallResult;

impl ZmqServer for Handler {
    fn get_zmq_notifications(&self) -> CallResult<Value> {
        let published = self.context.zmq_notifications.iter();
        Ok(published
            .map(|one| {
                json!({
                    "type": one.kind,
                    "address": one.address,
                    "hwm": one.high_water_mark,
                })
            })
            .collect())
    }
}
