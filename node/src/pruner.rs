//! Deletes the oldest blocks when they take too much room: after each new tip, off the writer's thread.

use pyrite_chain::{ChainHandle, ChainReader, SubmitError};

use crate::StopHandle;

/// Prunes until the chain stops or the task is dropped.
pub(crate) async fn run(
    chain: ChainHandle,
    reader: ChainReader,
    target_bytes: u64,
    stop: StopHandle,
) {
    let mut tip = reader.watch_tip();
    loop {
        tip.borrow_and_update();
        let (chain, asked) = (chain.clone(), stop.clone());
        let work = move || chain.prune_to_size(target_bytes, || asked.flow());
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(_)) => {}
            Ok(Err(SubmitError::Stopped)) => return,
            Ok(Err(error)) => {
                tracing::error!(%error, "old blocks can't be pruned");
                return;
            }
            Err(_) => tracing::error!("pruning failed"),
        }
        if tip.changed().await.is_err() {
            return;
        }
    }
}
