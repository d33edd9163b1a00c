//! Reads and writes dates and times as PyYAML does (`timestamp_regexp`, `datetime.isoformat`).

use super::go_time::days_in;

/// Returns whether the resolver's pattern for times matches. Unlike the constructor's it wants two digits of
/// month and day where no time follows.
pub(super) fn looks_like_time(text: &[u8]) -> bool {
    match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => [y1, y2, y3, y4, m1, m2, d1, d2]
            .into_iter()
            .all(u8::is_ascii_digit),
        _ => Parts::read(text).is_some_and(|parts| parts.clock.is_some()),
    }
}

/// Returns the date or time as `safe_dump` writes it; `None` where the constructor raises an error.
pub(super) fn parse(text: &str) -> Option<String> {
    // The pattern accepts a final line break.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let Parts {
        year,
        month,
        day,
        clock,
    } = Parts::read(text.as_bytes())?;
    if year == 0 || !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}");
    let Some(Clock {
        hour,
        minute,
        second,
        micros,
        offset,
    }) = clock
    else {
        return Some(out);
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    out.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
    if micros > 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    if let Some(minutes) = offset {
        if minutes.abs() >= 24 * 60 {
            return None;
        }
        let sign = if minutes < 0 { '-' } else { '+' };
        out.push_str(&format!(
            "{sign}{:02}:{:02}",
            minutes.abs() / 60,
            minutes.abs() % 60
        ));
    }
    Some(out)
}

struct Parts {
    year: u32,
    month: u32,
    day: u32,
    clock: Option<Clock>,
}

struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    micros: u32,
    /// Minutes east of Greenwich.
    offset: Option<i32>,
}

impl Parts {
    /// Reads the text, if all of it matches the constructor's pattern.
    fn read(text: &[u8]) -> Option<Self> {
        let (year, rest) = number(text, 4, 4)?;
        let (month, rest) = number(rest.strip_prefix(b"-")?, 1, 2)?;
        let (day, rest) = number(rest.strip_prefix(b"-")?, 1, 2)?;
        let clock = match rest {
            [] => None,
            [b'T' | b't', rest @ ..] => Some(Clock::read(rest)?),
            [b' ' | b'\t', ..] => Some(Clock::read(blanks(rest))?),
            _ => return None,
        };
        Some(Self {
            year,
            month,
            day,
            clock,
        })
    }
}

impl Clock {
    fn read(text: &[u8]) -> Option<Self> {
        let (hour, rest) = number(text, 1, 2)?;
        let (minute, rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
        let (second, rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
        let (micros, rest) = match rest {
            [b'.', rest @ ..] => micros(rest),
            _ => (0, rest),
        };
        let offset = match blanks(rest) {
            [] if rest.is_empty() => None,
            b"Z" => Some(0),
            [sign @ (b'+' | b'-'), rest @ ..] => {
                let (hours, rest) = number(rest, 1, 2)?;
                let minutes = match rest {
                    [] => 0,
                    [b':', rest @ ..] => {
                        let (minutes, rest) = number(rest, 2, 2)?;
                        rest.is_empty().then_some(minutes)?
                    }
                    _ => return None,
                };
                let offset = i32::try_from(hours * 60 + minutes).ok()?;
                Some(if *sign == b'-' { -offset } else { offset })
            }
            _ => return None,
        };
        Some(Self {
            hour,
            minute,
            second,
            micros,
            offset,
        })
    }
}

fn blanks(text: &[u8]) -> &[u8] {
    let count = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    &text[count..]
}

/// Reads a number of `least` to `most` digits; returns it with the rest of the text.
fn number(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let count = text
        .iter()
        .take(most)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = text.split_at(count);
    let value = digits
        .iter()
        .fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    (count >= least).then_some((value, rest))
}

/// Reads a fraction as microseconds, from its first six digits; returns it with the text after all digits.
fn micros(text: &[u8]) -> (u32, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    let digit = |at: usize| digits.get(at).map_or(0, |digit| u32::from(digit - b'0'));
    ((0..6).fold(0, |value, at| value * 10 + digit(at)), rest)
}
