//! Who owns which field of a live object: `metadata.managedFields`, read (format FieldsV1).

mod applied;

use std::collections::BTreeMap;
use std::fmt;

use crate::value::{Data, Mapping, Text, Value};

use super::Object;

pub use applied::is_applied;

/// The operation with which a manager owns fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply: fields that its next apply leaves out are removed, unless other managers own
    /// them, too.
    Apply,
    /// Any other write.
    Update,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        })
    }
}

/// A manager and its fields.
#[derive(Clone, Debug)]
pub struct Owner {
    /// Its name, as it gave it.
    pub manager: Text,
    /// The operation.
    pub operation: Operation,
    /// `status` when it wrote through a subresource.
    pub subresource: Option<Text>,
    fields: Fields,
}

/// A field with another owner beside a manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The field as the API server writes paths: `.spec.values.replicas`, `.rules[name="x"].port`.
    pub field: Text,
    /// The others, in the object's order.
    pub managers: Vec<Text>,
}

/// A set of fields as a tree, by the server's spelling of each step (`f:name`, `k:{"name":"x"}`, `v:"x"`,
/// `i:0`).
#[derive(Clone, Debug, Default)]
struct Fields {
    /// Whether the node itself is owned, beside what is below it.
    itself: bool,
    below: BTreeMap<Text, Fields>,
}

/// Returns the owners of an object's fields, in the object's order. Entries that cannot be parsed are left
/// out: this is for naming names, not for deciding.
#[must_use]
pub fn owners(object: &Object) -> Vec<Owner> {
    let entries = object.meta().managed_fields();
    entries.iter().filter_map(owner).collect()
}

fn owner(entry: &Value) -> Option<Owner> {
    let text = |key: &str| entry.text_at(&[key]).map(Text::from);
    Some(Owner {
        manager: text("manager").unwrap_or_default(),
        operation: match text("operation")?.as_str() {
            "Apply" => Operation::Apply,
            _ => Operation::Update,
        },
        subresource: text("subresource").filter(|name| !name.is_empty()),
        fields: Fields::read(entry.at(&["fieldsV1"])?),
    })
}

impl Owner {
    /// Returns its fields as the API server writes paths: `.spec.values.replicas`, `.rules[name="x"].port`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.fields.print(&mut String::new(), &mut paths);
        paths
    }

    /// Returns whether it is `manager`, by server-side apply of the object itself.
    fn applies_as(&self, manager: &str) -> bool {
        self.manager == manager && self.operation == Operation::Apply && self.subresource.is_none()
    }
}

/// Returns the fields that `manager` applies and others own, too: they stay when `manager` gives them up.
/// Status, finalizers and owner references are not among them.
#[must_use]
pub fn shared(owners: &[Owner], manager: &str) -> Vec<Shared> {
    let mut found = Vec::new();
    for owner in owners.iter().filter(|owner| owner.applies_as(manager)) {
        collect(&owner.fields, &others(owners, manager), &mut found);
    }
    found
}

/// Returns the fields that `manager` applied before but not after, and that others own: they stay, and
/// the server does not report it. `before` and `after` are the owners of the live and of the resulting object.
#[must_use]
pub fn staying(before: &[Owner], after: &[Owner], manager: &str) -> Vec<Shared> {
    let kept: Vec<&Owner> = after.iter().filter(|o| o.applies_as(manager)).collect();
    let mut found = Vec::new();
    for owner in before.iter().filter(|owner| owner.applies_as(manager)) {
        let mut gone = owner.fields.clone();
        for owner in &kept {
            gone.remove(&owner.fields);
        }
        collect(&gone, &others(after, manager), &mut found);
    }
    found
}

/// Returns the same as [`staying`] without a dry run: `input` is the desired object.
#[must_use]
pub fn staying_beside(owners: &[Owner], input: &Object, manager: &str) -> Vec<Shared> {
    let mut found = Vec::new();
    for owner in owners.iter().filter(|owner| owner.applies_as(manager)) {
        let mut gone = owner.fields.clone();
        gone.remove_set(&input.value);
        collect(&gone, &others(owners, manager), &mut found);
    }
    found
}

/// Returns all managers that write the object itself, except the applies of `manager`, by their display name.
fn others<'o>(owners: &'o [Owner], manager: &str) -> Vec<(Text, &'o Fields)> {
    let others = owners
        .iter()
        .filter(|o| !o.applies_as(manager) && o.subresource.is_none());
    let named = others.map(|owner| {
        let Owner {
            manager: name,
            operation,
            subresource: _,
            fields,
        } = owner;
        let name = match name == manager {
            true => Text::from(format!("{name} ({operation})")),
            false => name.clone(),
        };
        (name, fields)
    });
    named.collect()
}

fn collect(ours: &Fields, others: &[(Text, &Fields)], found: &mut Vec<Shared>) {
    // What an apply is about; the rest are identity and bookkeeping.
    const OF_METADATA: [&str; 2] = ["f:labels", "f:annotations"];
    for (root, fields) in &ours.below {
        let path = &mut shown(root);
        let others = below(others, root);
        match root.as_str() {
            "f:status" => {}
            "f:metadata" => {
                for part in OF_METADATA {
                    if let Some(fields) = fields.below.get(part) {
                        let length = path.len();
                        path.push_str(&shown(part));
                        fields.collect(&below(&others, part), path, found);
                        path.truncate(length);
                    }
                }
            }
            _ => fields.collect(&others, path, found),
        }
    }
}

