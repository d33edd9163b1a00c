//! The field mapping: the rows of all decoders.

use super::disposition::Rows;
use super::{chart, chart_group, head, manifest};

/// All rows, in the order of their documents.
pub static ALL: Rows = Rows(&[
    head::ROWS,
    manifest::ROWS,
    chart_group::ROWS,
    chart::ROWS,
    chart::source::ROWS,
    chart::wait::rows::ROWS,
    chart::test::ROWS,
    chart::upgrade::ROWS,
]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::armada::disposition::{Carrier, Fate};

    #[test]
    fn every_row_is_in_the_table_once() {
        let rows: Vec<_> = ALL.iter().map(|row| (row.documents, row.path)).collect();
        let mut unique = rows.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(rows.len(), unique.len());
    }

    #[test]
    fn what_is_kept_says_where_and_what_is_lost_says_nowhere() {
        for row in ALL.iter() {
            let kept = matches!(row.fate, Fate::Mapped | Fate::Approximated);
            assert_eq!(kept, !row.target.is_empty(), "{}", row.path);
            assert!(!row.reason.is_empty(), "{}", row.path);
            let carried = row.carrier != Carrier::Nobody;
            let lost = matches!(
                row.fate,
                Fate::DroppedHarmless | Fate::DroppedLossy | Fate::Refused
            );
            assert_ne!(carried, lost, "{}", row.path);
            assert!(row.since.is_none() || kept, "{}", row.path);
        }
    }
}
