//! Sizes, times and ports.

/// The octets of `64k`, `10m`, `1g` or `512`.
pub(super) fn octets(text: &str) -> Option<u64> {
    let (number, unit) = split(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// The milliseconds of `500ms`, `30s`, `1h30m` or `1y`.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    let mut least = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let behind = rest.get(digits..)?;
        let letters = behind.find(|letter: char| letter.is_ascii_digit()).unwrap_or(behind.len());
        let (number, unit) = (rest.get(..digits)?.parse::<u64>().ok()?, behind.get(..letters)?);
        let factor = unit_ms(unit)?;
        // `30m1h` and `5s5s` are slips.
        if factor >= least {
            return None;
        }
        least = factor;
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = behind.get(letters..)?;
    }
    (!text.is_empty()).then_some(total)
}

/// What a message says about a text that is no size.
pub(super) const OCTETS_HELP: &str = "a size is written as `512`, `64k`, `10m` or `1g`";
/// What a message says about a text that is no time.
pub(super) const TIME_HELP: &str = "a time is written as `500ms`, `30s`, `5m`, `1h30m` or `1y`";

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    Some((text.get(..digits)?.parse().ok()?, text.get(digits..)?))
}

fn unit_ms(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        "y" => 31_536_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{milliseconds, octets};

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(octets("64k"), Some(65_536));
        assert_eq!(octets("10M"), Some(10_485_760));
        assert_eq!(octets("512"), Some(512));
        for bad in ["", "k", "64kb", "-1", "1.5k", "99999999999g"] {
            assert_eq!(octets(bad), None, "{bad}");
        }
        assert_eq!(milliseconds("500ms"), Some(500));
        assert_eq!(milliseconds("1h30m"), Some(5_400_000));
        assert_eq!(milliseconds("1y"), Some(31_536_000_000));
        for bad in ["", "30", "s", "1.5s", "30m1h", "5s5s", "5 s", "99999999999y"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