/// Returns the others that own something at or below a step.
fn below<'o>(others: &[(Text, &'o Fields)], step: &str) -> Vec<(Text, &'o Fields)> {
    others
        .iter()
        .filter_map(|(name, fields)| Some((name.clone(), fields.below.get(step)?)))
        .collect()
}

impl Fields {
    fn read(value: &Value) -> Self {
        let entries = value.as_mapping().map_or(&[][..], Mapping::entries);
        let mut fields = Self::default();
        for entry in entries {
            if entry.key == "." {
                fields.itself = true;
            } else {
                let below = Self::read(&entry.value);
                fields.below.insert(entry.key.clone(), below);
            }
        }
        fields.itself |= fields.below.is_empty();
        fields
    }

    /// Returns leaves of these fields that others own; a mapping that others own because of other fields in
    /// it is not a shared field.
    fn collect(&self, others: &[(Text, &Fields)], path: &mut String, found: &mut Vec<Shared>) {
        if others.is_empty() {
            return;
        }
        if self.below.is_empty() && self.itself {
            let mut managers: Vec<Text> = Vec::new();
            for (name, fields) in others {
                if fields.itself && !managers.contains(name) {
                    managers.push(name.clone());
                }
            }
            if !managers.is_empty() {
                let field = path.as_str().into();
                found.push(Shared { field, managers });
            }
        }
        for (step, fields) in &self.below {
            let length = path.len();
            path.push_str(&shown(step));
            fields.collect(&below(others, step), path, found);
            path.truncate(length);
        }
    }

    /// Removes the fields of `other`, and parents without fields.
    fn remove(&mut self, other: &Fields) {
        self.itself &= !other.itself;
        self.below.retain(|step, fields| {
            if let Some(other) = other.below.get(step) {
                fields.remove(other);
            }
            fields.itself || !fields.below.is_empty()
        });
    }

    /// Removes the fields that a tree sets.
    fn remove_set(&mut self, value: &Value) {
        self.itself = false;
        self.below.retain(|step, fields| {
            if let Some(value) = Part::read(step).and_then(|part| part.find_in(value)) {
                fields.remove_set(value);
            }
            fields.itself || !fields.below.is_empty()
        });
    }

    fn print(&self, path: &mut String, paths: &mut Vec<String>) {
        if self.itself && !path.is_empty() {
            paths.push(path.clone());
        }
        for (step, below) in &self.below {
            let length = path.len();
            path.push_str(&shown(step));
            below.print(path, paths);
            path.truncate(length);
        }
    }
}

/// One step of a field path.
#[derive(Clone, Debug)]
enum Part<'s> {
    /// `f:name`
    Field(&'s str),
    /// `k:{"name":"x"}`: the item of a list that has these.
    Keys(Mapping),
    /// `v:"x"`: the item of a set that is this.
    Value(Value),
    /// `i:0`
    Index(usize),
}

/// Displays a step; one of an unknown kind appears as the server wrote it.
fn shown(step: &str) -> String {
    Part::read(step).map_or_else(|| format!("[{step}]"), |part| part.to_string())
}

impl<'s> Part<'s> {
    fn read(step: &'s str) -> Option<Self> {
        let (kind, rest) = step.split_once(':')?;
        let json = || Value::from_json(rest.as_bytes()).ok();
        match kind {
            "f" => Some(Part::Field(rest)),
            "k" => match json()?.data {
                Data::Mapping(keys) => Some(Part::Keys(keys)),
                Data::Null
                | Data::Bool(_)
                | Data::Number(_)
                | Data::String(_)
                | Data::Sequence(_) => None,
            },
            "v" => json().map(Part::Value),
            "i" => rest.parse().ok().map(Part::Index),
            _ => None,
        }
    }

    /// Whether it leads to this item of a list.
    fn is_of(&self, item: &Value) -> bool {
        match self {
            Part::Field(_) | Part::Index(_) => false,
            Part::Value(wanted) => item == wanted,
            Part::Keys(keys) => {
                let mut keys = keys.entries().iter();
                keys.all(|key| item.at(&[&key.key]) == Some(&key.value))
            }
        }
    }

