//! A digest over trees: equal trees have equal digests, however they are written.

use crate::flux::Object;
use crate::names::Hasher;
use crate::value::{Data, Number, Value};

/// Returns what is a change of a release: its name, its spec and the identity of its source, but not
/// whether it is suspended (that is an operator's switch) and not its dependencies (they carry the digest
/// of the step before).
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

/// Returns a digest of a tree.
pub(super) fn of_value(value: &Value) -> String {
    let mut hash = Hash::default();
    hash.value(value);
    hash.finish()
}

/// Hashes a tree; every piece starts with its type and length, so different trees give different hashes.
#[derive(Default)]
struct Hash(Hasher);

impl Hash {
    fn value(&mut self, value: &Value) {
        match &value.data {
            Data::Null => self.add_piece(b'0', &[]),
            Data::Bool(value) => self.add_piece(b'b', &[u8::from(*value)]),
            Data::Number(Number::Int(int)) => self.add_piece(b'i', &int.to_le_bytes()),
            Data::Number(Number::Big(digits)) => self.add_piece(b'I', digits.as_bytes()),
            Data::Number(Number::Float(float)) => {
                self.add_piece(b'f', &float.to_bits().to_le_bytes())
            }
            Data::String(text) => self.text(text),
            Data::Sequence(items) => {
                self.add_piece(b'[', &items.len().to_le_bytes());
                items.iter().for_each(|item| self.value(item));
            }
            Data::Mapping(mapping) => {
                self.add_piece(b'{', &mapping.len().to_le_bytes());
                for entry in mapping.entries() {
                    self.text(&entry.key);
                    self.value(&entry.value);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.add_piece(b's', text.as_bytes());
    }

    fn add_piece(&mut self, kind: u8, bytes: &[u8]) {
        self.0.bytes(&[kind]);
        self.0.sized(bytes);
    }

    fn finish(self) -> String {
        self.0.finish()
    }
}
