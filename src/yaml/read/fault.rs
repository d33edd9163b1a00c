//! What to say about text that is no YAML.

use granit_parser::{ErrorKind, ScanError};

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// Offset of an error in the text given to the parser.
pub(super) fn offset(error: &ScanError, text: &str) -> u32 {
    let marker = error.marker();
    let at = marker.byte_offset().unwrap_or_else(|| {
        let mut characters = text.char_indices().skip(marker.index());
        characters.next().map_or(text.len(), |(at, _)| at)
    });
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at as u32
}

/// The diagnostic of a syntax error at an offset of the file.
pub(super) fn syntax(error: &ScanError, file: FileId, at: u32) -> Diagnostic {
    let span = Span::new(file, at, at);
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return super::too_deep(span);
    }
    let diagnostic = Diagnostic::new(Code::YamlSyntax, "the document is not valid YAML")
        .at(span, error.kind().to_string());
    match help(error.kind()) {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn help(kind: &ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => Some("indent with spaces: YAML allows no tab here"),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => {
            Some("check the indentation; quote a value that holds `: `")
        }
        ErrorKind::UnexpectedCharacter { .. } => {
            Some("quote the value: a plain one cannot start with this character")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey => {
            Some("check the indentation, and that each key ends with `: `")
        }
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            Some("close the quote")
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofFlowMapping => Some("close the bracket; is the file complete?"),
        ErrorKind::UnknownQuotedScalarEscape => {
            Some("write `\\\\` for a backslash, or use single quotes")
        }
        ErrorKind::InvalidUnicodeEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate => {
            Some("write the character itself, or `\\U` with eight digits")
        }
        // The other texts say all there is.
        _ => None,
    }
}

/// The diagnostic of an alias that refers to nothing.
pub(super) fn unknown_anchor(name: &str, span: Span) -> Diagnostic {
    let message = format!(
        "the alias `*{}` refers to no anchor before it",
        name.escape_debug()
    );
    Diagnostic::new(Code::YamlSyntax, message)
        .at(span, "no such anchor in this document")
        .help("an anchor is known only in its own document, after the place that defines it")
}
