//! Finds the secret parts of a text: of a value, of a line of an error, of a script or a configuration file
//! inside of a value.
//!
//! The text is read once, line by line, so that the work grows with its length and with nothing else.

mod value;

pub(super) use value::{NAMES, VALUES};

use std::borrow::Cow;
use std::ops::Range;

use super::form;
use super::key::{self, Meaning};
use crate::value::REDACTED;

/// The farthest that the end of a quoted value is looked for on other lines.
const REACH: usize = 4096;

/// The farthest that a key is looked for before its separator.
const KEY_REACH: usize = 160;

/// The longest password that is looked for in an address.
const LONGEST_PASSWORD: usize = 1024;

/// The shortest text that has room for a key and a secret, or for a token.
const SHORTEST: usize = 5;

/// A word of this length may be a part of anything, where nothing could be parsed.
const LONG_WORD: usize = 60;

/// How many lines a `value:` may be away from its `name:`.
const PAIR_LINES: usize = 2;

/// Commands and their flags that are followed by a password.
pub(super) const COMMANDS: &[(&str, &str)] = &[
    ("cryptsetup", "-d"),
    ("docker", "-p"),
    ("helm", "-p"),
    ("ipmitool", "-P"),
    ("ldapadd", "-w"),
    ("ldapmodify", "-w"),
    ("ldapsearch", "-w"),
    ("mariadb", "-p"),
    ("mongo", "-p"),
    ("mongodump", "-p"),
    ("mongosh", "-p"),
    ("mysql", "-p"),
    ("mysqladmin", "-p"),
    ("mysqldump", "-p"),
    ("podman", "-p"),
    ("redis-cli", "-a"),
    ("snmpget", "-c"),
    ("snmpwalk", "-c"),
    ("sshpass", "-p"),
    ("useradd", "-p"),
    ("usermod", "-p"),
];

/// Commands whose `-p` needs no blank before the password.
const ATTACHED: &[&str] = &["mysql", "mysqladmin", "mysqldump", "mariadb", "sshpass"];

/// Hashes of passwords, `$6$salt$hash`.
pub(super) const HASHES: &[&str] = &[
    "1",
    "2a",
    "2b",
    "2y",
    "5",
    "6",
    "7",
    "apr1",
    "argon2d",
    "argon2i",
    "argon2id",
    "gy",
    "pbkdf2-sha256",
    "pbkdf2-sha512",
    "y",
];

/// Returns the secret parts of a text, in order and apart from each other.
#[must_use]
pub(crate) fn parts(text: &str) -> Vec<Range<usize>> {
    find(text, false)
}

/// Returns whether a part of a text is secret.
#[must_use]
pub(crate) fn text_looks_secret(text: &str) -> bool {
    !find(text, true).is_empty()
}

/// Returns a text that is safe to print: its secret parts are replaced.
#[must_use]
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let parts = parts(text);
    if parts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for part in parts {
        shown.push_str(&text[end..part.start]);
        shown.push_str(REDACTED);
        end = part.end;
    }
    shown.push_str(&text[end..]);
    Cow::Owned(shown)
}

/// Hides a line from its first secret part on.
///
/// This is for text that could not be parsed, where there are no leaves with a bit.
#[must_use]
pub(crate) fn mask_line(line: &str) -> String {
    let part = parts(line).first().map(|part| part.start);
    // A list or a mapping has no leaves here: it is hidden as a whole.
    let value = after_secret_key(line).and_then(|at| {
        let rest = line[at..].trim_start();
        (!rest.is_empty()).then(|| line.len() - rest.len())
    });
    if let Some(at) = part.into_iter().chain(value).chain(after_flag(line)).min() {
        return format!("{}{REDACTED}", &line[..at]);
    }
    let hidden = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        form::looks_random(bare) || bare.len() >= LONG_WORD && !bare.contains(['.', ':', '{'])
    };
    match line.split_whitespace().any(hidden) {
        true => REDACTED.to_owned(),
        false => line.to_owned(),
    }
}

/// Returns the offset of what follows an item of a list that announces a secret: nothing tells whose it is.
fn after_flag(line: &str) -> Option<usize> {
    let mut commas = line.match_indices(',');
    let (at, _) = commas.find(|&(at, _)| {
        let item = key_before(line, 0, at).1;
        let told = item.starts_with('-') || matches!(item, "requirepass" | "masterauth");
        told && announces_secret(item)
    })?;
    Some(line.len() - line[at + 1..].trim_start().len())
}

