//! Which of the processor's cores the threads of a run stay on.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::affinity;
use crate::MinerError;

/// The highest number of a core: what the kernel's sets of cores hold.
const MAX_CORE: usize = 1_023;

/// Where the processor's threads run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pinning {
    /// Where the system puts them.
    #[default]
    Off,
    /// Each on a core of its own, as long as there are enough; the second threads of the cores come last.
    Auto,
    /// The first on the first core of the list, and so on, around.
    Cores(CoreList),
}

/// Cores by their numbers, in the order in which they are taken. Written as `0,2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreList(Vec<usize>);

impl CoreList {
    pub(super) fn from_cores(cores: Vec<usize>) -> Self {
        Self(cores)
    }

    /// The cores, one at least if the list was parsed.
    pub fn cores(&self) -> &[usize] {
        &self.0
    }
}

impl FromStr for Pinning {
    type Err = MinerError;

    fn from_str(text: &str) -> Result<Self, MinerError> {
        match text.trim() {
            "off" => Ok(Self::Off),
            "auto" => Ok(Self::Auto),
            list => list.parse().map(Self::Cores),
        }
    }
}

impl fmt::Display for Pinning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Auto => f.write_str("auto"),
            Self::Cores(cores) => cores.fmt(f),
        }
    }
}

impl FromStr for CoreList {
    type Err = MinerError;

    fn from_str(text: &str) -> Result<Self, MinerError> {
        let cores = parse_cores(text).ok_or_else(|| MinerError::BadCores {
            text: text.to_owned(),
        })?;
        Ok(Self(cores))
    }
}

/// Cores of a list such as `0,2-3`, as the kernel writes them too; `None` if it is not one.
fn parse_cores(text: &str) -> Option<Vec<usize>> {
    let mut cores = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > MAX_CORE {
            return None;
        }
        cores.extend(first..=last);
        if cores.len() > MAX_CORE + 1 {
            return None;
        }
    }
    Some(cores)
}

impl fmt::Display for CoreList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = self
            .0
            .chunk_by(|before, after| after.checked_sub(1) == Some(*before));
        for (index, run) in runs.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match run {
                [core] => write!(f, "{comma}{core}")?,
                [first, .., last] => write!(f, "{comma}{first}-{last}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

impl Pinning {
    /// The core of each of `threads` threads; empty when they are not pinned. `root` is where `/sys` is.
    pub(super) fn plan(&self, threads: usize, root: &Path) -> Vec<usize> {
        let cores = match self {
            Self::Off => return Vec::new(),
            Self::Auto => spread(&affinity::available_cores(), root),
            Self::Cores(cores) => cores.0.clone(),
        };
        cores.iter().copied().cycle().take(threads).collect()
    }
}

/// The cores in an order that takes one thread of each before the second ones.
fn spread(available: &[usize], root: &Path) -> Vec<usize> {
    let rank = |core: &usize| {
        let path = format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        let siblings = std::fs::read_to_string(root.join(path)).ok();
        let siblings = siblings.and_then(|text| parse_cores(text.trim()));
        siblings
            .and_then(|siblings| siblings.iter().position(|sibling| sibling == core))
            .unwrap_or(0)
    };
    let mut ranked: Vec<(usize, usize)> =
        available.iter().map(|core| (rank(core), *core)).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, core)| core).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, cores, written) in [
            ("0", vec![0], "0"),
            ("0,2-3", vec![0, 2, 3], "0,2-3"),
            ("3, 2,1", vec![3, 2, 1], "3,2,1"),
            ("1,2,3,7", vec![1, 2, 3, 7], "1-3,7"),
            ("1023", vec![1_023], "1023"),
        ] {
            let pinning: Pinning = text.parse().unwrap();
            assert_eq!(pinning, Pinning::Cores(CoreList(cores)));
            assert_eq!(pinning.to_string(), written);
        }
        assert_eq!("auto".parse::<Pinning>().unwrap(), Pinning::Auto);
        assert_eq!("off".parse::<Pinning>().unwrap(), Pinning::Off);
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in [
            "",
            "x",
            "1,",
            "3-1",
            "1024",
            "0-99999999999999999999",
            "-1",
            "0-1023,0-1023",
        ] {
            assert!(
                matches!(text.parse::<Pinning>(), Err(MinerError::BadCores { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_list_goes_around() {
        let pinning: Pinning = "4,2".parse().unwrap();
        assert_eq!(pinning.plan(5, Path::new("/")), [4, 2, 4, 2, 4]);
        assert!(Pinning::Off.plan(5, Path::new("/")).is_empty());
    }

    #[test]
    fn auto_takes_the_second_threads_of_cores_last() {
        let root = tempfile::tempdir().unwrap();
        for (core, siblings) in [(0, "0,4"), (1, "1-2"), (2, "1-2"), (4, "0,4\n")] {
            let topology = format!("sys/devices/system/cpu/cpu{core}/topology");
            let topology = root.path().join(topology);
            std::fs::create_dir_all(&topology).unwrap();
            std::fs::write(topology.join("thread_siblings_list"), siblings).unwrap();
        }
        assert_eq!(spread(&[0, 1, 2, 3, 4], root.path()), [0, 1, 3, 2, 4]);
    }
}