    /// Returns what it leads to.
    fn find_in<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Part::Field(field) => value.as_mapping()?.get(field),
            Part::Index(index) => value.as_sequence()?.get(*index),
            Part::Value(_) | Part::Keys(_) => {
                value.as_sequence()?.iter().find(|item| self.is_of(item))
            }
        }
    }
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Field(field) => write!(f, ".{field}"),
            Part::Index(index) => write!(f, "[{index}]"),
            Part::Value(value) => write!(f, "[={value:?}]"),
            Part::Keys(keys) => {
                f.write_str("[")?;
                for (at, key) in keys.entries().iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    write!(f, "{comma}{}={:?}", key.key, key.value)?;
                }
                f.write_str("]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","finalizers":["x","y"],"managedFields":[
        {"manager":"helm","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{
            "f:spec":{"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:targetPort":{}}}}}},
        {"manager":"tester","operation":"Apply","fieldsV1":{
            "f:metadata":{"f:finalizers":{"v:\"y\"":{}}},"f:spec":{"f:selector":{},"f:type":{}}}},
        {"manager":"c","operation":"Update","subresource":"status","fieldsV1":{"f:status":{"f:x":{}}}}]},
        "spec":{"ports":[{"port":79},{"name":"web","port":80,"protocol":"TCP","targetPort":1}],"selector":{"app":"x"},"type":"t"}}"#;

    fn object(text: &str) -> Object {
        let value = Value::from_json(text.as_bytes()).expect("JSON");
        Object::from_value(value).expect("object")
    }

    #[test]
    fn paths_look_as_the_server_writes_them() {
        let owners = owners(&object(OBJECT));
        assert_eq!(
            owners[0].paths(),
            [
                ".spec.ports",
                r#".spec.ports[port=80,protocol="TCP"]"#,
                r#".spec.ports[port=80,protocol="TCP"].port"#,
                r#".spec.ports[port=80,protocol="TCP"].targetPort"#,
            ]
        );
        assert_eq!(owners[1].paths()[0], r#".metadata.finalizers[="y"]"#);
        assert_eq!(owners[1].operation, Operation::Apply);
        assert_eq!(owners[2].subresource.as_deref(), Some("status"));
    }

    /// Returns an object with these managers: name, operation, FieldsV1.
    fn owned(managers: &[(&str, &str, &str)]) -> Object {
        let entries = managers.iter().map(|(manager, operation, fields)| {
            format!(r#"{{"manager":"{manager}","operation":"{operation}","fieldsV1":{fields}}}"#)
        });
        let entries: Vec<String> = entries.collect();
        object(&format!(
            r#"{{"apiVersion":"v1","kind":"X","metadata":{{"name":"a","managedFields":[{}]}}}}"#,
            entries.join(",")
        ))
    }

    const OURS: &str = r#"{"f:metadata":{"f:labels":{"f:x":{}},"f:finalizers":{"v:\"y\"":{}}},"f:spec":{"f:suspend":{},
        "f:values":{".":{},"f:a":{},"f:b":{".":{},"f:c":{}},"f:list":{}},
        "f:ports":{"k:{\"port\":80}":{".":{},"f:port":{},"f:to":{}}}}}"#;

    fn lines(found: &[Shared]) -> Vec<String> {
        let lines = found.iter().map(|Shared { field, managers }| {
            let managers: Vec<&str> = managers.iter().map(Text::as_str).collect();
            format!("{field} {}", managers.join("+"))
        });
        lines.collect()
    }

    #[test]
    fn fields_of_several_are_found_at_their_leaves() {
        let object = owned(&[
            ("us", "Apply", OURS),
            ("us", "Update", r#"{"f:spec":{"f:suspend":{}}}"#),
            (
                "kubectl",
                "Update",
                r#"{"f:metadata":{"f:labels":{"f:x":{}},"f:finalizers":{"v:\"y\"":{}}},
                    "f:spec":{"f:values":{".":{},"f:b":{".":{},"f:c":{},"f:d":{}},"f:z":{}}}}"#,
            ),
            (
                "helm",
                "Apply",
                r#"{"f:spec":{"f:values":{"f:b":{"f:c":{}}},"f:ports":{"k:{\"port\":80}":{".":{},"f:to":{}}}}}"#,
            ),
        ]);
        assert_eq!(
            lines(&shared(&owners(&object), "us")),
            [
                ".metadata.labels.x kubectl",
                ".spec.ports[port=80].to helm",
                ".spec.suspend us (Update)",
                ".spec.values.b.c kubectl+helm",
            ]
        );
        assert!(shared(&owners(&object), "nobody").is_empty());
    }

    #[test]
    fn what_others_hold_stays_when_it_leaves_the_input() {
        let kubectl = (
            "kubectl",
            "Update",
            r#"{"f:spec":{"f:suspend":{},"f:values":{".":{},"f:a":{},"f:list":{}}}}"#,
        );
        let before = owned(&[("us", "Apply", OURS), kubectl]);
        let after = owned(&[
            (
                "us",
                "Apply",
                r#"{"f:spec":{"f:values":{".":{},"f:list":{}}}}"#,
            ),
            kubectl,
        ]);
        let wanted = [".spec.suspend kubectl", ".spec.values.a kubectl"];
        let found = staying(&owners(&before), &owners(&after), "us");
        assert_eq!(lines(&found), wanted);
        assert!(staying(&owners(&before), &owners(&before), "us").is_empty());
        let input = object(
            r#"{"apiVersion":"v1","kind":"X","metadata":{"name":"a","labels":{"x":"y"}},
                "spec":{"values":{"b":{"c":1},"list":[]},"ports":[{"port":80}]}}"#,
        );
        assert_eq!(
            lines(&staying_beside(&owners(&before), &input, "us")),
            wanted
        );
    }
}