/// Returns whether an item of a list says that the next one is a secret: a flag, a word of a configuration.
#[must_use]
pub(crate) fn announces_secret(item: &str) -> bool {
    let item = item.trim_matches(['"', '\'', ',', ' ']);
    matches!(item, "-p" | "-P" | "-u" | "-U" | "--user" | "--proxy-user")
        || !item.contains([' ', '=', ':']) && key::key_names_secret(item.trim_start_matches('-'))
}

/// Returns whether a line of a mapping may hold the value of a pair whose name is on another line.
#[must_use]
pub(crate) fn may_be_pair_value(line: &str) -> bool {
    let Some((key, value)) = line.split_once(':') else {
        return false;
    };
    let key = key.trim_matches(['-', ' ', '"', '\'']);
    // `data` and `values` are in most documents.
    !value.trim().is_empty() && matches!(key, "content" | "default" | "string" | "val" | "value")
}

/// Returns the offset of what follows the first `key:` or `key=` of a line whose key names a secret.
#[must_use]
pub(crate) fn after_secret_key(line: &str) -> Option<usize> {
    line.match_indices([':', '='])
        .find(|&(at, _)| key::key_names_secret(key_before(line, 0, at).1))
        .map(|(at, _)| at + 1)
}

/// Returns whether a word of a comment names a secret or looks like one.
#[must_use]
pub(crate) fn comment_looks_secret(comment: &str) -> bool {
    text_looks_secret(comment) || comment.split_whitespace().any(key::key_names_secret)
}

fn find(text: &str, first_only: bool) -> Vec<Range<usize>> {
    if text.len() < SHORTEST {
        return Vec::new();
    }
    let plain = |byte: u8| CLASSES[usize::from(byte)] == Class::Plain;
    if text.bytes().all(plain) {
        // One word.
        let secret = form::is_known_token(text) || form::looks_random(text);
        return secret.then_some(0..text.len()).into_iter().collect();
    }
    let mut scan = Scan {
        text,
        first_only,
        found: Vec::new(),
        line: Line::default(),
        under: None,
        pair: None,
        value: None,
        several_lines: text.trim_end().contains('\n'),
        told: None,
    };
    scan.lines();
    scan.merged()
}

/// What a byte means for the scan.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A byte of a word.
    Plain,
    /// `:` or `=`
    Assign,
    /// `@`
    At,
    /// `$`
    Dollar,
    /// `{`
    Brace,
    /// `<`
    Element,
    /// `/`
    Slash,
    /// White space.
    Blank,
    /// Anything else that ends a word.
    Separator,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Plain; 256];
    let separators = b"\"'`,;()[]>|&?#!*\\}";
    let mut at = 0;
    while at < separators.len() {
        classes[separators[at] as usize] = Class::Separator;
        at += 1;
    }
    classes[b':' as usize] = Class::Assign;
    classes[b'=' as usize] = Class::Assign;
    classes[b'@' as usize] = Class::At;
    classes[b'$' as usize] = Class::Dollar;
    classes[b'{' as usize] = Class::Brace;
    classes[b'<' as usize] = Class::Element;
    classes[b'/' as usize] = Class::Slash;
    classes[b' ' as usize] = Class::Blank;
    classes[b'\t' as usize] = Class::Blank;
    classes[b'\r' as usize] = Class::Blank;
    classes[b'\n' as usize] = Class::Blank;
    classes
}

/// The line that is read.
#[derive(Clone, Copy, Default)]
struct Line {
    number: usize,
    start: usize,
    end: usize,
    /// Its first byte that is not blank.
    indent: usize,
    /// Where its key would start: after a mark of a list or a comment, after `export`.
    head: usize,
    comment: bool,
    colons: usize,
}

/// A key whose value is on the lines below it.
#[derive(Clone, Copy)]
struct Under {
    indent: usize,
    /// The lines are one text: `password: |`.
    block: bool,
}

/// The word around the current byte.
#[derive(Clone, Copy, Default)]
struct Word {
    start: usize,
    /// The start of the word in an address: `=`, `,` and the like do not end it.
    authority: usize,
    /// After `://`.
    scheme: Option<usize>,
    /// The first `:` of a login.
    colon: Option<usize>,
    /// The first `/` after it.
    slash: bool,
    /// An `@` was after the login.
    logged: bool,
}

struct Scan<'t> {
    text: &'t str,
    first_only: bool,
    found: Vec<Range<usize>>,
    line: Line,
    under: Option<Under>,
    /// The line of the last `name:` that names a secret.
    pair: Option<usize>,
    /// The last `value:`, whose name may follow.
    value: Option<(usize, Range<usize>)>,
    several_lines: bool,
    /// What the words of the line say, once it was asked.
    told: Option<(usize, Told)>,
}

