//! The rows of `../shared/oracle/yaml-vectors.json`: scalars and how the real programs read them.
#![expect(
    clippy::disallowed_methods,
    reason = "the test reads recorded answers and says so where there are none"
)]

use std::io::Write as _;

use serde::de::DeserializeOwned;

/// Number of rows.
const ROWS: usize = 183;

/// Returns all rows. `None`, with the reason printed, where the folder does not exist.
pub(crate) fn rows<T: DeserializeOwned>() -> Option<Vec<T>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/oracle/yaml-vectors.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        writeln!(std::io::stderr(), "skipped: ../shared is not there").unwrap();
        return None;
    };
    let rows: Vec<T> = serde_json::from_str(&text).unwrap();
    assert_eq!(rows.len(), ROWS);
    Some(rows)
}
