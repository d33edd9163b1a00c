//! The chain of a journal's lines: each line ends with a digest of itself and of the line before, so a line that is
//! missing, repeated, moved or changed is seen.
//!
//! It protects against accidents. Who can write the file can also compute the digests.

use sha2::{Digest as _, Sha256};

use super::Line;
use crate::names::hex;

/// The last field of a line, before its digest.
const FIELD: &[u8] = b",\"digest\":\"";

/// What follows the digest.
const END: &[u8] = b"\"}";

/// Hexadecimal digits of a digest.
const DIGITS: usize = 64;

/// The digest of the lines so far; the default is that of no line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(String);

impl Chain {
    /// Returns a line as it is written after the lines so far, with its end of line.
    ///
    /// # Errors
    ///
    /// When it cannot be written as JSON.
    pub fn seal(&mut self, line: &Line) -> Result<Vec<u8>, serde_json::Error> {
        let text = serde_json::to_vec(line)?;
        Ok(self.seal_text(text))
    }

    /// Seals the JSON object of a line.
    #[must_use]
    pub fn seal_text(&mut self, mut text: Vec<u8>) -> Vec<u8> {
        text.pop();
        self.0 = self.digest(&text);
        text.extend_from_slice(FIELD);
        text.extend_from_slice(self.0.as_bytes());
        text.extend_from_slice(END);
        text.push(b'\n');
        text
    }

    /// Returns the JSON object of a line, given without its end of line; `None` if it does not follow the lines so far.
    #[must_use]
    pub fn open(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let rest = text.strip_suffix(END)?;
        let (rest, digest) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        let body = rest.strip_suffix(FIELD)?;
        let expected = self.digest(body);
        if expected.as_bytes() != digest {
            return None;
        }
        self.0 = expected;
        let mut body = body.to_vec();
        body.push(b'}');
        Some(body)
    }

    fn digest(&self, body: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.0.as_bytes());
        digest.update(b"\n");
        digest.update(body);
        hex(&digest.finalize())
    }
}
