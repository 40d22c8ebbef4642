//! Places in the streams of events.

use std::fmt;
use std::str::FromStr;

/// A number that counts within one run of the node: a node that has started anew counts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counter {
    /// The run.
    pub(super) run: u32,
    /// The number.
    pub(super) number: u64,
}

impl fmt::Display for Counter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:08x}-{}", self.run, self.number)
    }
}

impl FromStr for Counter {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (run, number) = text.split_once('-').ok_or(())?;
        let is_hex = run.len() == 8 && run.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_hex || !is_number {
            return Err(());
        }
        Ok(Self {
            run: u32::from_str_radix(run, 16).map_err(drop)?,
            number: number.parse().map_err(drop)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_as_it_is_written() {
        let counter = Counter {
            run: 0xab,
            number: 17,
        };
        assert_eq!(counter.to_string(), "000000ab-17");
        assert_eq!("000000ab-17".parse(), Ok(counter));
        for text in [
            "",
            "ab-1",
            "000000ab",
            "000000ab-",
            "000000ab-+1",
            "000000ab-99999999999999999999",
        ] {
            assert_eq!(text.parse::<Counter>(), Err(()), "{text}");
        }
    }
}
