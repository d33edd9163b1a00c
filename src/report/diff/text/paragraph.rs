//! Painted text in lines that fit a terminal.

use crate::report::style::{Paint, Style};

/// Width of a terminal, in characters.
pub(super) const WIDTH: usize = 80;

/// Text in the making, each character with its paint.
#[derive(Clone, Debug, Default)]
pub(super) struct Paragraph {
    chars: Vec<(char, Option<Paint>)>,
}

impl Paragraph {
    pub(super) fn plain(mut self, text: &str) -> Self {
        self.chars.extend(text.chars().map(|c| (c, None)));
        self
    }

    pub(super) fn painted(mut self, text: &str, paint: Paint) -> Self {
        self.chars.extend(text.chars().map(|c| (c, Some(paint))));
        self
    }

    /// Number of characters.
    pub(super) fn len(&self) -> usize {
        self.chars.len()
    }

    /// Writes it as one line.
    pub(super) fn write(&self, out: &mut String, style: Style) {
        line(out, 0, &self.chars, style);
    }

    /// Writes it in lines of at most [`WIDTH`] characters, broken at spaces, all but the first indented. A word
    /// that is longer stands alone.
    pub(super) fn wrap(&self, out: &mut String, indent: usize, style: Style) {
        let start = self.chars.iter().take_while(|(c, _)| *c == ' ').count();
        let (mut rest, mut margin, mut skip) = (self.chars.as_slice(), 0, start);
        loop {
            let room = WIDTH - margin.min(WIDTH);
            if rest.len() <= room {
                return line(out, margin, rest, style);
            }
            let space = |at: &usize| rest[*at].0 == ' ';
            let end = (skip..=room).rev().find(space);
            let Some(end) = end.or_else(|| (room..rest.len()).find(space)) else {
                return line(out, margin, rest, style);
            };
            line(out, margin, &rest[..end], style);
            let spaces = rest[end..].iter().take_while(|(c, _)| *c == ' ').count();
            (rest, margin, skip) = (&rest[end + spaces..], indent, 0);
        }
    }
}

fn line(out: &mut String, margin: usize, chars: &[(char, Option<Paint>)], style: Style) {
    out.extend(std::iter::repeat_n(' ', margin));
    let blank = |(c, paint): &&(char, Option<Paint>)| *c == ' ' && paint.is_none();
    let end = chars.len() - chars.iter().rev().take_while(blank).count();
    for run in chars[..end].chunk_by(|(_, a), (_, b)| a == b) {
        let text = run.iter().map(|(c, _)| *c);
        match run.first().and_then(|(_, paint)| *paint) {
            Some(paint) if style.colour => {
                out.push_str(&format!("\u{1b}[{}m", paint.code()));
                out.extend(text);
                out.push_str("\u{1b}[0m");
            }
            _ => out.extend(text),
        }
    }
    out.push('\n');
}

/// Text of others on a terminal: control characters would act there.
pub(super) fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(paragraph: &Paragraph, colour: bool) -> Vec<String> {
        let mut out = String::new();
        paragraph.wrap(&mut out, 4, Style { colour, all: false });
        out.lines().map(str::to_owned).collect()
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
}
