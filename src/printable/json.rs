//! JSON that can be printed: values are exact, and hidden characters and markers of CI commands are JSON escapes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter, Serializer};

use super::Printable;
use super::escape::{inner_markers, is_hidden};

/// Returns a value as indented JSON, ending with a line break.
pub fn pretty(value: &impl Serialize) -> serde_json::Result<Printable> {
    write(value, PrettyFormatter::new())
}

/// Returns a value as one line of JSON.
pub fn line(value: &impl Serialize) -> serde_json::Result<Printable> {
    write(value, CompactFormatter)
}

fn write(value: &impl Serialize, layout: impl Formatter) -> serde_json::Result<Printable> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(
        &mut bytes,
        Escaping { layout },
    ))?;
    bytes.push(b'\n');
    let text = String::from_utf8(bytes).map_err(|error| {
        // The serializer writes UTF-8 only.
        serde_json::Error::io(io::Error::other(error))
    })?;
    Ok(Printable::exact(text))
}

/// Escapes more than JSON has to, in the layout of another formatter.
struct Escaping<F> {
    layout: F,
}

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let markers = inner_markers(fragment);
        if markers.is_empty() && !fragment.chars().any(is_hidden) {
            return writer.write_all(fragment.as_bytes());
        }
        for (at, c) in fragment.char_indices() {
            if is_hidden(c) || markers.contains(&at) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            } else {
                write!(writer, "{c}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.layout.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.layout.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.layout.end_object_value(writer)
    }
}
