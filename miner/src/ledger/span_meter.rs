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
    /// When it was started, Unix seconds; `None` while it does not work.
    pub run: Option<u64>,
    /// Its hashes since the node started.
    pub hashes: u64,
    /// The energy that was used since it was started, in millijoules, where it is measured.
    pub energy_mj: Option<u64>,
}

/// Watches a miner, and tells the spans in which it worked.
#[derive(Debug, Default)]
pub struct SpanMeter {
    /// The first and the last reading of the span that is under way.
    span: Option<(MinerReading, MinerReading)>,
    /// The last reading while none is.
    idle: Option<MinerReading>,
}

impl SpanMeter {
    /// Takes note of a reading, and returns the span that it ends, if it ends one. Readings come every few seconds.
    pub fn observe(&mut self, reading: MinerReading) -> Option<MiningSpan> {
        let Some((start, last)) = self.span else {
            return self.begin(reading);
        };
        // So does a clock that was set back.
        let slept = reading
            .now
            .checked_sub(last.now)
            .is_none_or(|gap| gap > MAX_GAP_S);
        let is_over =
            slept || reading.run != start.run || reading.now / MAX_SPAN_S != start.now / MAX_SPAN_S;
        if !is_over {
            self.span = Some((start, reading));
            return None;
        }
        (self.span, self.idle) = (None, None);
        self.begin(reading);
        let to = if slept { last.now } else { reading.now };
        span(&start, &last, &reading, to)
    }

    /// The end: the span that was under way, or the work since the last reading.
    pub fn finish(&mut self, reading: MinerReading) -> Option<MiningSpan> {
        let started = self.span.take();
        let (start, last) = started.or_else(|| self.idle.take().map(|idle| (idle, idle)))?;
        let is_near = (last.now..=last.now.saturating_add(MAX_GAP_S)).contains(&reading.now);
        let to = if is_near { reading.now } else { last.now };
        span(&start, &last, &reading, to)
    }

    /// A reading while no span is under way: it begins one if the miner works. A whole run may have been since the last one.
    fn begin(&mut self, reading: MinerReading) -> Option<MiningSpan> {
        let idle = self.idle.take();
        let Some(started) = reading.run else {
            self.idle = Some(reading);
            return idle.and_then(|idle| span(&idle, &idle, &reading, reading.now));
        };
        let start = match idle {
            // It was started since.
            Some(idle) if (idle.now..=reading.now).contains(&started) => MinerReading {
                now: started,
                hashes: idle.hashes,
                energy_mj: reading.energy_mj.map(|_| 0),
                ..reading
            },
            _ => reading,
        };
        self.span = Some((start, reading));
        None
    }
}

