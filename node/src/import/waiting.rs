//! Blocks of a file whose parents come later: only their places are kept, and a bounded number of them.

use std::collections::HashMap;

use pyrite_consensus::bitcoin::BlockHash;

use super::block_file::Record;

/// The most blocks that wait, some 120 bytes each.
pub(super) const MAX_WAITING: usize = 1 << 19;

/// A record in one of the files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The number of the file.
    pub(super) file: usize,
    /// Where in it, and what.
    pub(super) record: Record,
}

/// Blocks by the parent that they wait for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    by_parent: HashMap<BlockHash, Vec<Place>>,
    count: usize,
}

impl Waiting {
    /// Keeps a block's place, if there is room.
    #[must_use]
    pub(super) fn add(&mut self, place: Place) -> bool {
        if self.count >= MAX_WAITING {
            return false;
        }
        self.count += 1;
        let parent = place.record.header.prev_blockhash;
        self.by_parent.entry(parent).or_default().push(place);
        true
    }

    /// Takes the blocks that waited for `parent`.
    pub(super) fn take(&mut self, parent: &BlockHash) -> Vec<Place> {
        let places = self.by_parent.remove(parent).unwrap_or_default();
        self.count -= places.len();
        places
    }

    /// The parents that are waited for.
    pub(super) fn parents(&self) -> impl Iterator<Item = &BlockHash> {
        self.by_parent.keys()
    }

    /// The first that waits, by its place in the files.
    pub(super) fn first(&self) -> Option<&Place> {
        self.by_parent
            .values()
            .flatten()
            .min_by_key(|place| (place.file, place.record.offset))
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }
}
