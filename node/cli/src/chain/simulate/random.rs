//! Random numbers that are the same on every machine and in every version, so that figures can be repeated.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// The time until the next event of a memoryless process: exponentially distributed.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        // 53 bits, above zero and at most one.
        let uniform = ((self.next() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64;
        -mean * uniform.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first numbers of the published generator from the seed 1234567.
    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = Random::new(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| random.next()).collect();
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn times_are_exponential() {
        let mut random = Random::new(1);
        let mut times: Vec<f64> = (0..100_000).map(|_| random.exponential(10.0)).collect();
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        assert!((mean - 10.0).abs() < 0.1, "{mean}");
        times.sort_by(f64::total_cmp);
        // Of an exponential distribution the median is ln 2 of the mean, the 95th percentile ln 20.
        assert!((times[50_000] - 6.931).abs() < 0.1);
        assert!((times[95_000] - 29.96).abs() < 0.5);
        assert!(times[0] >= 0.0);
    }
}
