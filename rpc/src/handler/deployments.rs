//! The rules that apply at a block.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::script::ScriptFlags;
use serde_json::{Map, Value, json};

use super::Handler;
use crate::api::deployments::DeploymentsServer;
use crate::call::CallResult;
use crate::params;

/// The height of a soft fork that never comes.
const NEVER: u32 = u32::MAX;

impl DeploymentsServer for Handler {
    fn get_deployment_info(&self, blockhash: Option<String>) -> CallResult<Value> {
        let hash: BlockHash = match blockhash {
            Some(text) => params::hash("blockhash", &text)?,
            None => self.context.reader.tip().hash,
        };
        let info = self.header_info(&hash)?;
        let spec = &self.context.spec;
        let heights = &spec.deployments;
        let deployments: Map<String, Value> = [
            ("bip34", heights.bip34),
            ("bip66", heights.bip66),
            ("bip65", heights.bip65),
            ("csv", heights.csv),
            ("segwit", heights.segwit),
            ("taproot", heights.taproot),
        ]
        .into_iter()
        .filter(|(_, height)| *height != NEVER)
        .map(|(name, height)| {
            // As in Bitcoin Core, what counts is the next block.
            let active = info.height.next().0 >= height;
            let form = json!({ "type": "buried", "active": active, "height": height });
            (name.to_owned(), form)
        })
        .collect();
        Ok(json!({
            "hash": hash.to_string(),
            "height": info.height.0,
            "script_flags": flag_names(ScriptFlags::at_height(spec, info.height)),
            "deployments": deployments,
        }))
    }
}

/// The names of flags, in the order of the alphabet.
fn flag_names(flags: ScriptFlags) -> Vec<&'static str> {
    let mut names: Vec<_> = ScriptFlags::NAMED
        .into_iter()
        .filter(|(_, flag)| flags.contains(*flag))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names
}
