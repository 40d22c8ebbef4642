//! A bounded set that forgets what came first.

use std::collections::HashSet;
use std::hash::Hash;
use std::mem;

/// Remembers the last `capacity` values at least, and twice as many at most: two generations, of which the older one goes when
/// the younger is full.
#[derive(Debug)]
pub(super) struct Recent<T> {
    young: HashSet<T>,
    old: HashSet<T>,
    capacity: usize,
}

impl<T: Eq + Hash> Recent<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            young: HashSet::new(),
            old: HashSet::new(),
            capacity,
        }
    }

    pub(super) fn insert(&mut self, value: T) {
        if self.young.len() >= self.capacity && !self.young.contains(&value) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(value);
    }

    pub(super) fn contains(&self, value: &T) -> bool {
        self.young.contains(value) || self.old.contains(value)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_values_are_remembered_and_no_more_than_twice_as_many() {
        let mut recent = Recent::new(10);
        for value in 0..1_000 {
            recent.insert(value);
            recent.insert(value);
            assert!(recent.len() <= 20);
            for last in (0..=value).rev().take(10) {
                assert!(recent.contains(&last), "{last} after {value}");
            }
        }
        assert!(!recent.contains(&0));
    }
}
