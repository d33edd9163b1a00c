//! What Helm received of the 183 rows of `../shared/oracle/yaml-vectors.json`, written and read back
//! by this program's reader in each dialect, and by PyYAML.

use super::python::pyyaml_reads_all;
use crate::diagnostic::Diagnostics;
use crate::emit::{View, to_yaml};
use crate::source::Sources;
use crate::value::{Data, Entry, Mapping, Number, Text, Value};
use crate::yaml::deliver::{Delivery, deliver};
use crate::yaml::scalar::{self, Typed};
use crate::yaml::tests::vectors;
use crate::yaml::{Dialect, Kind, Node, read};

#[derive(serde::Deserialize)]
struct Row {
    source: String,
    helm_through_armada: Option<String>,
}

#[test]
fn delivered_vectors_read_back() {
    let Some(rows) = vectors::rows::<Row>() else {
        return;
    };
    let mut values = Vec::new();
    for Row {
        source,
        helm_through_armada,
    } in &rows
    {
        let sources = source_of(&format!("k: {source}\n"));
        let value = with_root(&sources, |node| {
            deliver(node, Delivery::Python, &mut Diagnostics::default())
        });
        let accepted = helm_through_armada
            .as_ref()
            .is_some_and(|json| !json.starts_with("ERR"));
        assert_eq!(
            value.flatten().map(|value| values.push(value)).is_some(),
            accepted,
            "{source}"
        );
    }
    assert!(values.len() > 150, "{}", values.len());
    for value in &values {
        let text = to_yaml(value, View::Clear);
        let sources = source_of(&text);
        for dialect in [Dialect::PyYaml, Dialect::GoYamlV2, Dialect::GoYamlV3] {
            let back = with_root(&sources, |node| typed(node, dialect)).unwrap();
            assert_eq!(&back, value, "{dialect:?} reads\n{text}");
        }
    }
    pyyaml_reads_all(&values);
}

fn source_of(text: &str) -> Sources {
    let mut sources = Sources::default();
    sources.add("test.yaml", text).unwrap();
    sources
}

fn with_root<T>(sources: &Sources, look: impl FnOnce(Node<'_>) -> T) -> Option<T> {
    let (id, file) = sources.iter().next().unwrap();
    let tree = read(id, file.text(), &mut Diagnostics::default());
    tree.roots().next().map(look)
}

/// Returns the node as a dialect's program holds it.
fn typed(node: Node<'_>, dialect: Dialect) -> Value {
    match node.kind() {
        Kind::Sequence => node
            .items()
            .map(|item| typed(item, dialect))
            .collect::<Vec<_>>()
            .into(),
        Kind::Mapping => {
            let mut mapping = Mapping::new();
            for (key, value) in node.entries() {
                let Data::String(key) = typed(key, dialect).data else {
                    panic!("a key that is no string");
                };
                mapping.push(Entry {
                    key,
                    key_span: None,
                    value: typed(value, dialect),
                });
            }
            mapping.into()
        }
        Kind::Scalar(scalar) => match scalar::resolve(scalar, dialect).unwrap() {
            Typed::Null => Value::null(),
            Typed::Bool(bool) => bool.into(),
            Typed::Int(int) => int.into(),
            Typed::Big(big) => Data::Number(Number::Big(big.to_string().into())).into(),
            Typed::Float(float) => Data::Number(Number::Float(float)).into(),
            Typed::String(text) => Text::from(&*text).into(),
            Typed::Binary(_) | Typed::Timestamp(_) => panic!("not a type of JSON"),
        },
        Kind::Alias(_) => panic!("an alias was written"),
    }
}