/// The span between two readings, if anything was hashed in it: a miner that pauses or waits is started, and does not work.
fn span(
    start: &MinerReading,
    last: &MinerReading,
    end: &MinerReading,
    to: u64,
) -> Option<MiningSpan> {
    // A run that is over tells nothing of its energy any more; what it told last is seconds old.
    let end_mj = if end.run == start.run {
        end.energy_mj.or(last.energy_mj)
    } else {
        last.energy_mj
    };
    let energy = start.energy_mj.zip(end_mj);
    let hashes = end.hashes.saturating_sub(start.hashes);
    (hashes > 0).then(|| MiningSpan {
        from: start.now,
        to: to.max(start.now),
        hashes,
        energy_mj: energy.map(|(before, after)| after.saturating_sub(before)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINING: Option<u64> = Some(100);
    const STOPPED: Option<u64> = None;

    fn reading(now: u64, run: Option<u64>) -> MinerReading {
        MinerReading {
            now,
            run,
            hashes: now * 10,
            energy_mj: run.map(|started| (now - started.min(now)) * 1_000),
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
            let run = if (110..600).contains(&now) {
                MINING
            } else {
                STOPPED
            };
            // It hashes from its start to its stop.
            let mined = MinerReading {
                hashes: now.clamp(100, 600) * 10,
                ..reading(now, run)
            };
            spans.extend(meter.observe(mined));
        }
        // Of the energy, what was told before the stop.
        let last = MiningSpan {
            energy_mj: Some(290_000),
            ..worked(300, 600)
        };
        assert_eq!(spans, [worked(100, 300), last]);
    }

    #[test]
    fn the_end_ends_a_span() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, MINING));
        assert_eq!(meter.finish(reading(120, MINING)), Some(worked(100, 120)));
        assert_eq!(meter.finish(reading(130, MINING)), None);
    }

    #[test]
    fn a_run_is_known_from_its_start_on() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(98, STOPPED));
        assert_eq!(meter.observe(reading(103, MINING)), None);
        let span = meter.finish(reading(105, MINING)).unwrap();
        assert_eq!((span.from, span.to), (100, 105));
        assert_eq!((span.hashes, span.energy_mj), (70, Some(5_000)));
    }

    #[test]
    fn a_run_between_two_readings_is_not_lost() {
        let idle = |now, hashes| MinerReading {
            hashes,
            ..reading(now, STOPPED)
        };
        let work = |from, to, hashes| MiningSpan {
            from,
            to,
            hashes,
            energy_mj: None,
        };
        let mut meter = SpanMeter::default();
        assert_eq!(meter.observe(idle(100, 0)), None);
        assert_eq!(meter.observe(idle(105, 7)), Some(work(100, 105, 7)));
        assert_eq!(meter.observe(idle(110, 7)), None);
        assert_eq!(meter.finish(idle(111, 9)), Some(work(110, 111, 2)));
        assert_eq!(meter.finish(idle(112, 9)), None);
    }

    #[test]
    fn another_run_begins_another_span() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, MINING));
        meter.observe(reading(110, MINING));
        let span = meter.observe(reading(115, Some(113))).unwrap();
        assert_eq!((span.from, span.to), (100, 115));
        assert_eq!((span.hashes, span.energy_mj), (150, Some(10_000)));
        let span = meter.finish(reading(120, STOPPED)).unwrap();
        assert_eq!((span.from, span.to), (115, 120));
        assert_eq!((span.hashes, span.energy_mj), (50, Some(0)));
    }

    #[test]
    fn a_clock_that_is_set_back_takes_no_time_back() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, MINING));
        meter.observe(reading(110, MINING));
        let back = MinerReading {
            hashes: 1_100,
            ..reading(50, MINING)
        };
        let span = meter.observe(back).unwrap();
        assert_eq!((span.from, span.to, span.hashes), (100, 110, 100));
        let after = MinerReading {
            now: 60,
            hashes: 1_200,
            ..back
        };
        let span = meter.finish(after).unwrap();
        assert_eq!((span.from, span.to, span.hashes), (50, 60, 100));
    }

    #[test]
    fn time_that_the_machine_slept_does_not_count() {
        let mut meter = SpanMeter::default();
        meter.observe(reading(100, MINING));
        meter.observe(reading(110, MINING));
        let span = meter.observe(reading(250, MINING)).unwrap();
        assert_eq!((span.from, span.to), (100, 110));
        let span = meter.finish(reading(1_000, MINING)).unwrap();
        assert_eq!((span.from, span.to), (250, 250));
    }

    #[test]
    fn energy_is_known_where_both_ends_know_it() {
        let mut meter = SpanMeter::default();
        meter.observe(MinerReading {
            energy_mj: None,
            ..reading(100, MINING)
        });
        let span = meter.finish(reading(130, MINING)).unwrap();
        assert_eq!(span.energy_mj, None);
        assert_eq!(span.hashes, 300);
    }

    #[test]
    fn a_miner_that_pauses_does_not_work() {
        let mut meter = SpanMeter::default();
        let paused = |now| MinerReading {
            hashes: 5,
            ..reading(now, MINING)
        };
        for now in (100..1_000).step_by(10) {
            assert_eq!(meter.observe(paused(now)), None);
        }
        assert_eq!(meter.finish(paused(1_000)), None);
    }
}
