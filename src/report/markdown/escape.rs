//! Escapes text for Markdown: it must not become markup, a mention or the edge of a table.

use crate::printable::escape::fold;

/// Returns a code span for one line of a table or list.
pub(super) fn code(text: &str) -> String {
    let text = fold(text).replace('`', "'");
    if text.trim().is_empty() {
        return String::new();
    }
    format!("`{}`", text.replace('|', "\\|"))
}

/// Escapes a sentence; its `code` stays code.
pub(super) fn prose(text: &str) -> String {
    let text = fold(text);
    let mut out = String::with_capacity(text.len());
    let balanced = text.matches('`').count().is_multiple_of(2);
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 && balanced {
            out.push_str(&code(part));
        } else {
            plain(part, &mut out);
        }
    }
    out
}

/// Escapes text for HTML content.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in fold(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            letter => out.push(letter),
        }
    }
    out
}

fn plain(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Forges turn these into mentions of people and of issues.
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            '|' | '*' | '_' | '[' | ']' | '\\' | '~' => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        assert_eq!(
            prose("a `b|c` <d> @e *f*"),
            "a `b\\|c` &lt;d&gt; &#64;e \\*f\\*"
        );
        assert_eq!(prose("one ` alone"), "one  alone");
        assert_eq!(code("a`b\nc"), "`a'b c`");
        assert_eq!(html("<a & b>"), "&lt;a &amp; b&gt;");
    }
}
