//! A chain of headers for tests.

use pyrite_consensus::bitcoin::BlockHash;
use pyrite_consensus::bitcoin::block::Header;
use pyrite_consensus::{ChainSpec, HeaderChain, Height};

/// The headers from the genesis block on.
pub(crate) struct TestChain(pub(crate) Vec<Header>);

impl TestChain {
    /// A chain of `spec` that ends at `height`, with a block a minute. Its blocks have no proof of
    /// work.
    pub(crate) fn at_height(spec: &ChainSpec, height: u32) -> Self {
        let mut headers = vec![spec.genesis_block().header];
        for _ in 0..height {
            let parent = headers[headers.len() - 1];
            headers.push(Header {
                prev_blockhash: parent.block_hash(),
                time: parent.time + 60,
                ..parent
            });
        }
        Self(headers)
    }

    pub(crate) fn tip(&self) -> &Header {
        self.0.last().expect("a chain has a genesis block")
    }

    pub(crate) fn tip_hash(&self) -> BlockHash {
        self.tip().block_hash()
    }
}

impl HeaderChain for TestChain {
    fn tip_height(&self) -> Height {
        self.0[..].tip_height()
    }

    fn header(&self, height: Height) -> Header {
        self.0[..].header(height)
    }
}
