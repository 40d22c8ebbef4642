//! Days, months and years at a fixed distance from UTC.

use std::fmt;

const DAY_S: i64 = 86_400;

/// The last second of the year 9999: no time is later.
const LAST_SECOND: i64 = 253_402_300_799;

/// How far a place's time is from UTC. There is no daylight saving: every day has 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UtcOffset {
    seconds: i64,
}

impl UtcOffset {
    /// Reads `Z`, `+2`, `+02`, `+02:00` or `-0330`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a distance from UTC such as +02:00");
        if text == "Z" || text == "UTC" {
            return Ok(Self::default());
        }
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(wrong()),
        };
        let digits = rest.replacen(':', "", 1);
        if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(wrong());
        }
        let (hours, minutes) = match (digits.len(), rest.contains(':')) {
            (1 | 2, false) => (digits.as_str(), "0"),
            (4, _) => digits.split_at(2),
            _ => return Err(wrong()),
        };
        let hours: i64 = hours.parse().map_err(|_| wrong())?;
        let minutes: i64 = minutes.parse().map_err(|_| wrong())?;
        if hours > 14 || minutes > 59 {
            return Err(wrong());
        }
        Ok(Self {
            seconds: sign * (hours * 3_600 + minutes * 60),
        })
    }

    /// The day in which a moment (Unix seconds) is.
    pub(crate) fn date(self, time: u64) -> Date {
        Date {
            days: self.local(time).div_euclid(DAY_S),
        }
    }

    /// When a day begins, Unix seconds; a day before 1970 in this place begins with it.
    pub(crate) fn start_of(self, date: Date) -> u64 {
        u64::try_from(date.days * DAY_S - self.seconds).unwrap_or(0)
    }

    /// A moment as `2026-11-24T13:37:00+02:00`.
    pub(crate) fn timestamp(self, time: u64) -> String {
        let second = self.local(time).rem_euclid(DAY_S);
        let (hour, minute) = (second / 3_600, second / 60 % 60);
        let suffix = if self.seconds == 0 {
            "Z".to_owned()
        } else {
            self.digits()
        };
        let second = second % 60;
        format!(
            "{}T{hour:02}:{minute:02}:{second:02}{suffix}",
            self.date(time)
        )
    }

    fn local(self, time: u64) -> i64 {
        i64::try_from(time).unwrap_or(LAST_SECOND).min(LAST_SECOND) + self.seconds
    }

    fn digits(self) -> String {
        let sign = if self.seconds < 0 { '-' } else { '+' };
        let minutes = self.seconds.abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            0 => f.write_str("UTC"),
            _ => write!(f, "UTC{}", self.digits()),
        }
    }
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Date {
    /// Since 1970-01-01.
    days: i64,
}

impl Date {
    /// Reads `2026-11-24`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a day such as 2026-11-24");
        let mut parts = text.split('-');
        let mut part = |length: usize| -> Result<i64, String> {
            parts
                .next()
                .filter(|part| {
                    part.len() == length && part.bytes().all(|digit| digit.is_ascii_digit())
                })
                .and_then(|part| part.parse().ok())
                .ok_or_else(wrong)
        };
        let (year, month, day) = (part(4)?, part(2)?, part(2)?);
        let date = Self::of(year, month, day);
        // What is no day of the calendar comes back as another one.
        if parts.next().is_some() || year < 1970 || date.civil() != (year, month, day) {
            return Err(wrong());
        }
        Ok(date)
    }

    /// The day of a year, month and day: counted from a March on, so that a leap day is a year's last
    /// (Hinnant, "chrono-compatible low-level date algorithms").
    fn of(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self {
            days: era * 146_097 + day_of_era - 719_468,
        }
    }

    fn civil(self) -> (i64, i64, i64) {
        let days = self.days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }

    /// The next day.
    pub(crate) fn next(self) -> Self {
        Self {
            days: self.days + 1,
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// How long the periods of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PeriodKind {
    Day,
    Month,
    Year,
}

impl PeriodKind {
    /// The first day of the period that a day is in.
    pub(crate) fn first_day(self, date: Date) -> Date {
        let (year, month, _) = date.civil();
        match self {
            Self::Day => date,
            Self::Month => Date::of(year, month, 1),
            Self::Year => Date::of(year, 1, 1),
        }
    }

    /// What the period that begins with this day is called.
    pub(crate) fn name(self, first_day: Date) -> String {
        let text = first_day.to_string();
        let length = match self {
            Self::Day => text.len(),
            Self::Month => text.len() - 3,
            Self::Year => text.len() - 6,
        };
        text[..length].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> UtcOffset {
        UtcOffset::parse(text).unwrap()
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (time, date) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_709_164_800, "2024-02-29"),
            (1_795_478_399, "2026-11-23"),
            (1_795_478_400, "2026-11-24"),
            (4_107_542_400, "2100-03-01"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(UtcOffset::default().date(time).to_string(), date);
        }
        // Every day of four centuries comes after the one before, and reads back.
        let mut date = Date::parse("1970-01-01").unwrap();
        for days in 0..146_097 {
            assert_eq!(date.days, days);
            assert_eq!(Date::parse(&date.to_string()), Ok(date));
            date = date.next();
        }
        assert_eq!(date.to_string(), "2370-01-01");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2026-11-31",
            "26-11-24",
            "2026-11-24-1",
            "2026/11/24",
            "1969-12-31",
            "2026-1-1",
            "+026-01-01",
        ] {
            assert!(Date::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_offset_moves_the_days() {
        assert_eq!(offset("+2"), offset("+02:00"));
        assert_eq!(offset("-0330"), offset("-03:30"));
        assert_eq!(offset("Z").to_string(), "UTC");
        assert_eq!(offset("-03:30").to_string(), "UTC-03:30");
        // Half an hour before midnight UTC.
        let time = 1_795_478_400 - 1_800;
        assert_eq!(offset("Z").date(time).to_string(), "2026-11-23");
        assert_eq!(offset("+01:00").date(time).to_string(), "2026-11-24");
        assert_eq!(offset("-01:00").date(time).to_string(), "2026-11-23");
        assert_eq!(
            offset("+01:00").timestamp(time),
            "2026-11-24T00:30:00+01:00"
        );
        assert_eq!(offset("Z").timestamp(time), "2026-11-23T23:30:00Z");
        for text in [
            "", "2", "+15", "+01:60", "+1:0", "+123", "+ab", "+1:00:00", "+€",
        ] {
            assert!(UtcOffset::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_begins_where_the_one_before_ends() {
        for offset in [offset("Z"), offset("+05:45"), offset("-12")] {
            let date = Date::parse("2026-03-29").unwrap();
            let start = offset.start_of(date);
            assert_eq!(offset.date(start), date);
            assert_eq!(offset.date(start - 1).next(), date);
            assert_eq!(offset.start_of(date.next()) - start, 86_400);
        }
    }

    #[test]
    fn periods_have_names() {
        let date = Date::parse("2026-11-24").unwrap();
        for (kind, name) in [
            (PeriodKind::Day, "2026-11-24"),
            (PeriodKind::Month, "2026-11"),
            (PeriodKind::Year, "2026"),
        ] {
            assert_eq!(kind.name(kind.first_day(date)), name);
        }
    }
}