/// What the words of a line say about flags and keys in it.
#[derive(Clone, Default)]
struct Told {
    /// The commands of [`COMMANDS`] in it.
    commands: Vec<&'static str>,
    /// Whether `login` is in it, as in a line of `.netrc`.
    login: bool,
}

impl<'t> Scan<'t> {
    fn lines(&mut self) {
        let mut start = 0;
        let mut number = 0;
        while start < self.text.len() {
            let end = match self.text[start..].find('\n') {
                Some(length) => start + length,
                None => self.text.len(),
            };
            self.line = Line {
                number,
                start,
                end,
                ..Line::default()
            };
            self.find_head();
            let next = match self.belongs_to_key() {
                true => end,
                false => self.words(),
            };
            if self.first_only && !self.found.is_empty() {
                return;
            }
            // A quoted value may end on a later line.
            start = if next > end { next } else { end + 1 };
            number += 1;
        }
    }

    /// Returns what the words of the line say. They are read once, however often it is asked.
    fn told(&mut self) -> &Told {
        let Line {
            number, start, end, ..
        } = self.line;
        if self.told.as_ref().is_none_or(|(line, _)| *line != number) {
            let mut told = Told::default();
            let ends = |c: char| {
                c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '(' | '`' | ',' | '[')
            };
            for word in self.text[start..end].split(ends) {
                told.login |= word == "login";
                let command = COMMANDS.iter().find(|(command, _)| *command == word);
                if let Some((command, _)) = command
                    && !told.commands.contains(command)
                {
                    told.commands.push(command);
                }
            }
            self.told = Some((number, told));
        }
        &self.told.get_or_insert_default().1
    }

    fn merged(mut self) -> Vec<Range<usize>> {
        self.found.retain(|part| !part.is_empty());
        self.found.sort_by_key(|part| part.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(self.found.len());
        for part in self.found {
            match merged.last_mut() {
                Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
                _ => merged.push(part),
            }
        }
        merged
    }

    fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// Finds where the line's key would start.
    fn find_head(&mut self) {
        let line = &self.text[self.line.start..self.line.end];
        let mut rest = line.trim_start();
        self.line.indent = self.line.end - rest.len();
        let comment = ["#", "//", ";"]
            .iter()
            .find_map(|mark| rest.strip_prefix(mark));
        if let Some(after) = comment {
            self.line.comment = true;
            rest = after.trim_start_matches(['#', '/', ';', ' ', '\t']);
        }
        while let Some(after) = rest.strip_prefix("- ") {
            rest = after.trim_start();
        }
        for word in ["export ", "ENV ", "set ", "setenv ", "env ", "+ "] {
            if let Some(after) = rest.strip_prefix(word) {
                rest = after.trim_start();
            }
        }
        let quotes = rest.len() - rest.trim_start_matches(['"', '\'', '$', '_', '/']).len();
        self.line.head = self.line.end - rest.len() + quotes;
    }

    /// Hides a line that is the value of a key above it.
    fn belongs_to_key(&mut self) -> bool {
        let Some(under) = self.under else {
            return false;
        };
        let Line {
            end, indent, start, ..
        } = self.line;
        if indent == end {
            return true;
        }
        let column = indent - start;
        let item = self.text[indent..end].starts_with("- ");
        if column < under.indent || column == under.indent && (under.block || !item) {
            self.under = None;
            return false;
        }
        let line = self.text[indent..end].trim_end();
        if under.block {
            self.found.push(indent..indent + line.len());
            return true;
        }
        let content = line.trim_start_matches(['-', ' ']);
        let at = indent + line.len() - content.len();
        let (about, value) = match content.split_once(": ") {
            Some((key, value)) => (key::is_about(key), value.trim()),
            None => (content.ends_with(':'), content),
        };
        let bare = value.trim_matches(['"', '\'']);
        let number = value.len() < content.len() && bare.parse::<f64>().is_ok();
        if about || number || form::cannot_be_secret(bare) || form::is_template(bare) {
            return false;
        }
        let start = at + content.len() - value.len();
        self.found.push(start..at + content.len());
        true
    }

    /// Reads the words of the line; returns where the next line may start, if a secret goes past this one.
    fn words(&mut self) -> usize {
        let bytes = self.bytes();
        let start = self.line.start;
        let mut word = Word {
            start,
            authority: start,
            ..Word::default()
        };
        let mut at = start;
        while at < self.line.end {
            let byte = bytes[at];
            let hidden = match CLASSES[usize::from(byte)] {
                Class::Plain => None,
                Class::Slash => {
                    let address = word.scheme.is_none() && bytes[..at].ends_with(b":/");
                    if address {
                        word.scheme = Some(at + 1);
                        word.colon = None;
                    } else if word.scheme.is_some_and(|scheme| scheme <= at) {
                        word.slash = true;
                    }
                    None
                }
                Class::Assign => {
                    let hidden = self.end_word(word.start, at).or_else(|| self.assign(at));
                    let after_scheme =
                        bytes.get(at + 1) == Some(&b'/') && bytes.get(at + 2) == Some(&b'/');
                    if byte == b':' {
                        self.line.colons += 1;
                        if word.colon.is_none() && !after_scheme && !word.slash {
                            word.colon = Some(at);
                        }
                    } else if word.scheme.is_none() {
                        word.authority = at + 1;
                        word.colon = None;
                    }
                    word.start = at + 1;
                    hidden
                }
                Class::At => {
                    let hidden = self
                        .end_word(word.start, at)
                        .or_else(|| self.login(word, at));
                    word.start = at + 1;
                    hidden
                }
                Class::Dollar => self.hash(at),
                Class::Brace => {
                    let hidden = self
                        .end_word(word.start, at)
                        .or_else(|| self.scheme_hash(at));
                    word.start = at + 1;
                    hidden
                }
                Class::Element => {
                    let hidden = self.end_word(word.start, at).or_else(|| self.element(at));
                    word = Word {
                        start: at + 1,
                        authority: at + 1,
                        ..Word::default()
                    };
                    hidden
                }
                Class::Blank => {
                    let hidden = self
                        .end_word(word.start, at)
                        .or_else(|| self.before_blank(word.start, at));
                    word = Word {
                        start: at + 1,
                        authority: at + 1,
                        ..Word::default()
                    };
                    hidden
                }
                Class::Separator => {
                    let hidden = self.end_word(word.start, at).or_else(|| match byte {
                        b'"' | b'\'' | b',' if bytes[word.start..at].first() == Some(&b'-') => {
                            self.flag(word.start, at)
                        }
                        _ => None,
                    });
                    word.start = at + 1;
                    if byte == b',' && word.logged {
                        // The next host of the same address may have a login of its own.
                        word.scheme = word.scheme.map(|_| at + 1);
                        (word.colon, word.slash, word.logged) = (None, false, false);
                    }
                    let ends = matches!(byte, b'"' | b'\'' | b'`' | b'>' | b'\\');
                    if ends
                        || word.scheme.is_none()
                            && !matches!(byte, b'!' | b'*' | b'#' | b'&' | b'?')
                    {
                        word = Word {
                            start: at + 1,
                            authority: at + 1,
                            ..Word::default()
                        };
                    }
                    hidden
                }
            };
            match hidden {
                Some(part) => {
                    let end = part.end.max(at + 1);
                    let login = part.end <= at;
                    self.found.push(part);
                    if self.first_only {
                        return self.line.end;
                    }
                    if end > self.line.end {
                        return end;
                    }
                    // A password may hold an `@`: the last one ends it.
                    if login {
                        word.logged = true;
                    } else {
                        word = Word {
                            start: end,
                            authority: end,
                            ..Word::default()
                        };
                    }
                    at = end;
                }
                None => at += 1,
            }
        }
        if let Some(part) = self.end_word(word.start, self.line.end) {
            let end = part.end;
            self.found.push(part);
            if end > self.line.end {
                return end;
            }
        }
        if let Some(part) = self.password_file() {
            self.found.push(part);
        }
        self.line.end
    }

    /// Returns a word that is a token or looks random.
    fn end_word(&self, start: usize, end: usize) -> Option<Range<usize>> {
        let mut word = self.text.get(start..end)?;
        if word.len() < form::SHORTEST_TOKEN {
            return word
                .starts_with("-----BEGIN")
                .then(|| self.pem(end))
                .flatten();
        }
        let trimmed = word.trim_start_matches(['-', '.', '/', '$']);
        let start = end - trimmed.len();
        word = trimmed;
        if !form::is_known_token(word) && !form::looks_random(word) {
            return None;
        }
        // `==` belongs to base64.
        let padding = self.bytes()[end..]
            .iter()
            .take_while(|byte| **byte == b'=')
            .count();
        Some(start..end + padding.min(2))
    }

    /// Returns what is between `-----BEGIN …-----` and `-----END`.
    fn pem(&self, at: usize) -> Option<Range<usize>> {
        let rest = self.text.get(at..)?;
        let label = rest.find("-----").filter(|length| *length <= 64)?;
        let start = at + label + "-----".len();
        let end = self.text[start..]
            .find("-----END")
            .map_or(self.text.len(), |length| start + length);
        Some(start..end)
    }

    /// Returns the password of `user:password@`.
    fn login(&self, word: Word, at: usize) -> Option<Range<usize>> {
        let colon = word.colon?;
        let bytes = self.bytes();
        let start = word.scheme.unwrap_or(word.authority);
        if start > colon || colon + 1 >= at || at - colon > LONGEST_PASSWORD {
            return None;
        }
        let (user, password) = (&self.text[start..colon], &self.text[colon + 1..at]);
        let port = || {
            let digits = password.split('/').next().unwrap_or("");
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
                || digits.contains('}')
        };
        if form::is_template(password) || word.slash && (user.contains(['/', '[']) || port()) {
            return None;
        }
        if word.scheme.is_none() {
            let plain = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+')
            };
            let known = ["mailto", "sip", "sips", "acct", "xmpp"].contains(&user);
            let image = self.text[at + 1..].starts_with("sha256:")
                || self.text[at + 1..].starts_with("sha512:");
            let host = bytes
                .get(at + 1)
                .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'(' | b'['));
            if user.is_empty()
                || !user.bytes().all(plain)
                || known
                || image
                || !host
                || password.contains('/')
            {
                return None;
            }
        }
        Some(colon + 1..at)
    }

    /// Returns the hash of a password: `$6$salt$hash`.
    fn hash(&self, at: usize) -> Option<Range<usize>> {
        let rest = &self.text[at + 1..self.line.end];
        let end = rest.bytes().take(16).position(|byte| byte == b'$')?;
        let known = rest.get(..end).is_some_and(|name| HASHES.contains(&name));
        let tail = &rest[end + 1..];
        let length = tail
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ':' | ','))
            .unwrap_or(tail.len());
        (known && length >= 8).then(|| at..at + 1 + end + 1 + length)
    }

    /// Returns the hash of `{SHA}hash`.
    fn scheme_hash(&self, at: usize) -> Option<Range<usize>> {
        let rest = &self.text[at..self.line.end];
        let known = [
            "{SHA", "{SSHA", "{SMD5", "{MD5", "{CRYPT", "{PBKDF2", "{BLF", "{ARGON2",
        ];
        if !known.iter().any(|name| rest.starts_with(name)) {
            return None;
        }
        let name = rest.bytes().take(32).position(|byte| byte == b'}')?;
        let hash = &rest[name + 1..];
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',');
        let length = hash.find(ends).unwrap_or(hash.len());
        (length > 0).then(|| at..at + name + 1 + length)
    }

    /// Returns the password of a line of a password file of PostgreSQL, `host:port:database:user:password`.
    fn password_file(&self) -> Option<Range<usize>> {
        if self.line.colons < 4 {
            return None;
        }
        let line = &self.text[self.line.start..self.line.end];
        let mut end = self.line.start;
        line.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\''))
            .find_map(|word| {
                end += word.len();
                let bare =
                    word.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
                let password = password_of_file(bare)?;
                let end = end - (word.len() - bare.len());
                Some(end - password.len()..end)
            })
    }
}

