//! Reads a written tree back as kubectl does: with go-yaml v2, to JSON.

use std::fs;
use std::path::Path;

use armada2flux::diagnostic::Diagnostics;
use armada2flux::source::Sources;
use armada2flux::yaml::scalar::{self, Typed};
use armada2flux::yaml::{self, Dialect, Kind, Node};
use serde_json::{Map, Value};

use crate::support::{Result, ensure};

/// Returns the objects that `kustomization.yaml` lists, in order.
pub(crate) fn read(folder: &Path) -> Result<Vec<Value>> {
    let mut objects = Vec::new();
    for list in documents(&folder.join("kustomization.yaml"))? {
        for name in list["resources"].as_array().ok_or("no resources")? {
            let name = name.as_str().ok_or("no name")?;
            objects.extend(documents(&folder.join(name))?);
        }
    }
    Ok(objects)
}

/// Returns the documents of a file.
pub(crate) fn documents(path: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut sources = Sources::default();
    let id = sources
        .add(path.display().to_string(), text)
        .ok_or("no room")?;
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(id, sources.file(id).text(), &mut diagnostics);
    ensure(
        diagnostics.list().is_empty(),
        format!("{}: {:?}", path.display(), diagnostics.list()),
    )?;
    tree.roots().map(json).collect()
}

fn json(node: Node<'_>) -> Result<Value> {
    Ok(match node.kind() {
        Kind::Alias(_) => return Err("an alias was written".into()),
        Kind::Sequence => Value::Array(node.items().map(json).collect::<Result<_>>()?),
        Kind::Mapping => {
            let mut map = Map::new();
            for (key, value) in node.entries() {
                let Value::String(key) = json(key)? else {
                    return Err("a key is read as something else than a string".into());
                };
                ensure(!map.contains_key(&key), format!("key `{key}` twice"))?;
                map.insert(key, json(value)?);
            }
            Value::Object(map)
        }
        Kind::Scalar(scalar) => match scalar::resolve(scalar, Dialect::GoYamlV2)? {
            Typed::Null => Value::Null,
            Typed::Bool(bool) => bool.into(),
            Typed::Int(int) => int.into(),
            Typed::Big(digits) => digits.to_string().parse::<f64>()?.into(),
            Typed::Float(float) => float.into(),
            Typed::String(text) => text.into_owned().into(),
            Typed::Binary(_) | Typed::Timestamp(_) => return Err("not JSON".into()),
        },
    })
}
