//! The three horizons, each with its memory and its resolution.

/// How far back an estimate looks. The figures are Bitcoin Core's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeHorizon {
    /// Half of what it knows is of the last 18 blocks.
    Short,
    /// Half of what it knows is of the last 144 blocks.
    Medium,
    /// Half of what it knows is of the last 1,004 blocks.
    Long,
}

impl FeeHorizon {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Short, Self::Medium, Self::Long];

    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        }
    }

    /// By what everything that is known is multiplied at each block.
    #[must_use]
    pub const fn decay(self) -> f64 {
        match self {
            Self::Short => 0.962,
            Self::Medium => 0.9952,
            Self::Long => 0.999_31,
        }
    }

    /// Blocks of a period: targets in the same period are not told apart.
    #[must_use]
    pub const fn scale(self) -> u32 {
        match self {
            Self::Short => 1,
            Self::Medium => 2,
            Self::Long => 24,
        }
    }

    /// The furthest target, in blocks.
    #[must_use]
    pub const fn max_target(self) -> u32 {
        match self {
            Self::Short => 12,
            Self::Medium => 48,
            Self::Long => 1_008,
        }
    }

    /// How many periods are told apart.
    pub(super) const fn periods(self) -> usize {
        match self {
            Self::Short => 12,
            Self::Medium => 24,
            Self::Long => 42,
        }
    }

    /// How many blocks the waiting transactions are told apart by.
    pub(super) const fn slots(self) -> usize {
        match self {
            Self::Short => 12,
            Self::Medium => 48,
            Self::Long => 1_008,
        }
    }

    /// Confirmed transactions in each block, on average, that make a range of rates large enough.
    const fn sufficient_per_block(self) -> f64 {
        match self {
            Self::Short => 0.5,
            Self::Medium | Self::Long => 0.1,
        }
    }

    /// The same as a sum that decays.
    pub(super) fn sufficient(self) -> f64 {
        self.sufficient_per_block() / (1.0 - self.decay())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_fit_together() {
        for horizon in FeeHorizon::ALL {
            let max_target = usize::try_from(horizon.max_target()).unwrap();
            let scale = usize::try_from(horizon.scale()).unwrap();
            assert_eq!(horizon.periods() * scale, max_target);
            assert_eq!(horizon.slots(), max_target);
        }
        let half_life = |horizon: FeeHorizon| (0.5_f64.ln() / horizon.decay().ln()).round();
        assert_eq!(FeeHorizon::ALL.map(half_life), [18.0, 144.0, 1_004.0]);
    }
}
