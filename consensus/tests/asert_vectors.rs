//! The published `aserti3-2d` vectors: twelve runs of 600-second blocks with a half-life of two days.

#[allow(dead_code, reason = "other tests read JSON")]
mod vectors;

use pyrite_consensus::bitcoin::CompactTarget;
use pyrite_consensus::pow::asert::{Anchor, Schedule, next_target_bits};

/// Rows of the runs, in their order.
const ROWS: [usize; 12] = [10, 10, 10, 225, 225, 1000, 1000, 500, 10, 10, 1000, 10_000];

/// One file: the anchor, and rows of height, time and the bits of the block after.
struct Run {
    anchor: Anchor,
    rows: Vec<(u64, i64, CompactTarget)>,
}

fn parse_hex(text: &str) -> CompactTarget {
    let digits = text.strip_prefix("0x").expect("bits start with 0x");
    CompactTarget::from_consensus(u32::from_str_radix(digits, 16).expect("bits are hex"))
}

fn parse(text: &str) -> Run {
    let height = |text: &str| text.parse::<u64>().expect("a height");
    let time = |text: &str| text.parse::<i64>().expect("a time");
    let header = |name: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix("##"))
            .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    let parent_time = header("anchor ancestor time").or_else(|| header("anchor parent time"));
    let anchor = Anchor {
        bits: parse_hex(header("anchor nBits").expect("the anchor's bits")),
        height: height(header("anchor height").expect("the anchor's height")),
        parent_time: time(parent_time.expect("the time of the anchor's parent")),
    };
    let rows: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [_iteration, at, after, bits] = columns[..] else {
                panic!("four columns")
            };
            (height(at), time(after), parse_hex(bits))
        })
        .collect();
    let iterations = header("iterations").expect("the number of rows");
    assert_eq!(rows.len().to_string(), iterations);
    Run { anchor, rows }
}

#[test]
fn the_published_runs() {
    let schedule = Schedule {
        spacing_s: 600,
        half_life_s: 172_800,
        pow_limit: CompactTarget::from_consensus(0x1d00_ffff),
    };
    let mut checked = 0;
    for (index, rows) in ROWS.into_iter().enumerate() {
        let name = format!("run{:02}", index + 1);
        let Some(bytes) = vectors::read(&format!("asert/{name}")) else {
            return;
        };
        let run = parse(&String::from_utf8(bytes).expect("the run is text"));
        assert_eq!(run.rows.len(), rows, "{name}");
        for (height, time, expected) in run.rows {
            let actual = next_target_bits(&run.anchor, &schedule, height, time);
            assert_eq!(actual, expected, "{name}, height {height}");
            checked += 1;
        }
    }
    assert_eq!(checked, 14_000);
    println!("{checked} rows of 12 runs match");
}
