//! Moments as logs write them, made once a second.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

/// The moment now, in the forms that logs want. A second's text is written once.
#[derive(Debug, Default)]
pub(in crate::proxy) struct Clock {
    second: u64,
    rfc3339: String,
    combined: String,
}

impl Clock {
    /// Appends `2026-11-21T02:03:04.567Z`.
    pub(in crate::proxy) fn rfc3339(&mut self, since_epoch: Duration, into: &mut Vec<u8>) {
        self.set(since_epoch.as_secs());
        into.extend_from_slice(self.rfc3339.as_bytes());
        let millis = since_epoch.subsec_millis();
        let digit = |digit: u32| b'0' + u8::try_from(digit % 10).unwrap_or_default();
        into.extend_from_slice(&[b'.', digit(millis / 100), digit(millis / 10), digit(millis), b'Z']);
    }

    /// Appends `21/Nov/2026:02:03:04 +0000`, as nginx where its time zone is UTC.
    pub(in crate::proxy) fn combined(&mut self, since_epoch: Duration, into: &mut Vec<u8>) {
        self.set(since_epoch.as_secs());
        into.extend_from_slice(self.combined.as_bytes());
    }

    fn set(&mut self, second: u64) {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        if self.second == second && !self.rfc3339.is_empty() {
            return;
        }
        self.second = second;
        let Civil { year, month, day, hour, minute, second } = Civil::new(second);
        self.rfc3339 = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        let name = usize::try_from(month).ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"");
        self.combined = format!("{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000");
    }
}

/// Since 1970.
pub(in crate::proxy) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// `time` as `2026-11-21T02:03:04.567Z`.
pub(in crate::proxy) fn rfc3339(time: SystemTime) -> String {
    let mut text = Vec::new();
    Clock::default().rfc3339(time.duration_since(UNIX_EPOCH).unwrap_or_default(), &mut text);
    String::from_utf8(text).unwrap_or_default()
}

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Civil {
    fn new(seconds: u64) -> Self {
        let (days, of_day) = (seconds / 86_400, seconds % 86_400);
        // Civil date from days, counting years from March so that the leap day comes last.
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        Self { year, month, day, hour: of_day / 3_600, minute: of_day / 60 % 60, second: of_day % 60 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_logs_write_them() {
        let check = |millis: u64, rfc3339: &str, combined: &str| {
            let (mut clock, mut text) = (Clock::default(), Vec::new());
            clock.rfc3339(Duration::from_millis(millis), &mut text);
            clock.combined(Duration::from_millis(millis), &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), format!("{rfc3339}{combined}"));
        };
        check(0, "1970-01-01T00:00:00.000Z", "01/Jan/1970:00:00:00 +0000");
        check(951_827_696_789, "2000-02-29T12:34:56.789Z", "29/Feb/2000:12:34:56 +0000");
        check(1_795_228_800_000, "2026-11-21T02:40:00.000Z", "21/Nov/2026:02:40:00 +0000");
    }
}
