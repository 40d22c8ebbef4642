//! Which chunks came and went last, for those who keep the front of their order.

use std::collections::VecDeque;

use super::chunk_index::ChunkKey;

/// How many changes are remembered. After more of them everything is read anew, which then costs about as much.
const MAX_CHANGES: usize = 8_192;

/// The places where chunks came or went, the last so many.
#[derive(Clone, Debug, Default)]
pub(super) struct ChunkJournal {
    places: VecDeque<ChunkKey>,
    forgotten: u64,
}

impl ChunkJournal {
    pub(super) fn push(&mut self, place: ChunkKey) {
        if self.places.len() == MAX_CHANGES {
            self.places.pop_front();
            self.forgotten += 1;
        }
        self.places.push_back(place);
    }

    /// How many changes there have been.
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.places.len() as u64
    }

    /// The places that changed after so many changes, in their order, each once; `None` when that is too long ago.
    pub(super) fn since(&self, position: u64) -> Option<Vec<ChunkKey>> {
        let known = usize::try_from(position.checked_sub(self.forgotten)?).ok()?;
        let mut places: Vec<ChunkKey> = self.places.iter().skip(known).copied().collect();
        places.sort_unstable();
        places.dedup();
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::FeeWeight;

    fn place(oldest: u64) -> ChunkKey {
        ChunkKey {
            rate: FeeWeight::new(1, 1),
            oldest,
            index: 0,
        }
    }

    #[test]
    fn the_last_changes_are_remembered() {
        let mut journal = ChunkJournal::default();
        assert_eq!(journal.since(0), Some(Vec::new()));
        for oldest in [3, 1, 3, 2] {
            journal.push(place(oldest));
        }
        assert_eq!(journal.end(), 4);
        assert_eq!(journal.since(0), Some([1, 2, 3].map(place).to_vec()));
        assert_eq!(journal.since(2), Some([2, 3].map(place).to_vec()));
        assert_eq!(journal.since(4), Some(Vec::new()));
        for oldest in 0..MAX_CHANGES as u64 {
            journal.push(place(oldest));
        }
        assert_eq!(journal.since(3), None);
        assert_eq!(journal.since(4).unwrap().len(), MAX_CHANGES);
    }
}
