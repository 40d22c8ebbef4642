//! Keeps the mempool over a restart: reads its file when the node starts, writes it from time to time and at the end.

use std::sync::Arc;
use std::time::Duration;

use pyrite_mempool::{MempoolFile, MempoolHandle};
use pyrite_network::NetworkHandle;

use crate::NodeConfig;
use crate::node::{StopHandle, blocking};

/// How often a mempool that changed is written. What came after the last time is lost at a kill: the wallet offers its
/// own transactions again, and peers have what they sent.
const SAVE_EVERY: Duration = Duration::from_secs(10 * 60);

/// The mempool's file of a node.
pub(crate) fn mempool_file(config: &NodeConfig, mempool: &MempoolHandle) -> Arc<MempoolFile> {
    Arc::new(MempoolFile::new(
        mempool.clone(),
        config.data_dir.mempool(),
        config.mempool_persistence,
        rand::random(),
    ))
}

/// Reads the file, and then writes it when something changed, until the task is dropped. A load ends early when the node
/// is asked to stop.
pub(crate) async fn run(file: Arc<MempoolFile>, network: NetworkHandle, stop: StopHandle) {
    let loaded = Arc::clone(&file);
    let restored = blocking(move || loaded.load(&|| stop.flow().is_break())).await;
    for transaction in restored.unbroadcast {
        network.announce_transaction(transaction);
    }
    let mut turn = tokio::time::interval(SAVE_EVERY);
    turn.tick().await; // the first is at once
    loop {
        turn.tick().await;
        save(&file).await;
    }
}

/// Writes the file if something changed.
pub(crate) async fn save(file: &Arc<MempoolFile>) {
    let file = Arc::clone(file);
    if let Err(error) = blocking(move || file.save_changes()).await {
        tracing::error!(%error, "the mempool can't be written");
    }
}
