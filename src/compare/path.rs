//! Paths in an object.

use std::fmt;

use crate::value::Text;

/// A step into a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Under a key.
    Key(Text),
    /// In a list, by position from 0.
    Index(usize),
    /// In a list of mappings that have names, by name.
    Named(Text),
}

/// Steps from the root of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// Returns whether it starts with these keys; a step into a list never equals a key.
    #[must_use]
    pub fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && keys.iter().zip(&self.0).all(|(key, step)| match step {
                Segment::Key(text) => text == key,
                Segment::Index(_) | Segment::Named(_) => false,
            })
    }

    /// Returns whether it lies in, at or above the field at these keys.
    #[must_use]
    pub fn touches(&self, keys: &[&str]) -> bool {
        let common = self.0.len().min(keys.len());
        self.starts_with(&keys[..common])
    }
}

impl fmt::Display for Path {
    /// `spec.values.hosts[2].name`; keys with other characters in brackets and quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Segment::Key(key) if !key.is_empty() && key.chars().all(plain) => {
                    let dot = if at == 0 { "" } else { "." };
                    write!(f, "{dot}{key}")?;
                }
                Segment::Key(key) => write!(f, "[{key:?}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Named(name) => write!(f, "[{}]", name.escape_debug())?,
            }
        }
        Ok(())
    }
}
