//! Verifies many cases on several threads.

use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::summary::Summary;
use super::verdicts::{Oracle, Verdicts};

/// How many cases a thread takes at a time.
const BATCH: u64 = 500;

/// The cases of some numbers, and how far they are.
pub(crate) struct Run {
    seeds: Range<u64>,
    /// How many of them were given to a thread.
    taken: AtomicU64,
    done: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Run {
    pub(crate) fn new(seeds: Range<u64>) -> Self {
        Self {
            seeds,
            taken: AtomicU64::new(0),
            done: AtomicU64::new(0),
            stop: Arc::new(AtomicBool::new(false)),
        }
    }

    /// How many cases were verified.
    #[allow(dead_code, reason = "only a long run is watched")]
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Ends the run early once it is set.
    #[allow(dead_code, reason = "only a long run is watched")]
    pub(crate) fn stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Verifies all of them here and by the oracle.
    pub(crate) fn verify(&self, oracle: Oracle, threads: NonZero<usize>) -> Summary {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.get())
                .map(|_| scope.spawn(|| self.work(oracle)))
                .collect();
            let summaries = workers
                .into_iter()
                .map(|worker| worker.join().expect("the engines do not panic"));
            summaries.fold(Summary::default(), Summary::merge)
        })
    }

    fn work(&self, oracle: Oracle) -> Summary {
        let mut summary = Summary::default();
        while let Some(batch) = self.next_batch() {
            for seed in batch {
                summary.add(&Verdicts::new(seed, oracle));
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
        summary
    }

    fn next_batch(&self) -> Option<Range<u64>> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let start = self.seeds.start + self.taken.fetch_add(BATCH, Ordering::Relaxed);
        (start < self.seeds.end).then(|| start..self.seeds.end.min(start + BATCH))
    }
}
