//! The front of the order in which transactions are mined, kept up to date by what changed: most of what the next
//! block holds is what it held before.

use pyrite_consensus::bitcoin::BlockHash;

use crate::MempoolChunk;
use crate::pool::{ChunkKey, Slot};
use crate::state::State;

/// The best chunks, each as what the caller made of it.
#[derive(Debug)]
pub struct ChunkFront<T> {
    wanted_weight: u64,
    /// How many changes of chunks it has seen; `None` before it is filled.
    changes: Option<u64>,
    weight: u64,
    places: Vec<ChunkKey>,
    chunks: Vec<T>,
}

/// What a front has to change.
pub(crate) struct FrontUpdate {
    is_anew: bool,
    changes: u64,
    tip: BlockHash,
    sequence: u64,
    /// Places inside of the front, in their order, and what is there now.
    inside: Vec<(ChunkKey, Option<(ChunkKey, MempoolChunk)>)>,
    /// What comes behind it.
    behind: Vec<(ChunkKey, MempoolChunk)>,
}

impl<T> ChunkFront<T> {
    /// A front of as many chunks as weigh `wanted_weight` or a little more, of all for `u64::MAX`. It is empty until the
    /// mempool fills it.
    #[must_use]
    pub fn new(wanted_weight: u64) -> Self {
        Self {
            wanted_weight,
            changes: None,
            weight: 0,
            places: Vec::new(),
            chunks: Vec::new(),
        }
    }

    /// The best chunks first; parents' chunks come before those of their children.
    #[must_use]
    pub fn chunks(&self) -> &[T] {
        &self.chunks
    }

    /// The chunks themselves.
    #[must_use]
    pub fn into_chunks(self) -> Vec<T> {
        self.chunks
    }

    /// What has to change, so that it is that of the pool.
    pub(crate) fn update(&self, state: &State) -> FrontUpdate {
        let pool = &state.pool;
        let changed = self.changes.and_then(|seen| pool.changed_places(seen));
        let is_anew = changed.is_none();
        let last = self.places.last().filter(|_| !is_anew);
        let mut weight = if is_anew { 0 } else { self.weight };
        let mut inside = Vec::new();
        for place in changed.unwrap_or_default() {
            if last.is_none_or(|last| place > *last) {
                break;
            }
            if let Ok(index) = self.places.binary_search(&place) {
                weight = weight.saturating_sub(self.places[index].rate.weight);
            }
            let present = pool.chunk(&place);
            if let Some((place, _)) = &present {
                weight = weight.saturating_add(place.rate.weight);
            }
            let present = present.map(|(place, slots)| (place, chunk(state, place, &slots)));
            inside.push((place, present));
        }
        let mut behind = Vec::new();
        for (place, slots) in pool.chunks_behind(last) {
            if weight >= self.wanted_weight {
                break;
            }
            weight = weight.saturating_add(place.rate.weight);
            behind.push((place, chunk(state, place, &slots)));
        }
        FrontUpdate {
            is_anew,
            changes: pool.chunk_changes(),
            tip: state.cursor.hash,
            sequence: state.sequence,
            inside,
            behind,
        }
    }

    /// Makes the change, which needs no lock. Returns the block on which the transactions are valid, and the mempool's
    /// sequence number.
    pub(crate) fn apply(
        &mut self,
        update: FrontUpdate,
        make: impl Fn(MempoolChunk) -> T,
    ) -> (BlockHash, u64) {
        let count = self.places.len() + update.inside.len() + update.behind.len();
        let places = std::mem::replace(&mut self.places, Vec::with_capacity(count));
        let chunks = std::mem::replace(&mut self.chunks, Vec::with_capacity(count));
        self.weight = 0;
        let kept = if update.is_anew { 0 } else { places.len() };
        let mut inside = update.inside.into_iter().peekable();
        for (place, made) in places.into_iter().zip(chunks).take(kept) {
            while let Some((_, present)) = inside.next_if(|(changed, _)| *changed < place) {
                self.extend(present, &make);
            }
            match inside.next_if(|(changed, _)| *changed == place) {
                Some((_, present)) => self.extend(present, &make),
                None => self.push(place, made),
            }
        }
        self.extend(inside.filter_map(|(_, present)| present), &make);
        self.extend(update.behind, &make);
        self.drop_surplus();
        self.changes = Some(update.changes);
        (update.tip, update.sequence)
    }

    fn extend(
        &mut self,
        chunks: impl IntoIterator<Item = (ChunkKey, MempoolChunk)>,
        make: impl Fn(MempoolChunk) -> T,
    ) {
        for (place, chunk) in chunks {
            self.push(place, make(chunk));
        }
    }

    fn push(&mut self, place: ChunkKey, chunk: T) {
        self.weight = self.weight.saturating_add(place.rate.weight);
        self.places.push(place);
        self.chunks.push(chunk);
    }

    /// What came in front may have made the last ones unnecessary.
    fn drop_surplus(&mut self) {
        while let Some(last) = self.places.last() {
            let rest = self.weight.saturating_sub(last.rate.weight);
            if rest < self.wanted_weight {
                break;
            }
            self.weight = rest;
            self.places.pop();
            self.chunks.pop();
        }
    }
}

fn chunk(state: &State, place: ChunkKey, slots: &[Slot]) -> MempoolChunk {
    let entries = slots.iter().map(|slot| state.pool.entry(*slot));
    MempoolChunk {
        rate: place.rate,
        entries: entries.cloned().collect(),
        is_alone: state.pool.is_alone(slots),
    }
}
