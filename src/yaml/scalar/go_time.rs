//! Reads times as go-yaml does (`parseTimestamp` in its `resolve.go`, Go's `time.Parse`).

/// Returns the time as Go's JSON encoder writes it (RFC 3339); `None` if the text is not a time.
pub(super) fn parse(text: &str) -> Option<String> {
    let mut rest = Cursor(text.as_bytes());
    let year = rest.digits(4, 4)?;
    rest.take(b'-')?;
    let month = rest.digits(1, 2)?;
    rest.take(b'-')?;
    let day = rest.digits(1, 2)?;
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    let Some(separator) = rest.next() else {
        return Some(format!("{date}T00:00:00Z"));
    };
    let hour = rest.digits(1, 2)?;
    rest.take(b':')?;
    let minute = rest.digits(1, 2)?;
    rest.take(b':')?;
    let second = rest.digits(1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = match separator {
        b' ' => "Z".to_owned(),
        b'T' | b't' => rest.zone()?,
        _ => return None,
    };
    rest.0
        .is_empty()
        .then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

/// Returns the days of a month in the Gregorian calendar, extended to all years.
pub(super) fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The rest of the text.
struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// Reads a number of `least` to `most` digits.
    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self
            .0
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let value = digits
            .iter()
            .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        (count >= least).then_some(value)
    }

    /// Reads `.` and the digits of a fraction; keeps at most nine, without zeros at the end.
    fn fraction(&mut self) -> String {
        let [b'.' | b',', digits @ ..] = self.0 else {
            return String::new();
        };
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return String::new();
        }
        let kept: String = digits
            .iter()
            .take(count.min(9))
            .map(|&digit| char::from(digit))
            .collect();
        self.0 = &digits[count..];
        match kept.trim_end_matches('0') {
            "" => String::new(),
            kept => format!(".{kept}"),
        }
    }

    /// Reads `Z` or `±hh:mm`.
    fn zone(&mut self) -> Option<String> {
        let sign = match self.next()? {
            b'Z' => return Some("Z".to_owned()),
            sign @ (b'+' | b'-') => char::from(sign),
            _ => return None,
        };
        let hours = self.digits(2, 2)?;
        self.take(b':')?;
        let minutes = self.digits(2, 2)?;
        if hours > 24 || minutes > 60 {
            return None;
        }
        let offset = hours * 60 + minutes;
        Some(match offset {
            0 => "Z".to_owned(),
            _ => format!("{sign}{:02}:{:02}", offset / 60, offset % 60),
        })
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}
