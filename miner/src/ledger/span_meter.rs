//! Makes spans of what a miner tells of itself from time to time.

use super::MiningSpan;

/// The longest span: what a kill loses of the accounts of time and energy is no more.
const MAX_SPAN_S: u64 = 300;

/// Readings that are further apart have a machine between them that slept.
const MAX_GAP_S: u64 = 60;

/// What a miner tells of itself at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinerReading {
    /// When, Unix seconds.
    pub now: u64,
    /// Whether it works.
    pub activity: Activity,
    /// Its hashes since the node started.
    pub hashes: u64,
    /// The energy that it used since the node started, in millijoules, where it is measured.
    pub energy_mj: Option<u64>,
}

/// Whether a miner works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It works.
    Mining,
    /// It does not.
    Stopped,
}

/// The span that is under way.
#[derive(Debug, Default)]
pub struct SpanMeter {
    /// Its first and its last reading.
    span: Option<(MinerReading, MinerReading)>,
}

impl SpanMeter {
    /// Takes note of a reading, and returns the span that it ends, if it ends one. Readings come every few seconds.
    pub fn observe(&mut self, reading: MinerReading) -> Option<MiningSpan> {
        let Some((start, last)) = self.span else {
            self.begin(reading);
            return None;
        };
        // So does a clock that was set back.
        let slept = reading
            .now
            .checked_sub(last.now)
            .is_none_or(|gap| gap > MAX_GAP_S);
        let is_over = slept
            || reading.activity == Activity::Stopped
            || reading.now / MAX_SPAN_S != start.now / MAX_SPAN_S;
        if !is_over {
            self.span = Some((start, reading));
            return None;
        }
        self.begin(reading);
        let to = if slept { last.now } else { reading.now };
        Some(span(&start, &reading, to))
    }

    /// The end: the span that was under way.
    pub fn finish(&mut self, reading: MinerReading) -> Option<MiningSpan> {
        self.span.take().map(|(start, last)| {
            let is_near = (last.now..=last.now + MAX_GAP_S).contains(&reading.now);
            let to = if is_near { reading.now } else { last.now };
            span(&start, &reading, to)
        })
    }

    fn begin(&mut self, reading: MinerReading) {
        self.span = (reading.activity == Activity::Mining).then_some((reading, reading));
    }
}

fn span(start: &MinerReading, end: &MinerReading, to: u64) -> MiningSpan {
    let energy = start.energy_mj.zip(end.energy_mj);
    MiningSpan {
        from: start.now,
        to: to.max(start.now),
        hashes: end.hashes.saturating_sub(start.hashes),
        energy_mj: energy.map(|(before, after)| after.saturating_sub(before)),
    }
}

#[cfg(test)]
mod tests {
    use super::Activity::{Mining, Stopped};
    use super::*;

    fn reading(now: u64, activity: Activity) -> MinerReading {
        MinerReading {
            now,
            activity,
            hashes: now * 10,
            energy_mj: Some(now * 1_000),
        }
    }

    fn worked(from: u64, to: u64) -> MiningSpan {
        MiningSpan {
            from,
            to,
            hashes: (to - from) * 10,
            energy_mj: Some((to - from) * 1_000),
        }
    }

    #[test]
    fn spans_end_with_mining_and_every_five_minutes() {
        let mut meter = SpanMeter::default();
        let mut spans = Vec::new();
        for now in (100..950).step_by(10) {
            let activity = if (110..600).contains(&now) {
                Mining
            } else {
                Stopped
            };
            spans.extend(meter.observe(reading(now, activity)));
        }
        assert_eq!(spans, [worked(110, 300), worked(300, 600)]);
        assert_eq!(meter.finish(reading(950, Stopped)), None);
    }

    #[test]
    fn the_end_ends_a_span() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, Mining));
        assert_eq!(meter.finish(reading(120, Mining)), Some(worked(100, 120)));
        assert_eq!(meter.finish(reading(130, Mining)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_takes_no_time_back() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, Mining));
        meter.observe(reading(110, Mining));
        let span = meter.observe(reading(50, Mining)).unwrap();
        assert_eq!((span.from, span.to), (100, 110));
        assert_eq!(meter.finish(reading(60, Mining)), Some(worked(50, 60)));
    }

    #[test]
    fn time_that_the_machine_slept_does_not_count() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, Mining));
        meter.observe(reading(110, Mining));
        let span = meter.observe(reading(250, Mining)).unwrap();
        assert_eq!((span.from, span.to), (100, 110));
        let span = meter.finish(reading(1_000, Mining)).unwrap();
        assert_eq!((span.from, span.to), (250, 250));
    }

    #[test]
    fn energy_is_known_where_both_ends_know_it() {
        let mut meter = SpanMeter::default();
        meter.observe(MinerReading {
            energy_mj: None,
            ..reading(0, Mining)
        });
        let span = meter.finish(reading(30, Mining)).unwrap();
        assert_eq!(span.energy_mj, None);
        assert_eq!(span.hashes, 300);
    }
}
