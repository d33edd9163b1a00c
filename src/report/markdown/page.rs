//! A text with a limit: what does not fit any more is left out and counted.

use std::collections::BTreeMap;

use crate::report::digest::count;

/// Bytes kept free for the sentence about what was cut.
const RESERVED: usize = 400;
/// The end of a folded part.
const CLOSING: &str = "\n</details>\n\n";

/// The text so far.
#[derive(Debug)]
pub(in crate::report) struct Page {
    text: String,
    limit: usize,
    cut: BTreeMap<&'static str, usize>,
}

/// A part that is folded: a title, perhaps the head of a table, rows.
#[derive(Debug)]
pub(in crate::report) struct Details {
    title: String,
    head: &'static str,
    rows: Vec<String>,
}

impl Details {
    pub(in crate::report) fn new(title: String) -> Self {
        Self {
            title,
            head: "",
            rows: Vec::new(),
        }
    }

    pub(in crate::report) fn with_head(mut self, head: &'static str) -> Self {
        self.head = head;
        self
    }

    pub(in crate::report) fn row(&mut self, row: &str) {
        self.rows.push(row.to_owned());
    }
}

impl Page {
    /// An empty text of at most `limit` bytes.
    pub(in crate::report) fn new(limit: usize) -> Self {
        Self {
            text: String::new(),
            limit,
            cut: BTreeMap::new(),
        }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.text.len() + bytes + RESERVED <= self.limit
    }

    /// Appends a line.
    pub(in crate::report) fn line(&mut self, line: &str) {
        if self.fits(line.len() + 1) {
            self.text.push_str(line);
            self.text.push('\n');
        } else {
            *self.cut.entry("line").or_default() += 1;
        }
    }

    /// Appends a folded part as far as it fits; `what` is what its rows are called when they are counted.
    pub(in crate::report) fn fold(&mut self, details: Details, what: &'static str) {
        let Details { title, head, rows } = details;
        let mut opening = format!("<details><summary>{title}</summary>\n\n");
        if !head.is_empty() {
            opening.push_str(head);
            opening.push('\n');
        }
        let first = rows.first().map_or(0, |row| row.len() + 1);
        if !self.fits(opening.len() + first + CLOSING.len()) {
            *self.cut.entry(what).or_default() += rows.len();
            return;
        }
        self.text.push_str(&opening);
        let mut cut = 0;
        for row in &rows {
            if cut == 0 && self.fits(row.len() + 1 + CLOSING.len()) {
                self.text.push_str(row);
                self.text.push('\n');
            } else {
                cut += 1;
            }
        }
        self.text.push_str(CLOSING);
        if cut > 0 {
            *self.cut.entry(what).or_default() += cut;
        }
    }

    /// The text, with a count of what was cut.
    pub(in crate::report) fn finish(mut self) -> String {
        if !self.cut.is_empty() {
            let parts = self.cut.iter().map(|(what, number)| count(*number, what));
            let parts: Vec<String> = parts.collect();
            self.text.push_str(&format!(
                "Cut to stay below {} bytes: {}. `--report text` and `--report json` have everything.\n",
                self.limit,
                parts.join(", ")
            ));
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_every_fold_is_closed() {
        let mut page = Page::new(900);
        page.line("start");
        for part in 0..4 {
            let mut details = Details::new(format!("part {part}"));
            (0..20).for_each(|row| details.row(&format!("- row {row:010}")));
            page.fold(details, "row");
        }
        let text = page.finish();
        assert!(text.len() <= 900, "{}", text.len());
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
        let shown = text.matches("- row").count();
        assert!(text.contains(&format!("{} rows", 80 - shown)), "{text}");
    }
}
