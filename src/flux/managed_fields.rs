//! Who owns which field of a live object: `metadata.managedFields`, read (format FieldsV1).

use std::fmt;

use crate::value::{Data, Mapping, Text, Value};

use super::Object;

/// One step of a path into an object's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'p> {
    /// The value under a key.
    Key(&'p str),
    /// An item of a list, from 0.
    Index(usize),
    /// The item of a list of mappings that has this name.
    Named(&'p str),
}

/// How a manager came to own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Server-side apply: what it leaves out next time is removed.
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
    /// How it wrote.
    pub operation: Operation,
    /// `status` when it wrote through a subresource.
    pub subresource: Option<Text>,
    fields: Fields,
}

/// A set of fields as a tree.
#[derive(Clone, Debug, Default)]
struct Fields {
    /// Whether the node itself is owned, beside what is below it.
    itself: bool,
    below: Vec<(Part, Fields)>,
}

/// What leads from a node to one below it.
#[derive(Clone, Debug)]
enum Part {
    /// `f:name`
    Field(Text),
    /// `k:{"name":"x"}`: the item of a list that has these.
    Keys(Mapping),
    /// `v:"x"`: the item of a set that is this.
    Value(Value),
    /// `i:0`
    Index(usize),
}

/// The owners of an object's fields, in the object's order. What cannot be read is left out: this is for
/// naming names, not for deciding.
#[must_use]
pub fn owners(object: &Object) -> Vec<Owner> {
    let entries = object.value.at(&["metadata", "managedFields"]);
    let entries = entries.and_then(Value::as_sequence).unwrap_or_default();
    entries.iter().filter_map(owner).collect()
}

fn owner(entry: &Value) -> Option<Owner> {
    let text = |key: &str| entry.at(&[key])?.as_str().map(Text::from);
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
    /// Whether it owns the field at `path` of the object's tree, or something below it. Lists that are
    /// atomic to the server belong as a whole to who owns them.
    #[must_use]
    pub fn owns(&self, object: &Object, path: &[Step<'_>]) -> bool {
        self.fields.own(Some(&object.value), path)
    }

    /// Its fields as the API server writes paths: `.spec.values.replicas`, `.rules[name="x"].port`.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.fields.print(&mut String::new(), &mut paths);
        paths
    }
}

/// The owners of the field at `path`, or of something below it.
#[must_use]
pub fn owners_of<'o>(owners: &'o [Owner], object: &Object, path: &[Step<'_>]) -> Vec<&'o Owner> {
    let owners = owners.iter();
    owners.filter(|owner| owner.owns(object, path)).collect()
}

impl Fields {
    fn read(value: &Value) -> Self {
        let entries = value.as_mapping().map_or(&[][..], Mapping::entries);
        let mut fields = Self::default();
        for entry in entries {
            if entry.key == "." {
                fields.itself = true;
            } else if let Some(part) = Part::read(&entry.key) {
                fields.below.push((part, Self::read(&entry.value)));
            }
        }
        fields.itself |= fields.below.is_empty();
        fields
    }

    fn own(&self, at: Option<&Value>, path: &[Step<'_>]) -> bool {
        let Some((step, rest)) = path.split_first() else {
            return true;
        };
        if self.below.is_empty() {
            // Owned as a whole, with all that is in it.
            return true;
        }
        let next = at.and_then(|value| item(value, *step));
        self.below
            .iter()
            .any(|(part, below)| part.leads(*step, next) && below.own(next, rest))
    }

    fn print(&self, path: &mut String, paths: &mut Vec<String>) {
        if self.itself && !path.is_empty() {
            paths.push(path.clone());
        }
        for (part, below) in &self.below {
            let length = path.len();
            path.push_str(&part.to_string());
            below.print(path, paths);
            path.truncate(length);
        }
    }
}

fn item<'v>(value: &'v Value, step: Step<'_>) -> Option<&'v Value> {
    match step {
        Step::Key(key) => value.as_mapping()?.get(key),
        Step::Index(index) => value.as_sequence()?.get(index),
        Step::Named(name) => value
            .as_sequence()?
            .iter()
            .find(|item| item.at(&["name"]).and_then(Value::as_str) == Some(name)),
    }
}

impl Part {
    fn read(key: &str) -> Option<Self> {
        let (kind, rest) = key.split_once(':')?;
        let json = || Value::from_json(rest.as_bytes()).ok();
        match kind {
            "f" => Some(Part::Field(rest.into())),
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

    /// Whether the step, which leads to `next`, is this one.
    fn leads(&self, step: Step<'_>, next: Option<&Value>) -> bool {
        match (self, step) {
            (Part::Field(field), Step::Key(key)) => field == key,
            (Part::Index(index), Step::Index(at)) => *index == at,
            (Part::Value(value), Step::Index(_)) => next == Some(value),
            (Part::Keys(keys), Step::Index(_) | Step::Named(_)) => keys
                .entries()
                .iter()
                .all(|key| next.and_then(|item| item.at(&[&key.key])) == Some(&key.value)),
            (Part::Field(_), Step::Index(_) | Step::Named(_))
            | (Part::Value(_) | Part::Index(_), Step::Named(_))
            | (Part::Keys(_) | Part::Value(_) | Part::Index(_), Step::Key(_)) => false,
        }
    }
}

impl fmt::Display for Part {
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

    fn object() -> Object {
        let text = br#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","finalizers":["x","y"],"managedFields":[
            {"manager":"helm","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{
                "f:spec":{"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:targetPort":{}}}}}},
            {"manager":"tester","operation":"Apply","fieldsV1":{
                "f:metadata":{"f:finalizers":{"v:\"y\"":{}}},"f:spec":{"f:selector":{},"f:type":{}}}},
            {"manager":"c","operation":"Update","subresource":"status","fieldsV1":{"f:status":{"f:x":{}}}}]},
            "spec":{"ports":[{"port":79},{"name":"web","port":80,"protocol":"TCP","targetPort":1}],"selector":{"app":"x"},"type":"t"}}"#;
        Object::from_value(Value::from_json(text).expect("JSON")).expect("object")
    }

    fn who(path: &[Step<'_>]) -> String {
        let object = object();
        let owners = owners(&object);
        let found = owners_of(&owners, &object, path);
        let names: Vec<&str> = found.iter().map(|owner| owner.manager.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn owners_are_found_by_the_place_in_the_tree() {
        use Step::{Index, Key, Named};
        assert_eq!(who(&[Key("spec"), Key("type")]), "tester");
        assert_eq!(who(&[Key("spec"), Key("selector"), Key("app")]), "tester");
        assert_eq!(
            who(&[Key("spec"), Key("ports"), Index(1), Key("targetPort")]),
            "helm"
        );
        assert_eq!(
            who(&[Key("spec"), Key("ports"), Index(0), Key("targetPort")]),
            ""
        );
        assert_eq!(
            who(&[Key("metadata"), Key("finalizers"), Index(1)]),
            "tester"
        );
        assert_eq!(who(&[Key("metadata"), Key("finalizers"), Index(0)]), "");
        assert_eq!(
            who(&[Key("spec"), Key("ports"), Named("web"), Key("targetPort")]),
            "helm"
        );
        assert_eq!(who(&[Key("spec"), Key("ports"), Named("other")]), "");
        assert_eq!(who(&[Key("spec"), Key("clusterIP")]), "");
        assert_eq!(who(&[Key("spec")]), "helm tester");
        assert_eq!(who(&[Key("status"), Key("x"), Key("y")]), "c");
    }

    #[test]
    fn paths_look_as_the_server_writes_them() {
        let object = object();
        let owners = owners(&object);
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
}
