//! The processor's clock, found by what takes a known number of cycles.

use std::hint::black_box;
use std::time::Instant;

/// Steps of the chain.
const STEPS: u32 = 1 << 20;

/// Cycles of a multiplication and an exclusive or, each of which needs the result of the one before, on x86-64 processors of both
/// makers since 2010.
#[cfg(target_arch = "x86_64")]
const CYCLES_PER_STEP: Option<f64> = Some(4.0);
#[cfg(not(target_arch = "x86_64"))]
const CYCLES_PER_STEP: Option<f64> = None;

/// Cycles per second of the core that runs the calling thread, at this moment; `None` where it can't be told. It is measured
/// for about a millisecond. An interruption makes it too low: the highest of several says most.
pub fn clock_rate() -> Option<f64> {
    let cycles_per_step = CYCLES_PER_STEP?;
    let factor = black_box(0x9e37_79b9_7f4a_7c15_u64);
    let started = Instant::now();
    let mut product = factor;
    for _ in 0..STEPS {
        // The exclusive or keeps the compiler from joining steps.
        product = (product ^ factor).wrapping_mul(factor);
    }
    black_box(product);
    Some(f64::from(STEPS) * cycles_per_step / started.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_within_reason() {
        if let Some(rate) = clock_rate() {
            assert!((1e8..1e10).contains(&rate), "{rate} cycles a second");
        }
    }
}
