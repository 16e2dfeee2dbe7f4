//! Reads of a certificate what people ask about: whose, from whom, for which names, how long.
//!
//! Only what is shown is read here; whether a certificate is good is for rustls to say.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::report::Certificate;

const INTEGER: u8 = 0x02;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const OCTET_STRING: u8 = 0x04;
/// The kinds of a general name that servers have.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// 2.5.29.17
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];

const DAY: i64 = 86_400;

/// What there is to say about the certificate `der` at `now`, in seconds since 1970; what cannot be read is left out.
pub(super) fn describe(der: &[u8], now: i64) -> Certificate {
    let mut certificate = Certificate { blake3: blake3::hash(der).to_hex().to_string(), ..Certificate::default() };
    // Everything before what cannot be read is in the certificate by then.
    read(der, now, &mut certificate).unwrap_or_default();
    certificate
}

/// When the certificate begins to hold, in seconds since 1970.
pub(super) fn begin(der: &[u8]) -> Option<i64> {
    let whole = Reader(der).take(SEQUENCE)?;
    let mut body = Reader(Reader(whole).take(SEQUENCE)?);
    if body.peek() == Some(VERSION) {
        body.take(VERSION)?;
    }
    // Number, algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        body.take(tag)?;
    }
    time(&mut Reader(body.take(SEQUENCE)?))
}

fn read(der: &[u8], now: i64, certificate: &mut Certificate) -> Option<()> {
    let whole = Reader(der).take(SEQUENCE)?;
    let mut body = Reader(Reader(whole).take(SEQUENCE)?);
    if body.peek() == Some(VERSION) {
        body.take(VERSION)?;
    }
    body.take(INTEGER)?;
    body.take(SEQUENCE)?;
    certificate.issuer = name(body.take(SEQUENCE)?);
    let mut validity = Reader(body.take(SEQUENCE)?);
    let (begin, end) = (time(&mut validity)?, time(&mut validity)?);
    certificate.not_before = date(begin);
    certificate.not_after = date(end);
    certificate.days_left = (end - now).div_euclid(DAY);
    certificate.subject = name(body.take(SEQUENCE)?);
    // The key.
    body.take(SEQUENCE)?;
    while let Some(tag) = body.peek() {
        let content = body.take(tag)?;
        if tag == EXTENSIONS {
            certificate.names = names(content).unwrap_or_default();
        }
    }
    if certificate.subject.is_empty() {
        certificate.subject = certificate.names.first().cloned().unwrap_or_default();
    }
    Some(())
}

/// Values one behind the other, each with a tag and a length.
struct Reader<'d>(&'d [u8]);

impl<'d> Reader<'d> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The content of the next value, whatever its kind, and the kind.
    fn any(&mut self) -> Option<(u8, &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            // A certificate is shorter than 2^24 octets.
            let octets = usize::from(first & 0x7f);
            if !(1..=3).contains(&octets) {
                return None;
            }
            let (digits, behind) = rest.split_at_checked(octets)?;
            length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
            rest = behind;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        if self.peek()? == tag { Some(self.any()?.1) } else { None }
    }
}

/// The common name, else the organisation.
fn name(relative_names: &[u8]) -> String {
    let mut organisation = String::new();
    let mut sets = Reader(relative_names);
    while let Some(set) = sets.take(SET) {
        let mut pairs = Reader(set);
        while let Some(pair) = pairs.take(SEQUENCE) {
            let mut pair = Reader(pair);
            let kind = pair.take(OBJECT).unwrap_or_default();
            let Some((tag, text)) = pair.any() else { continue };
            if kind == COMMON_NAME {
                return string(tag, text);
            }
            if kind == ORGANISATION {
                organisation = string(tag, text);
            }
        }
    }
    organisation
}

/// Control characters would reach a terminal: they are left out.
fn string(tag: u8, octets: &[u8]) -> String {
    let text = if tag == BMP_STRING {
        let units: Vec<u16> = octets
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |unit, &octet| unit << 8 | u16::from(octet)))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(octets).into_owned()
    };
    text.chars().filter(|c| !c.is_control()).collect()
}

fn names(extensions: &[u8]) -> Option<Vec<String>> {
    let mut list = Reader(Reader(extensions).take(SEQUENCE)?);
    while let Some(extension) = list.take(SEQUENCE) {
        let mut extension = Reader(extension);
        if extension.take(OBJECT)? != SUBJECT_ALTERNATIVE_NAME {
            continue;
        }
        // A truth value may say that it is critical.
        while extension.peek()? != OCTET_STRING {
            extension.any()?;
        }
        let mut general = Reader(Reader(extension.take(OCTET_STRING)?).take(SEQUENCE)?);
        let mut names = Vec::new();
        while let Some((kind, octets)) = general.any() {
            match kind {
                DNS_NAME => names.push(string(kind, octets)),
                IP_ADDRESS => names.extend(address(octets)),
                _ => {}
            }
        }
        return Some(names);
    }
    Some(Vec::new())
}

fn address(octets: &[u8]) -> Option<String> {
    let short = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).to_string());
    let long = || <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).to_string());
    short.or_else(|_| long()).ok()
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, in seconds since 1970.
fn time(reader: &mut Reader<'_>) -> Option<i64> {
    let (tag, text) = reader.any()?;
    let text = core::str::from_utf8(text).ok()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            // As RFC 5280 says.
            (if year < 50 { year + 2000 } else { year + 1900 }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day, hour, minute, second) = (number(0)?, number(2)?, number(4)?, number(6)?, number(8)?);
    if !(1..=12).contains(&month) {
        return None;
    }
    Some(days(year, month, day) * DAY + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01; years begin in March here, so that the leap day is the last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year - 719_468
}

/// `2027-01-31T12:00:00Z`
fn date(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    let mut left = seconds.div_euclid(DAY);
    let length = |year: i64| days(year + 1, 1, 1) - days(year, 1, 1);
    let mut year = 1970 + left.div_euclid(366);
    left -= days(year, 1, 1);
    while left >= length(year) {
        left -= length(year);
        year += 1;
    }
    let mut month = 1;
    while month < 12 && left >= days(year, month + 1, 1) - days(year, 1, 1) {
        month += 1;
    }
    let day = left - (days(year, month, 1) - days(year, 1, 1)) + 1;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 3, 1), 11_017);
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_102_444_800, "2100-01-01T00:00:00Z"),
        ] {
            assert_eq!(date(seconds), text);
        }
        let mut text = vec![UTC_TIME, 13];
        text.extend(b"270131120000Z");
        assert_eq!(date(time(&mut Reader(&text)).unwrap()), "2027-01-31T12:00:00Z");
    }

    #[test]
    fn a_certificate_is_read_and_rubbish_is_not() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["api.test".to_owned(), "192.0.2.1".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::OrganizationName, "Words");
        params.not_after = rcgen::date_time_ymd(2051, 7, 1);
        let certificate = params.self_signed(&key).unwrap();
        let read = describe(certificate.der(), days(2051, 6, 20) * DAY + 1);
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("Words", "Words"));
        assert_eq!(read.names, ["api.test", "192.0.2.1"]);
        assert_eq!((read.not_after.as_str(), read.days_left), ("2051-07-01T00:00:00Z", 10));
        for end in 0..certificate.der().len() {
            describe(&certificate.der()[..end], 0);
        }
    }
}
