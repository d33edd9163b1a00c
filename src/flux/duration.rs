//! Durations as Flux and users write them: `90s`, `15m`, `1h30m`.

use crate::value::Value;

/// A duration as this program writes it into objects: in its largest whole unit, as `90s`, `15m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub i64);

impl From<Seconds> for Value {
    fn from(Seconds(seconds): Seconds) -> Self {
        let text = match seconds {
            s if s >= 3600 && s % 3600 == 0 => format!("{}h", s / 3600),
            s if s >= 60 && s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        };
        Value::from(text)
    }
}

/// Writes seconds for people: `45s`, `19m30s`, `2h`.
#[must_use]
pub(crate) fn show(seconds: i64) -> String {
    let units: Vec<String> = [
        (seconds / 3600, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, unit)| format!("{number}{unit}"))
    .collect();
    if units.is_empty() {
        "0s".to_owned()
    } else {
        units.concat()
    }
}

/// Milliseconds of a duration as Flux's CRDs allow it: numbers with `ms`, `s`, `m` or `h`.
#[must_use]
pub(crate) fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|&at| at > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, length) = [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6)]
            .into_iter()
            .find(|(unit, _)| rest.starts_with(unit))?;
        total += number * length;
        rest = &rest[unit.len()..];
    }
    Some(total.round() as u64)
}

/// Seconds of a duration, rounded up.
#[must_use]
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let seconds = milliseconds(text)?.div_ceil(1000);
    i64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up() {
        assert_eq!(milliseconds("10m"), milliseconds("10m0s"));
        assert_eq!(milliseconds("1h30m"), milliseconds("90m"));
        assert_eq!(milliseconds("1.5s"), milliseconds("1500ms"));
        assert_ne!(milliseconds("1m"), milliseconds("1ms"));
        for text in ["", "10", "m", "1d", "1m x", "."] {
            assert_eq!(milliseconds(text), None, "{text}");
        }
        assert_eq!(seconds("15m"), Some(900));
        for (number, text) in [(0, "0s"), (45, "45s"), (1170, "19m30s"), (7200, "2h")] {
            assert_eq!(show(number), text);
            assert_eq!(seconds(text), Some(number));
        }
        assert_eq!(seconds("1h0m30.2s"), Some(3631));
    }
}
