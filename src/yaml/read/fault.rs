//! Syntax errors and their messages.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// A syntax error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) kind: FaultKind,
    /// The offset of the fault.
    at: u32,
    /// The offset of the construct that it is a part of.
    since: Option<u32>,
    /// The offset at which it was noticed; reading continues after it.
    pub(super) seen: u32,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, at: u32) -> Self {
        Self {
            kind,
            at,
            since: None,
            seen: at,
        }
    }

    pub(super) fn since(mut self, since: u32) -> Self {
        self.since = Some(since);
        self
    }

    pub(super) fn seen(mut self, seen: u32) -> Self {
        self.seen = seen;
        self
    }

    pub(super) fn diagnostic(self, file: FileId, text: &str) -> Diagnostic {
        let Self {
            kind,
            at,
            since,
            seen: _,
        } = self;
        let width = text
            .get(at as usize..)
            .and_then(|rest| rest.chars().next())
            .filter(|first| !first.is_control());
        let span = Span::new(
            file,
            at,
            at + width.map_or(0, |first| first.len_utf8() as u32),
        );
        if kind == FaultKind::TooDeep {
            return super::too_deep(span);
        }
        let mut diagnostic = Diagnostic::new(Code::YamlSyntax, kind.text()).at(span, "");
        if let Some(since) = since
            && since != at
        {
            diagnostic = diagnostic.at(Span::new(file, since, since + 1), "it starts here");
        }
        match kind.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

macro_rules! faults {
    ($($kind:ident $text:literal $(=> $help:literal)?)*) => {
        /// The kinds of syntax errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum FaultKind {
            $(#[doc = $text] $kind,)*
        }

        impl FaultKind {
            fn text(self) -> &'static str {
                match self { $(FaultKind::$kind => $text,)* }
            }

            fn help(self) -> Option<&'static str> {
                match self { $(FaultKind::$kind => faults!(@help $($help)?),)* }
            }
        }
    };
    (@help $help:literal) => { Some($help) };
    (@help) => { None };
}

faults! {
    AnchorName "the name of an anchor or alias must be of ASCII letters, digits, `_` and `-`"
        => "rename it, or quote the value if no anchor is meant"
    BlockHeader "only a comment may follow the `|` or `>` of a block of text"
        => "put the text on the next line, indented"
    BlockIndentZero "the indentation of a block of text cannot be 0"
    CannotStart "a value cannot start with this character"
        => "quote the value"
    ColonInPlain "a plain value inside of brackets cannot hold this `:`"
        => "write a space after the `:`, or quote the value"
    DirectiveEnd "something follows a `%` directive on its line"
    DirectiveName "a `%` directive has no valid name"
        => "quote the value if no directive is meant"
    DirectiveTwice "a document has the same `%` directive twice"
        => "remove one of them"
    DirectiveUnknown "a `%` directive that Armada's YAML reader does not know"
        => "only %YAML and %TAG are known: remove it"
    DocumentExpected "a document must start with `---` here"
        => "check the indentation of this line; if a new document is meant, start it with `---`"
    DocumentInQuotes "a quoted value runs into the next document"
        => "close the quote"
    EntryExpected "a list continues with something that is not an entry of it"
        => "check the indentation: entries start with `- ` in the same column"
    EntryNotAllowed "a list cannot start here"
        => "start it on a line of its own, or quote the value"
    EscapeCode "an escape that is not a valid character"
        => "write the character itself, or `\\U` with eight digits: surrogate pairs are not read"
    EscapeDigits "an escape with too few hexadecimal digits"
        => "write `\\\\` for a backslash, or use single quotes"
    FlowMappingEnd "a `,` or `}` is missing"
        => "check the brackets and quotes above; is the file complete?"
    FlowSequenceEnd "a `,` or `]` is missing"
        => "check the brackets and quotes above; is the file complete?"
    KeyExpected "a mapping continues with something that is not a key"
        => "check the indentation of this line, and that quotes above are closed"
    KeyNotAllowed "a key cannot start here"
        => "start it on a line of its own"
    KeyWithoutColon "a key must be here, but no `:` follows"
        => "check the indentation, and that `: ` follows the key on its line"
    NodeExpected "a value is missing here"
    TabIndent "a tab in the indentation"
        => "indent with spaces: YAML does not allow a tab here"
    Tab "a tab where YAML does not allow one"
        => "indent with spaces"
    TagEmpty "a tag without a name"
    TagEnd "a tag must end with a space or a line break"
    TagEscape "a `%` in a tag is not followed by a valid code"
    TagHandle "a tag handle must start and end with `!`"
    TagUnclosed "a tag that starts with `!<` has no `>`"
    TagUndeclared "a tag with a prefix that no %TAG line declares"
        => "declare it before the `---`, or remove the tag"
    TooDeep "nested too deep"
    UnclosedFlow "this bracket is never closed"
        => "close it with the `]` or `}` that belongs to it; is the file complete?"
    UnclosedQuote "a quoted value is not closed"
        => "close the quote; is the file complete?"
    UnknownEscape "an escape that YAML does not know"
        => "write `\\\\` for a backslash, or use single quotes"
    ValueNotAllowed "a `: ` cannot form a key here"
        => "check the indentation, or quote the value that holds it"
    Version "not a YAML version that Armada's reader accepts"
        => "remove the %YAML line"
}

/// Returns the diagnostic of an alias that refers to nothing.
pub(super) fn unknown_anchor(name: &str, span: Span) -> Diagnostic {
    let message = format!("the alias `*{name}` refers to no anchor before it");
    Diagnostic::new(Code::YamlSyntax, message)
        .at(span, "no such anchor in this document")
        .help("an anchor is known only in its own document, after the place that defines it")
}
