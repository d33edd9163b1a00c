//! The value of a key inside of a text, and where it ends.

use std::ops::Range;

use super::{ATTACHED, COMMANDS, PAIR_LINES, REACH, Scan, Under};
use crate::secret::form;
use crate::secret::key::{self, Meaning};

/// Keys whose text says what the value beside them is.
pub(in crate::secret) const NAMES: &[&str] = &[
    "field",
    "header",
    "key",
    "name",
    "option",
    "param",
    "parameter",
    "property",
    "setting",
    "var",
    "variable",
];

/// Keys of such a value.
pub(in crate::secret) const VALUES: &[&str] = &[
    "content", "data", "default", "string", "text", "val", "value", "values",
];

/// How far a word is looked at behind a character that may end it.
const TAIL: usize = 256;

impl Scan<'_> {
    /// Returns the value after `key:` or `key=`, if it is a secret.
    pub(super) fn assign(&mut self, at: usize) -> Option<Range<usize>> {
        let bytes = self.bytes();
        let mut separator = at;
        let mut after = at + 1;
        match (bytes[at], bytes.get(at + 1)) {
            (b':', Some(b'/')) if bytes.get(at + 2) == Some(&b'/') => return None,
            (b':', Some(b'=' | b':')) | (b'=', Some(b'=' | b'~')) => return None,
            (b'=', Some(b'>')) => after += 1,
            _ => {}
        }
        if at > self.line.start {
            match (bytes[at - 1], bytes[at]) {
                (b'=' | b'!' | b'<' | b'>', b'=') | (b':', b':') => return None,
                (b':' | b'+' | b'?', b'=') => separator -= 1,
                _ => {}
            }
        }
        let (start, key, meaning) = self.key(separator);
        match meaning {
            Meaning::Secret => self.value(start, at, after),
            Meaning::Login => self.authorization(start, after),
            Meaning::Reference | Meaning::Plain => {
                let is = |words: &[&str]| words.iter().any(|word| key.eq_ignore_ascii_case(word));
                match key.len() {
                    // The shortest and the longest of both lists.
                    3..=9 if is(NAMES) => {
                        let named = self.region(start, after);
                        self.pair_name(named)
                    }
                    3..=9 if is(VALUES) => {
                        let value = self.region(start, after);
                        self.pair_value(value)
                    }
                    _ => None,
                }
            }
        }
    }

    /// Remembers a name that names a secret; returns the value that came before it.
    fn pair_name(&mut self, name: Range<usize>) -> Option<Range<usize>> {
        let secret = self.text.get(name).is_some_and(key::key_names_secret);
        let value = self.value.take();
        if !secret {
            self.pair = None;
            return None;
        }
        let near = value.filter(|(line, _)| line + PAIR_LINES >= self.line.number);
        if let Some((_, value)) = near {
            self.found.push(value);
            return None;
        }
        self.pair = Some(self.line.number);
        None
    }

    /// Returns the value that belongs to a name; remembers it if its name may follow.
    fn pair_value(&mut self, value: Range<usize>) -> Option<Range<usize>> {
        if !self.is_own(&value) {
            return None;
        }
        match self.pair.take() {
            Some(line) if line + PAIR_LINES >= self.line.number => Some(value),
            _ => {
                self.value = Some((self.line.number, value));
                None
            }
        }
    }

    fn is_own(&self, value: &Range<usize>) -> bool {
        let text = self.text.get(value.clone()).unwrap_or("");
        !form::is_template(text) && !form::cannot_be_secret(text)
    }

    /// Returns the value of a key that names a secret.
    fn value(&mut self, key: usize, at: usize, after: usize) -> Option<Range<usize>> {
        let region = self.region(key, after);
        let text = self.text.get(region.clone()).unwrap_or("");
        let block = text.starts_with(['|', '>']) && text.len() <= 4;
        if text.is_empty() || block {
            if key == self.line.head && self.bytes()[at] == b':' {
                self.under = Some(Under {
                    indent: self.line.indent - self.line.start,
                    block,
                });
            }
            return None;
        }
        // A sentence that ends in a colon goes on with a word.
        let sentence = self.line.comment && key != self.line.head && form::is_prose(text);
        (!sentence && self.is_own(&region)).then_some(region)
    }

    /// Returns the token after `authorization:` or `auth:`.
    fn authorization(&self, key: usize, after: usize) -> Option<Range<usize>> {
        let mut region = self.region(key, after);
        if key != self.line.head {
            // The scheme and its token are two words.
            let rest = self.text.get(region.clone()).unwrap_or("");
            if form::is_scheme(rest) {
                let token = self.token(region.end);
                return self.is_own(&token).then_some(token);
            }
        }
        let text = self.text.get(region.clone()).unwrap_or("");
        if !form::is_login(text) || form::is_template(text) {
            return None;
        }
        if let Some((scheme, token)) = text.split_once(' ') {
            region.start += scheme.len() + token.len() - token.trim_start().len() + 1;
            return self.is_own(&region).then_some(region);
        }
        Some(region)
    }

    /// Returns where the value of a key is. `key` is where the key starts.
    fn region(&self, key: usize, after: usize) -> Range<usize> {
        let bytes = self.bytes();
        let end = self.line.end;
        let blank = |at: usize| {
            bytes
                .get(at)
                .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
        };
        let mut start = after;
        while start < end && blank(start) {
            start += 1;
        }
        // `b"…"` and `r'…'`
        let letters = bytes[start..end]
            .iter()
            .take(2)
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let quote = |byte: Option<&u8>| {
            byte.copied()
                .filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))
        };
        if letters > 0 && quote(bytes.get(start + letters)).is_some() {
            start += letters;
        }
        if let Some(quote) = quote(bytes.get(start)) {
            return self.quoted(start + 1, quote);
        }
        if bytes.get(start) == Some(&b'\\')
            && let Some(quote) = quote(bytes.get(start + 1))
        {
            // `{\"password\": \"…\"}` inside of another text
            let inner = &self.text[start + 2..end];
            let close = inner.find(['\\', char::from(quote)]).unwrap_or(inner.len());
            return start + 2..start + 2 + close;
        }
        if key == self.line.head {
            let line = self.text[start..end].trim_end();
            let mut end = chained(line).unwrap_or(line.len());
            // `KEY=value command --flag=x`
            if after == start && bytes.get(start + end) == Some(&b' ') {
                end = line.find(' ').unwrap_or(end);
            }
            return start..start + end;
        }
        self.token(start)
    }

    /// Returns what is up to the closing quote, on a later line, too.
    fn quoted(&self, start: usize, quote: u8) -> Range<usize> {
        let bytes = self.bytes();
        // `''…''` inside of a quoted text of YAML
        let doubled = bytes.get(start) == Some(&quote)
            && bytes.get(start + 1).is_some_and(u8::is_ascii_alphanumeric);
        let start = start + usize::from(doubled);
        let most = bytes.len().min(start + REACH);
        let mut at = start;
        while at < most {
            match bytes[at] {
                b'\\' if quote != b'\'' => at += 1,
                byte if byte == quote => return start..at,
                _ => {}
            }
            at += 1;
        }
        start..self.line.end
    }

    /// Returns the word of a command line, an address or a connection string at a place.
    fn token(&self, at: usize) -> Range<usize> {
        let rest = &self.text[at..self.line.end];
        let blank = rest.len() - rest.trim_start().len();
        let start = at + blank;
        let rest = rest.trim_start();
        let ends = |c: char| {
            matches!(
                c,
                '"' | '\'' | '`' | '&' | ';' | ',' | ')' | '}' | ']' | '|' | '<' | '>'
            )
        };
        let end = rest
            .find(|c: char| c.is_whitespace() || ends(c))
            .unwrap_or(rest.len());
        let mut near = rest.len().min(end + TAIL);
        while !rest.is_char_boundary(near) {
            near -= 1;
        }
        let word = rest[..near].split(char::is_whitespace).next().unwrap_or("");
        if end >= word.len() {
            return start..start + end;
        }
        let tail = &word[end..];
        let more = word
            .as_bytes()
            .get(end)
            .is_some_and(|byte| !matches!(byte, b'"' | b'\'' | b'`' | b'<'))
            && !tail.chars().any(|c| matches!(c, '=' | ':' | '"' | '\''));
        let end = match more {
            true => word
                .trim_end_matches([')', '}', ']', ',', ';'])
                .len()
                .max(end),
            false => end,
        };
        start..start + end
    }

    /// Returns the secret after a word and a blank: a flag, a scheme, a key of a configuration file, SQL.
    pub(super) fn before_blank(&mut self, start: usize, end: usize) -> Option<Range<usize>> {
        let word = self.text.get(start..end)?;
        match word.as_bytes() {
            [] => return None,
            [b'-', ..] => return self.flag(start, end),
            _ => {}
        }
        if form::is_scheme(word) {
            return self.scheme(end);
        }
        if word.eq_ignore_ascii_case("by") {
            let before = self.text[self.line.start..start].trim_end();
            let identified = before.len() >= 10
                && before.is_char_boundary(before.len() - 10)
                && before[before.len() - 10..].eq_ignore_ascii_case("identified");
            return identified.then(|| self.quoted_after(end)).flatten();
        }
        let creates = matches!(word, "add_user" | "change_password" | "authenticate_user");
        if creates {
            let name = self.token(end);
            let token = self.token(name.end);
            return (!token.is_empty() && self.is_own(&token)).then_some(token);
        }
        if key::meaning(word) != Meaning::Secret {
            return None;
        }
        if let Some(quoted) = self.quoted_after(end) {
            return Some(quoted);
        }
        let text = self.text;
        let line = text[end..self.line.end].trim();
        if line.starts_with(['=', ':']) {
            return None;
        }
        let token = self.token(end);
        let value = text.get(token.clone()).unwrap_or("");
        let told = key::is_compound(word) || self.several_lines || !form::is_prose(value);
        let of_line = start == self.line.head
            && told
            && !self.line.comment
            && !line.trim_end_matches(';').contains(char::is_whitespace);
        let is_secret = of_line || self.told().login;
        (is_secret && !value.is_empty() && self.is_own(&token)).then_some(token)
    }

    /// Returns the quoted text that comes next.
    fn quoted_after(&self, at: usize) -> Option<Range<usize>> {
        let rest = self.text[at..self.line.end].trim_start();
        let quote = rest
            .bytes()
            .next()
            .filter(|byte| matches!(byte, b'"' | b'\''))?;
        let part = self.quoted(self.line.end - rest.len() + 1, quote);
        (!part.is_empty() && part.end <= self.line.end && self.is_own(&part)).then_some(part)
    }

    /// Returns the token after `Basic` or `Bearer`.
    fn scheme(&self, at: usize) -> Option<Range<usize>> {
        let token = self.token(at);
        let text = self.text.get(token.clone()).unwrap_or("");
        let opaque = text.len() >= 6
            && !text.ends_with([':', '='])
            && text
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte == b'=')
            && !text.contains("://");
        // `token: x` was read before; a base64 of padding ends in `=`.
        let padded = text.ends_with('=') && text.len() >= 8;
        ((opaque || padded) && self.is_own(&token)).then_some(token)
    }

    /// Returns what follows a flag of a command.
    pub(super) fn flag(&mut self, start: usize, end: usize) -> Option<Range<usize>> {
        let text = self.text;
        let flag = &text[start..end];
        let name = flag.trim_start_matches('-');
        let secret = flag.len() > 2 && key::meaning(name) == Meaning::Secret;
        let login = matches!(flag, "-u" | "-U" | "--user" | "--proxy-user");
        if !secret && !login {
            if flag.len() > 2 && flag.starts_with("-p") {
                let attached = self
                    .told()
                    .commands
                    .iter()
                    .any(|command| ATTACHED.contains(command));
                let part = start + 2..end;
                return (attached && self.is_own(&part)).then_some(part);
            }
            let known = |command: &str| COMMANDS.contains(&(command, flag));
            if !COMMANDS.iter().any(|(_, of)| flag == *of)
                || !self.told().commands.iter().any(|c| known(c))
            {
                return None;
            }
        }
        let value = self.argument(end)?;
        let text = self.text.get(value.clone())?;
        if text.starts_with("--") || text == "\\" || text == "-" {
            return None;
        }
        if login {
            let (user, password) = text.split_once([':', '%'])?;
            let own = !user.is_empty()
                && !password.is_empty()
                && password.parse::<u32>().is_err()
                && !password.starts_with("//");
            let part = value.start + user.len() + 1..value.end;
            return (own && !form::is_template(password)).then_some(part);
        }
        self.is_own(&value).then_some(value)
    }

    /// Returns the argument after a flag, in a command line or a list of quoted texts.
    fn argument(&self, at: usize) -> Option<Range<usize>> {
        let rest = &self.text[at..self.line.end];
        let start = rest.find(|c: char| !matches!(c, ' ' | '\t' | '"' | '\'' | ','))?;
        let opened = rest[..start]
            .chars()
            .next_back()
            .filter(|c| matches!(c, '"' | '\''));
        // The quote that closes the flag opens nothing.
        let blank = rest[..start].contains([' ', ',']);
        match opened.filter(|_| blank) {
            Some(quote) => Some(self.quoted(at + start, quote as u8)),
            None if blank => Some(self.token(at + start)),
            None => None,
        }
    }

    /// Returns the text of `<password>…</password>`.
    pub(super) fn element(&mut self, at: usize) -> Option<Range<usize>> {
        let rest = &self.text[at + 1..self.line.end];
        let length = rest.bytes().take(64).position(|byte| byte == b'>')?;
        let name = rest.get(..length)?;
        let is = |words: &[&str]| words.contains(&name);
        let meaning = key::meaning(name);
        if meaning != Meaning::Secret && !is(NAMES) && !is(VALUES) {
            return None;
        }
        let start = at + 1 + length + 1;
        let content = &self.text[start..self.line.end];
        let end = content.find('<')?;
        let part = start..start + end;
        match meaning {
            Meaning::Secret => (!part.is_empty() && self.is_own(&part)).then_some(part),
            Meaning::Login | Meaning::Reference | Meaning::Plain if is(NAMES) => {
                self.pair_name(part)
            }
            Meaning::Login | Meaning::Reference | Meaning::Plain => self.pair_value(part),
        }
    }
}

/// Returns where a value ends before another `key=` of its line.
fn chained(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let ends = |byte: &u8| matches!(byte, b';' | b'&' | b',' | b' ');
    // Each end is looked at once, and the word behind it once.
    let mut at = 0;
    while let Some(length) = bytes[at..].iter().position(ends) {
        let end = at + length;
        let mut next = end + bytes[end..].iter().take_while(|byte| ends(byte)).count();
        next += bytes[next..]
            .iter()
            .take_while(|byte| **byte == b'-')
            .count();
        let word = bytes[next..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            .count();
        let stop = next + word;
        if word > 0
            && (bytes.get(stop) == Some(&b'=')
                || bytes.get(stop) == Some(&b':') && bytes.get(stop + 1) == Some(&b' '))
        {
            return Some(end);
        }
        at = stop.max(end + 1);
    }
    None
}
