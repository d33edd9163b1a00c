//! Coloured text in lines that fit a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Printable;
use super::escape;
use super::style::{Paint, Style};

/// A text in one line, each character with its colour. Whatever is put into it is harmless afterwards.
#[derive(Clone, Debug, Default)]
pub struct Paragraph {
    chars: Vec<(char, Option<Paint>)>,
}

impl Paragraph {
    /// Appends text without a colour.
    #[must_use]
    pub fn plain(self, text: &str) -> Self {
        self.with(text, None)
    }

    /// Appends text in a colour.
    #[must_use]
    pub fn painted(self, text: &str, paint: Paint) -> Self {
        self.with(text, Some(paint))
    }

    fn with(mut self, text: &str, paint: Option<Paint>) -> Self {
        let text = escape::fold(text);
        self.chars.extend(text.chars().map(|c| (c, paint)));
        self
    }

    /// Appends another paragraph.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.chars.extend(other.chars);
        self
    }

    /// Cuts it to so many columns; `…` marks the cut.
    #[must_use]
    pub fn cut(mut self, room: usize) -> Self {
        self.chars = without_commands(&self.chars);
        if self.columns() <= room {
            return self;
        }
        let kept = fitting(&self.chars, room.saturating_sub(1));
        self.chars.truncate(kept);
        if room > 0 {
            let paint = self.chars.last().and_then(|(_, paint)| *paint);
            self.chars.push(('…', paint));
        }
        self
    }

    /// Returns the number of columns.
    pub(crate) fn columns(&self) -> usize {
        columns(&self.chars)
    }

    /// Writes it as one line.
    pub fn write(&self, out: &mut Printable, style: Style) {
        line(out, 0, &self.chars, style);
    }

    /// Writes it as one line; on a terminal, as several if it does not fit.
    pub fn fit(&self, out: &mut Printable, indent: usize, style: Style) {
        match style.width {
            Some(_) => self.wrap(out, indent, style),
            None => self.write(out, style),
        }
    }

    /// Writes it in lines of at most the columns of the style, broken at spaces, all but the first indented. A longer word
    /// gets a line of its own.
    pub fn wrap(&self, out: &mut Printable, indent: usize, style: Style) {
        let width = style.columns();
        let start = self.chars.iter().take_while(|(c, _)| *c == ' ').count();
        let (mut rest, mut margin, mut skip) = (self.chars.as_slice(), 0, start);
        loop {
            let room = width - margin.min(width);
            let fitting = fitting(rest, room);
            if fitting == rest.len() {
                return line(out, margin, rest, style);
            }
            let space = |at: &usize| rest[*at].0 == ' ';
            let end = (skip..=fitting).rev().find(space);
            let Some(end) = end.or_else(|| (fitting..rest.len()).find(space)) else {
                return line(out, margin, rest, style);
            };
            line(out, margin, &rest[..end], style);
            let spaces = rest[end..].iter().take_while(|(c, _)| *c == ' ').count();
            (rest, margin, skip) = (&rest[end + spaces..], indent, 0);
        }
    }
}

/// Returns the columns that a terminal needs for a character.
fn width(letter: char) -> usize {
    letter.width().unwrap_or_default()
}

/// Returns the columns that a terminal needs for a text as it is shown.
pub(crate) fn text_columns(text: &str) -> usize {
    escape::fold(text).width()
}

/// Appends spaces to a text, up to so many columns.
pub(crate) fn padded(text: &str, room: usize) -> String {
    let missing = room.saturating_sub(text_columns(text));
    format!("{text}{}", " ".repeat(missing))
}

fn columns(chars: &[(char, Option<Paint>)]) -> usize {
    chars.iter().map(|(letter, _)| width(*letter)).sum()
}

/// Returns how many characters fit into so many columns.
fn fitting(chars: &[(char, Option<Paint>)], room: usize) -> usize {
    let mut taken = 0;
    let fitting = chars.iter().take_while(|(letter, _)| {
        taken += width(*letter);
        taken <= room
    });
    fitting.count()
}

