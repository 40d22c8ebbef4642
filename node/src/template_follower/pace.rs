//! How often a template is built because the mempool changed.

use std::time::Duration;

/// Building may take one part in so many of the time; it keeps two processors busy.
const SHARE: u32 = 25;
/// At least this long a template is left alone: those who mine on it begin anew with the next one.
const MIN_REST: Duration = Duration::from_millis(50);
/// And at most this long, however slow the machine is.
const MAX_REST: Duration = Duration::from_secs(5);

/// How long to rest after building a template that took so long.
pub(super) fn rest_after(building: Duration) -> Duration {
    building.saturating_mul(SHARE - 1).clamp(MIN_REST, MAX_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn building_takes_its_share_of_the_time_within_bounds() {
        let rest = |ms| rest_after(Duration::from_millis(ms));
        assert_eq!(rest(0), Duration::from_millis(50));
        assert_eq!(rest(2), Duration::from_millis(50));
        assert_eq!(rest(20), Duration::from_millis(480));
        assert_eq!(rest(60_000), Duration::from_secs(5));
        assert_eq!(rest_after(Duration::MAX), Duration::from_secs(5));
    }
}
