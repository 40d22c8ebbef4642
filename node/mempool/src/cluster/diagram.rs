//! Feerate diagrams: what an order pays over its weight, and which of two orders pays more.

use std::cmp::Ordering;

use super::{DependencyGraph, FeeWeight};

/// The chunks of an order that parents come first in: each transaction is joined with those before it as long as
/// it has a higher rate than they.
///
/// # Panics
///
/// If the order names a position that the graph does not have.
#[must_use]
pub fn chunk_order(graph: &DependencyGraph, order: &[u8]) -> Vec<FeeWeight> {
    let mut chunks: Vec<FeeWeight> = Vec::with_capacity(order.len());
    for &position in order {
        let mut chunk = graph.rate(usize::from(position));
        while let Some(before) = chunks.pop_if(|before| before.cmp_rate(&chunk).is_lt()) {
            chunk += before;
        }
        chunks.push(chunk);
    }
    chunks
}

/// Compares two feerate diagrams, given as chunks by falling rate. A diagram goes on from its end as a flat line.
/// `Greater`: `a` is nowhere below `b` and somewhere above; `None`: each is above the other somewhere.
///
/// The comparison is exact while fees add up to less than 2^78 and weights to less than 2^48, which is a thousand
/// clusters of the largest fees that a [`DependencyGraph`] takes. Chunks that weigh nothing count for nothing.
#[must_use]
pub fn compare_diagrams(a: &[FeeWeight], b: &[FeeWeight]) -> Option<Ordering> {
    let mut a = Walk::new(a);
    let mut b = Walk::new(b);
    let mut verdict = Ordering::Equal;
    // Between corners both are straight, so that whoever is above somewhere is above at a corner.
    while !(a.is_at_end() && b.is_at_end()) {
        let here = match a.next_weight().cmp(&b.next_weight()) {
            Ordering::Less => b.cmp_with_corner(a.pass()).reverse(),
            Ordering::Greater => a.cmp_with_corner(b.pass()),
            Ordering::Equal => a.pass().fee.cmp(&b.pass().fee),
        };
        match (verdict, here) {
            (_, Ordering::Equal) => {}
            (Ordering::Equal, _) => verdict = here,
            _ if verdict == here => {}
            _ => return None,
        }
    }
    Some(verdict)
}

/// A point of a diagram.
#[derive(Clone, Copy, Default)]
struct Corner {
    fee: i128,
    weight: u128,
}

/// A way along a diagram, from corner to corner.
struct Walk<'a> {
    /// What was passed last.
    corner: Corner,
    left: &'a [FeeWeight],
}

impl<'a> Walk<'a> {
    fn new(chunks: &'a [FeeWeight]) -> Self {
        let mut walk = Self {
            corner: Corner::default(),
            left: chunks,
        };
        walk.skip_empty();
        walk
    }

    fn skip_empty(&mut self) {
        while let Some((FeeWeight { weight: 0, .. }, rest)) = self.left.split_first() {
            self.left = rest;
        }
    }

    fn is_at_end(&self) -> bool {
        self.left.is_empty()
    }

    /// The weight at the next corner. There is none on the line at the end.
    fn next_weight(&self) -> u128 {
        self.left.first().map_or(u128::MAX, |chunk| {
            self.corner.weight + u128::from(chunk.weight)
        })
    }

    /// Goes to the next corner.
    fn pass(&mut self) -> Corner {
        if let Some((chunk, rest)) = self.left.split_first() {
            self.corner.fee += i128::from(chunk.fee);
            self.corner.weight += u128::from(chunk.weight);
            self.left = rest;
            self.skip_empty();
        }
        self.corner
    }

    /// Whether this diagram is above the other's corner, which lies before the next one of this.
    fn cmp_with_corner(&self, other: Corner) -> Ordering {
        let rise = other.fee - self.corner.fee;
        let Some(chunk) = self.left.first() else {
            return 0.cmp(&rise);
        };
        // Both lie within one chunk, whose weight is a u64.
        let run = i128::try_from(other.weight - self.corner.weight).unwrap_or(i128::MAX);
        let here = i128::from(chunk.fee).saturating_mul(run);
        here.cmp(&rise.saturating_mul(i128::from(chunk.weight)))
    }
}
