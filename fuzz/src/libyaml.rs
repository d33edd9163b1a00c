//! Reads with the C library, and checks what PyYAML's composer checks: anchors are unique and defined.

use std::collections::HashSet;
use std::ffi::CStr;
use std::mem::MaybeUninit;

use unsafe_libyaml as c;

use super::{Events, line};

/// Returns what libyaml reads, or its error.
pub fn expected(text: &str) -> Result<Events, String> {
    // SAFETY: the parser is initialized before use, reads `text`, which outlives it, and is deleted once.
    unsafe {
        let mut parser = MaybeUninit::<c::yaml_parser_t>::uninit();
        let parser = parser.as_mut_ptr();
        assert!(c::yaml_parser_initialize(parser).ok, "out of memory");
        c::yaml_parser_set_input_string(parser, text.as_ptr(), text.len() as u64);
        let events = events(parser);
        c::yaml_parser_delete(parser);
        events
    }
}

/// # Safety
/// `parser` is initialized and has its input.
unsafe fn events(parser: *mut c::yaml_parser_t) -> Result<Events, String> {
    let mut composer = Composer::default();
    loop {
        let mut event = MaybeUninit::<c::yaml_event_t>::uninit();
        let event = event.as_mut_ptr();
        // SAFETY: a parsed event is initialized, has the type of `type_`, and is deleted once.
        unsafe {
            if c::yaml_parser_parse(parser, event).fail {
                let problem = (*parser).problem.cast::<u8>();
                return Err(text(problem.cast_mut()).unwrap_or_default());
            }
            let ended = (*event).type_ == c::YAML_STREAM_END_EVENT;
            let taken = composer.take(&*event);
            c::yaml_event_delete(event);
            taken?;
            if ended {
                return Ok(composer.events);
            }
        }
    }
}

/// # Safety
/// `string` is null or ends with a zero byte.
unsafe fn text(string: *mut u8) -> Option<String> {
    if string.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    let string = unsafe { CStr::from_ptr(string.cast()) };
    Some(string.to_string_lossy().into_owned())
}

#[derive(Default)]
struct Composer {
    events: Events,
    anchors: HashSet<String>,
    open: Vec<Option<String>>,
}

impl Composer {
    /// # Safety
    /// `event` was created by the library.
    unsafe fn take(&mut self, event: &c::yaml_event_t) -> Result<(), String> {
        // SAFETY: `type_` determines which part of the union is set.
        let (name, anchor, tag, value) = unsafe {
            match event.type_ {
                c::YAML_DOCUMENT_START_EVENT => {
                    self.anchors.clear();
                    ("document", None, None, String::new())
                }
                c::YAML_ALIAS_EVENT => {
                    let anchor = text(event.data.alias.anchor).unwrap_or_default();
                    if !self.anchors.contains(&anchor) {
                        return Err(format!("undefined alias {anchor}"));
                    }
                    if self.open.contains(&Some(anchor.clone())) {
                        // The only text that PyYAML accepts and we do not: Helm refuses it.
                        return Err(format!("{anchor} contains itself"));
                    }
                    self.events.push(line("alias", Some(&anchor), None, ""));
                    return Ok(());
                }
                c::YAML_SCALAR_EVENT => {
                    let data = &event.data.scalar;
                    let value = std::slice::from_raw_parts(data.value, data.length as usize);
                    let value = String::from_utf8_lossy(value).into_owned();
                    let name = match data.style {
                        c::YAML_SINGLE_QUOTED_SCALAR_STYLE => "single",
                        c::YAML_DOUBLE_QUOTED_SCALAR_STYLE => "double",
                        c::YAML_LITERAL_SCALAR_STYLE => "literal",
                        c::YAML_FOLDED_SCALAR_STYLE => "folded",
                        _ => "plain",
                    };
                    (name, text(data.anchor), text(data.tag), value)
                }
                c::YAML_SEQUENCE_START_EVENT => {
                    let data = &event.data.sequence_start;
                    ("[", text(data.anchor), text(data.tag), String::new())
                }
                c::YAML_MAPPING_START_EVENT => {
                    let data = &event.data.mapping_start;
                    ("{", text(data.anchor), text(data.tag), String::new())
                }
                c::YAML_SEQUENCE_END_EVENT => ("]", None, None, String::new()),
                c::YAML_MAPPING_END_EVENT => ("}", None, None, String::new()),
                _ => return Ok(()),
            }
        };
        if let Some(anchor) = &anchor
            && !self.anchors.insert(anchor.clone())
        {
            return Err(format!("duplicate anchor {anchor}"));
        }
        match name {
            "[" | "{" => self.open.push(anchor.clone()),
            "]" | "}" => drop(self.open.pop()),
            _ => {}
        }
        let line = line(name, anchor.as_deref(), tag.as_deref(), &value);
        self.events.push(line);
        Ok(())
    }
}
