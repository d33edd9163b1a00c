//! A digest over trees: equal trees have equal digests, however they are written.

use sha2::{Digest, Sha256};

use crate::flux::Object;
use crate::value::{Data, Number, Value};

use super::slug::hex;

/// Bytes that are gathered before they are hashed: many small pieces are slow.
const CHUNK: usize = 16 * 1024;

/// What counts as a change of a release: its name, its spec and what makes its source another one, but not whether it is
/// suspended (that is an operator's switch) and not its dependencies (they carry the digest of the step
/// before).
pub(super) fn fingerprint(release: &Object, source: Option<&Value>) -> String {
    let mut hash = Hash::default();
    hash.text(release.namespace.as_deref().unwrap_or(""));
    hash.text(&release.name);
    let spec = release.value.at(&["spec"]).and_then(Value::as_mapping);
    for entry in spec.iter().flat_map(|spec| spec.entries()) {
        if entry.key != "suspend" && entry.key != "dependsOn" {
            hash.text(&entry.key);
            hash.value(&entry.value);
        }
    }
    if let Some(source) = source {
        hash.text("source");
        hash.value(source);
    }
    hash.finish()
}

/// A digest of a tree.
pub(super) fn of_value(value: &Value) -> String {
    let mut hash = Hash::default();
    hash.value(value);
    hash.finish()
}

/// Feeds a tree to SHA-256; every piece says its type and length, so no two trees look alike.
#[derive(Default)]
struct Hash {
    pending: Vec<u8>,
    sha: Sha256,
}

impl Hash {
    fn value(&mut self, value: &Value) {
        match &value.data {
            Data::Null => self.piece(b'0', &[]),
            Data::Bool(value) => self.piece(b'b', &[u8::from(*value)]),
            Data::Number(Number::Int(int)) => self.piece(b'i', &int.to_le_bytes()),
            Data::Number(Number::Big(digits)) => self.piece(b'I', digits.as_bytes()),
            Data::Number(Number::Float(float)) => self.piece(b'f', &float.to_bits().to_le_bytes()),
            Data::String(text) => self.text(text),
            Data::Sequence(items) => {
                self.piece(b'[', &items.len().to_le_bytes());
                items.iter().for_each(|item| self.value(item));
            }
            Data::Mapping(mapping) => {
                self.piece(b'{', &mapping.len().to_le_bytes());
                for entry in mapping.entries() {
                    self.text(&entry.key);
                    self.value(&entry.value);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.piece(b's', text.as_bytes());
    }

    fn piece(&mut self, kind: u8, bytes: &[u8]) {
        self.pending.push(kind);
        self.pending
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK {
            self.sha.update(&self.pending);
            self.pending.clear();
        }
    }

    fn finish(mut self) -> String {
        self.sha.update(&self.pending);
        hex(&self.sha.finalize())
    }
}
