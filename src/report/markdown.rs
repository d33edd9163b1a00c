//! Pages as Markdown, for comments on a change: escaped, details folded, below a given size. Parts that do not fit are
//! left out and counted.

mod escape;

use std::collections::BTreeMap;

use crate::printable::Printable;
use crate::printable::escape::without_commands;

use super::digest::count;
use super::page::{Block, Fold, Item, Line, List, Page, Rows, Span, Table};
use escape::{code, html, prose};

/// Default size limit, in bytes: GitHub allows 65,536 characters.
pub const DEFAULT_LIMIT: usize = 60_000;
/// Smallest size limit, in bytes: the summary needs as much.
pub const MIN_LIMIT: usize = 4_000;

/// Bytes reserved for the sentence about what was cut.
const RESERVED: usize = 400;
/// The end of a folded part.
const CLOSING: &str = "\n</details>\n\n";

/// Prints the page in at most `limit` bytes; its last line counts what was cut.
#[must_use]
pub fn print(page: &Page, limit: usize) -> Printable {
    let mut printer = Printer {
        text: String::new(),
        limit,
        cut: BTreeMap::new(),
    };
    for block in page.blocks() {
        printer.block(block);
    }
    printer.finish()
}

/// The text so far.
#[derive(Debug)]
struct Printer {
    text: String,
    limit: usize,
    cut: BTreeMap<&'static str, usize>,
}

impl Printer {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, text } => {
                self.line(&format!("{} {}\n", "#".repeat(*level), inline(text)));
            }
            Block::Paragraph(text) => {
                self.line(&format!("{}\n", without_commands(&inline(text))));
            }
            Block::List(list) => {
                list_rows(list).iter().for_each(|row| self.line(row));
                self.line("");
            }
            Block::Table(table) => {
                self.line(&head(table));
                table_rows(table).iter().for_each(|row| self.line(row));
                self.line("");
            }
            Block::Fold(fold) => self.fold(fold),
        }
    }

    fn fits(&self, bytes: usize) -> bool {
        self.text.len() + bytes + RESERVED <= self.limit
    }

    /// Appends a line.
    fn line(&mut self, line: &str) {
        if self.fits(line.len() + 1) {
            self.text.push_str(line);
            self.text.push('\n');
        } else {
            *self.cut.entry("line").or_default() += 1;
        }
    }

    /// Appends a folded part as far as it fits.
    fn fold(&mut self, fold: &Fold) {
        let Fold { title, row, rows } = fold;
        let mut opening = format!("<details><summary>{}</summary>\n\n", summary(title));
        let rows = match rows {
            Rows::List(list) => list_rows(list),
            Rows::Table(table) => {
                opening.push_str(&head(table));
                opening.push('\n');
                table_rows(table)
            }
        };
        let first = rows.first().map_or(0, |row| row.len() + 1);
        if !self.fits(opening.len() + first + CLOSING.len()) {
            *self.cut.entry(row).or_default() += rows.len();
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
            *self.cut.entry(row).or_default() += cut;
        }
    }

    /// Returns the text, with a count of what was cut.
    fn finish(mut self) -> Printable {
        if !self.cut.is_empty() {
            let parts = self.cut.iter().map(|(what, number)| count(*number, what));
            let parts: Vec<String> = parts.collect();
            self.text.push_str(&format!(
                "Left out to stay below {} bytes: {}. `--report text` and `--report json` have everything.\n",
                self.limit,
                parts.join(", ")
            ));
        }
        Printable::lines_of(&self.text)
    }
}

/// The lines of a list.
fn list_rows(list: &List) -> Vec<String> {
    let List { items, note } = list;
    let mut rows = Vec::new();
    for item in items {
        item_rows(item, 0, &mut rows);
    }
    rows.extend(
        note.as_ref()
            .map(|note| format!("\n{}", without_commands(&inline(note)))),
    );
    rows
}

fn item_rows(item: &Item, depth: usize, rows: &mut Vec<String>) {
    let Item { text, more, items } = item;
    let indent = "  ".repeat(depth);
    rows.push(format!("{indent}- {}", inline(text)));
    rows.extend(
        more.iter()
            .map(|line| format!("{indent}  {}", without_commands(&inline(line)))),
    );
    for item in items {
        item_rows(item, depth + 1, rows);
    }
}

/// The head of a table and the line below it.
fn head(table: &Table) -> String {
    let names = table.head.iter().map(|name| match *name {
        "" => " |".to_owned(),
        name => format!(" {name} |"),
    });
    format!(
        "|{}\n|{}",
        names.collect::<String>(),
        "---|".repeat(table.head.len())
    )
}

fn table_rows(table: &Table) -> Vec<String> {
    let rows = table.rows.iter().map(|cells| {
        let cells: Vec<String> = cells.iter().map(inline).collect();
        format!("| {} |", cells.join(" | "))
    });
    rows.collect()
}

/// A line as Markdown.
fn inline(line: &Line) -> String {
    let spans = line.spans().iter().map(|span| match span {
        Span::Text(text) => prose(text),
        Span::Code(text) => code(text),
        Span::Strong(line) => format!("**{}**", inline(line)),
        Span::Emphasis(line) => format!("*{}*", inline(line)),
    });
    spans.collect()
}

/// A line as HTML: forges show no Markdown in the summary of a fold.
fn summary(line: &Line) -> String {
    let spans = line.spans().iter().map(|span| match span {
        Span::Text(text) => html(text),
        Span::Code(text) => format!("<code>{}</code>", html(text)),
        Span::Strong(line) => format!("<b>{}</b>", summary(line)),
        Span::Emphasis(line) => format!("<i>{}</i>", summary(line)),
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_and_every_fold_is_closed() {
        let mut page = Page::default();
        page.paragraph(Line::text("start"));
        for part in 0..4 {
            let rows = (0..20).map(|row| Line::text(format!("row {row:010}")));
            page.fold_list(Line::text(format!("part {part}")), "row", rows.collect());
        }
        let text = print(&page, 900);
        let text = text.as_str();
        assert!(text.len() <= 900, "{}", text.len());
        assert_eq!(
            text.matches("<details>").count(),
            text.matches("</details>").count()
        );
        let shown = text.matches("- row").count();
        assert!(text.contains(&format!("{} rows", 80 - shown)), "{text}");
    }

    #[test]
    fn every_part_has_its_markup_and_foreign_text_none() {
        let mut page = Page::default();
        page.title(Line::text("site ").and_code("a`b"));
        page.section("Look");
        page.paragraph(Line::strong("1 <b>").and(" of *2*"));
        let mut table = Table::new(&["", "what"]);
        table.row([Line::code("x|y"), Line::text("a|b")]);
        page.table(table);
        let mut item = Item::from(Line::text("one"));
        item.line(Line::text("more"));
        item.item(Line::text("below"));
        let mut list = List::default();
        list.item(item);
        list.note(Line::default().and_emphasis("note"));
        page.fold_list(Line::code("c_d").and(": <e>"), "line", list);
        page.list(List::default());
        assert_eq!(
            print(&page, DEFAULT_LIMIT).as_str(),
            "## site `a'b`\n\n### Look\n\n**1 &lt;b&gt;** of \\*2\\*\n\n\
             | | what |\n|---|---|\n| `x\\|y` | a\\|b |\n\n\
             <details><summary><code>c_d</code>: &lt;e&gt;</summary>\n\n\
             - one\n  more\n  - below\n\n*note*\n\n</details>\n\n"
        );
    }
}
