//! What the node is asked for until it is killed, and what it acknowledged of that.

use pyrite_rpc::ClientError;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::json;

use super::process::Node;

/// Deepest reorganisation.
const MAX_DEPTH: u64 = 6;

/// Something that a node may be doing when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Generating,
    Paying,
    /// By hand: the tip may go to another branch.
    Steering,
}

/// What was acknowledged before a kill.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) blocks: Vec<String>,
    pub(super) payments: Vec<String>,
    /// The block that must be in the best chain, if that is known.
    pub(super) tip: Option<String>,
    /// What it was asked for last.
    pub(super) last: Option<Work>,
}

/// Asks for one thing after the other, until the node does not answer any more.
pub(super) struct Load<'a> {
    pub(super) node: &'a Node,
    pub(super) rng: &'a mut StdRng,
    pub(super) address: &'a str,
    pub(super) acknowledged: Acknowledged,
}

impl Load<'_> {
    pub(super) fn run(mut self) -> Acknowledged {
        loop {
            let result = match self.rng.gen_range(0..10_u32) {
                0..3 => {
                    let blocks = self.rng.gen_range(1..3);
                    self.generate(blocks)
                }
                3..8 => self.pay(),
                _ => self.reorganise(),
            };
            match result {
                Ok(()) => {}
                // The wallet may have nothing to spend for a while.
                Err(ClientError::Call { .. }) if self.acknowledged.last == Some(Work::Paying) => {}
                Err(ClientError::Call { code, message }) => {
                    panic!("{:?}: {code} {message}", self.acknowledged.last)
                }
                Err(_) => return self.acknowledged,
            }
        }
    }

    fn generate(&mut self, blocks: u64) -> Result<(), ClientError> {
        self.acknowledged.last = Some(Work::Generating);
        let params = json!([blocks, self.address]);
        let hashes = self.node.try_call("generatetoaddress", params)?;
        let hashes: Vec<String> = serde_json::from_value(hashes).unwrap();
        self.acknowledged.tip = hashes.last().cloned();
        self.acknowledged.blocks.extend(hashes);
        Ok(())
    }

    fn pay(&mut self) -> Result<(), ClientError> {
        self.acknowledged.last = Some(Work::Paying);
        let params = json!([self.address, 0.001]);
        let txid = self.node.try_call("sendtoaddress", params)?;
        let txid = txid.as_str().unwrap().to_owned();
        self.acknowledged.payments.push(txid);
        Ok(())
    }

    /// To a branch of other blocks, and at times back to the one that was left.
    fn reorganise(&mut self) -> Result<(), ClientError> {
        self.acknowledged.last = Some(Work::Steering);
        let depth = self.rng.gen_range(1..=MAX_DEPTH);
        let height = self.node.try_call("getblockcount", json!([]))?;
        let height = height.as_u64().unwrap();
        let fork = self
            .node
            .try_call("getblockhash", json!([height - depth + 1]))?;
        self.acknowledged.tip = None;
        self.node.try_call("invalidateblock", json!([fork]))?;
        let blocks = self.rng.gen_range(1..=depth + 1);
        self.generate(blocks)?;
        if self.rng.gen_bool(0.5) {
            self.acknowledged.last = Some(Work::Steering);
            self.acknowledged.tip = None;
            self.node.try_call("reconsiderblock", json!([fork]))?;
        }
        Ok(())
    }
}