fn password_of_file(word: &str) -> Option<&str> {
    let fields: Vec<&str> = word.splitn(6, ':').collect();
    let [host, port, database, user, password] = fields.as_slice() else {
        return None;
    };
    let is_host = *host == "*" || host.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_port = *port == "*" || port.len() <= 5 && port.parse::<u16>().is_ok();
    let own = !password.is_empty() && !form::is_template(password);
    (is_host && is_port && !database.is_empty() && !user.is_empty() && own).then_some(*password)
}

/// Returns the key before a separator, and where it starts: `"password"  :`.
fn key_before(text: &str, from: usize, separator: usize) -> (usize, &str) {
    let bytes = text.as_bytes();
    let least = from.max(separator.saturating_sub(KEY_REACH));
    let mut end = separator;
    while end > least && matches!(bytes[end - 1], b' ' | b'\t' | b'"' | b'\'' | b'\\' | b']') {
        end -= 1;
    }
    let mut start = end;
    while start > least
        && (bytes[start - 1].is_ascii_alphanumeric()
            || matches!(bytes[start - 1], b'_' | b'-' | b'.')
            || bytes[start - 1] >= 0x80)
    {
        start -= 1;
    }
    (start, text.get(start..end).unwrap_or(""))
}

impl Scan<'_> {
    /// Returns the meaning of the key before a separator of this line.
    fn key(&self, separator: usize) -> (usize, &str, Meaning) {
        let (start, key) = key_before(self.text, self.line.start, separator);
        (start, key, key::meaning(key))
    }
}
