//! What time it is here, as it is written down and shown.

use jiff::Timestamp;

use crate::value::Text;

/// Now, RFC 3339 in UTC with milliseconds.
pub(super) fn now() -> Text {
    written(Timestamp::now())
}

/// A name for a run that no other run gets: when it began, and the process that began it.
pub(super) fn run_name() -> Text {
    let now = Timestamp::now();
    let second = now.strftime("%Y%m%dt%H%M%Sz");
    let (fraction, process) = (now.subsec_nanosecond() / 1000, std::process::id());
    format!("{second}-{fraction:06}-{process}").into()
}

/// The time of day in UTC, for lines that people read.
pub(super) fn time_of_day() -> String {
    Timestamp::now().strftime("%H:%M:%SZ").to_string()
}

fn written(time: Timestamp) -> Text {
    format!("{time:.3}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_names_differ() {
        let time: Timestamp = "2026-11-28T19:00:00Z".parse().unwrap();
        assert_eq!(written(time), "2026-11-28T19:00:00.000Z");
        let time: Timestamp = "2026-11-28T19:00:00.123456789Z".parse().unwrap();
        assert_eq!(written(time), "2026-11-28T19:00:00.123Z");
        let process = std::process::id().to_string();
        assert!(run_name().ends_with(&process), "{}", run_name());
        let parsed: Result<Timestamp, _> = now().parse();
        assert!(parsed.is_ok());
    }
}
