//! A page: a report before any markup. Nothing in it is escaped; the printer does that.

/// The whole page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    blocks: Vec<Block>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading; the title of the page has level 2, since comments are parts of other pages.
    Heading { level: usize, text: Line },
    /// One or several sentences.
    Paragraph(Line),
    /// A list.
    List(List),
    /// A table.
    Table(Table),
    /// Details, folded.
    Fold(Fold),
}

/// Text in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<Span>,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// A sentence or a part of one, with `code` between backticks.
    Text(String),
    /// A name, a command or a value.
    Code(String),
    /// An important part.
    Strong(Line),
    /// A remark.
    Emphasis(Line),
}

/// Items, perhaps with items below them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub(super) items: Vec<Item>,
    /// A remark below the list.
    pub(super) note: Option<Line>,
}

/// An item of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    pub(super) text: Line,
    /// Further lines of it.
    pub(super) more: Vec<Line>,
    /// The items below it.
    pub(super) items: Vec<Item>,
}

/// Rows below a head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<Line>>,
}

/// Details, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    pub(super) title: Line,
    /// Name of a row, for counting those that are left out.
    pub(super) row: &'static str,
    pub(super) rows: Rows,
}

/// The content of a fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// A list.
    List(List),
    /// A table.
    Table(Table),
}

impl Page {
    /// Returns the parts, in order.
    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Adds the title.
    pub fn title(&mut self, text: Line) {
        self.blocks.push(Block::Heading { level: 2, text });
    }

    /// Adds the heading of a section.
    pub fn section(&mut self, text: &str) {
        let text = Line::text(text);
        self.blocks.push(Block::Heading { level: 3, text });
    }

    /// Adds a paragraph.
    pub fn paragraph(&mut self, text: Line) {
        self.blocks.push(Block::Paragraph(text));
    }

    /// Adds a list, unless it is empty.
    pub fn list(&mut self, list: List) {
        if !list.items.is_empty() {
            self.blocks.push(Block::List(list));
        }
    }

    /// Adds a table, unless it is empty.
    pub fn table(&mut self, table: Table) {
        if !table.rows.is_empty() {
            self.blocks.push(Block::Table(table));
        }
    }

    /// Adds a folded list; `row` is the name of a line, for counting those that are left out.
    pub fn fold_list(&mut self, title: Line, row: &'static str, list: List) {
        let rows = Rows::List(list);
        self.blocks.push(Block::Fold(Fold { title, row, rows }));
    }

    /// Adds a folded table; `row` is the name of a row, for counting those that are left out.
    pub fn fold_table(&mut self, title: Line, row: &'static str, table: Table) {
        let rows = Rows::Table(table);
        self.blocks.push(Block::Fold(Fold { title, row, rows }));
    }
}

impl Line {
    /// Creates a line that begins with text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::default().and(text)
    }

    /// Creates a line that begins with a name, a command or a value.
    #[must_use]
    pub fn code(text: impl Into<String>) -> Self {
        Self::default().and_code(text)
    }

    /// Creates a line that begins with an important part.
    #[must_use]
    pub fn strong(text: impl Into<String>) -> Self {
        Self::default().and_strong(text)
    }

    /// Appends text.
    #[must_use]
    pub fn and(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::Text(text.into()));
        self
    }

    /// Appends a name, a command or a value.
    #[must_use]
    pub fn and_code(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::Code(text.into()));
        self
    }

    /// Appends an important part.
    #[must_use]
    pub fn and_strong(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::Strong(Self::text(text)));
        self
    }

    /// Appends a remark.
    #[must_use]
    pub fn and_emphasis(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::Emphasis(Self::text(text)));
        self
    }

    /// Appends another line.
    #[must_use]
    pub fn and_line(mut self, line: Line) -> Self {
        self.spans.extend(line.spans);
        self
    }

    /// Joins lines, with text between them.
    #[must_use]
    pub fn joined(lines: impl IntoIterator<Item = Line>, between: &str) -> Self {
        let mut all = Self::default();
        for (at, line) in lines.into_iter().enumerate() {
            if at > 0 {
                all = all.and(between);
            }
            all = all.and_line(line);
        }
        all
    }

    /// Returns the pieces, in order.
    pub(super) fn spans(&self) -> &[Span] {
        &self.spans
    }
}

impl List {
    /// Adds an item.
    pub fn item(&mut self, item: Item) {
        self.items.push(item);
    }

    /// Sets the remark below the list.
    pub fn note(&mut self, note: Line) {
        self.note = Some(note);
    }
}

impl FromIterator<Line> for List {
    fn from_iter<Lines: IntoIterator<Item = Line>>(lines: Lines) -> Self {
        let items = lines.into_iter().map(Item::from).collect();
        Self { items, note: None }
    }
}

impl From<Line> for Item {
    fn from(text: Line) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }
}

impl Item {
    /// Adds a further line of the item.
    pub fn line(&mut self, line: Line) {
        self.more.push(line);
    }

    /// Adds an item below it.
    pub fn item(&mut self, text: Line) {
        self.items.push(text.into());
    }

    /// Adds an item below it that may have items of its own.
    pub fn nest(&mut self, item: Item) {
        self.items.push(item);
    }
}

impl Table {
    /// Creates a table without rows.
    #[must_use]
    pub fn new(head: &'static [&'static str]) -> Self {
        Self {
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl Into<Vec<Line>>) {
        self.rows.push(cells.into());
    }
}