fn line(out: &mut Printable, margin: usize, chars: &[(char, Option<Paint>)], style: Style) {
    let Printable(out) = out;
    out.extend(std::iter::repeat_n(' ', margin));
    let blank = |(c, paint): &&(char, Option<Paint>)| *c == ' ' && paint.is_none();
    let end = chars.len() - chars.iter().rev().take_while(blank).count();
    let chars = without_commands(&chars[..end]);
    for run in chars.chunk_by(|(_, a), (_, b)| a == b) {
        let text = run.iter().map(|(c, _)| *c);
        match run.first().and_then(|(_, paint)| *paint) {
            Some(paint) if style.colour => {
                let style = paint.style();
                out.push_str(&style.render().to_string());
                out.extend(text);
                out.push_str(&style.render_reset().to_string());
            }
            Some(_) | None => out.extend(text),
        }
    }
    out.push('\n');
}

/// Returns a line in which no CI system finds a command, whatever its colours.
fn without_commands(line: &[(char, Option<Paint>)]) -> Vec<(char, Option<Paint>)> {
    let text: String = line.iter().map(|(c, _)| *c).collect();
    let markers = escape::markers(&text);
    let mut out = Vec::with_capacity(line.len());
    for ((at, _), (c, paint)) in text.char_indices().zip(line) {
        if markers.contains(&at) {
            out.extend(c.escape_unicode().map(|c| (c, *paint)));
        } else {
            out.push((*c, *paint));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 80;

    fn wrapped(paragraph: &Paragraph, colour: bool) -> Vec<String> {
        let mut out = Printable::default();
        let style = Style {
            colour,
            ..Style::default()
        };
        paragraph.wrap(&mut out, 4, style);
        out.as_str().lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_fit_a_terminal() {
        let word = "abcdefgh ".repeat(40);
        let lines = wrapped(&Paragraph::default().plain("  ").plain(word.trim()), false);
        assert!(lines.iter().all(|line| line.len() <= WIDTH), "{lines:?}");
        assert!(lines[0].starts_with("  abc") && lines[1].starts_with("    abc"));
        let joined: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .collect();
        assert_eq!(joined.len(), 40);
        // Exactly as wide as the terminal, and one more.
        for (length, lines) in [(WIDTH, 1), (WIDTH + 1, 2)] {
            let text = format!("{} b", "a".repeat(length - 2));
            assert_eq!(
                wrapped(&Paragraph::default().plain(&text), false).len(),
                lines
            );
        }
        let long = "x".repeat(2 * WIDTH);
        let text = format!("    a {long} b");
        let wanted = ["    a", &format!("    {long}"), "    b"];
        assert_eq!(wrapped(&Paragraph::default().plain(&text), false), wanted);
    }

    #[test]
    fn paint_takes_no_room_and_ends_with_its_line() {
        let text = "abcdefgh ".repeat(20);
        let lines = wrapped(
            &Paragraph::default().painted(text.trim(), Paint::Bold),
            true,
        );
        assert_eq!(lines.len(), 3);
        for line in lines {
            let line = line.trim_start();
            assert!(
                line.starts_with("\u{1b}[1mabc") && line.ends_with("\u{1b}[0m"),
                "{line}"
            );
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        let text = "港湾 ".repeat(20);
        let style = |width: usize| Style {
            width: Some(width),
            ..Style::default()
        };
        let lines = |width: usize| {
            let mut out = Printable::default();
            let paragraph = Paragraph::default().plain(text.trim());
            paragraph.fit(&mut out, 0, style(width));
            let lines = out.as_str().lines().map(text_columns);
            lines.collect::<Vec<usize>>()
        };
        assert_eq!(lines(50), [49, 49]);
        assert_eq!(lines(500), [99]);
        assert_eq!(lines(9), [39, 39, 19]);
        let cut = |room: usize| {
            let mut out = Printable::default();
            let text = Paragraph::default().plain("港湾港湾");
            text.cut(room).write(&mut out, Style::default());
            out.as_str().trim_end().to_owned()
        };
        let cuts = [8, 7, 6, 1, 0].map(cut);
        assert_eq!(cuts, ["港湾港湾", "港湾港…", "港湾…", "…", ""]);
        assert_eq!(padded("港", 4), "港  ");
    }
}
