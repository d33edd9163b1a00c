//! Durations as Flux writes and reads them: `90s`, `15m`, `1h30m`.

/// Milliseconds of a duration as Flux's CRDs allow it: numbers with `ms`, `s`, `m` or `h`.
#[must_use]
pub fn milliseconds(text: &str) -> Option<u64> {
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
pub fn seconds(text: &str) -> Option<i64> {
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
        assert_eq!(seconds("1h0m30.2s"), Some(3631));
    }
}
