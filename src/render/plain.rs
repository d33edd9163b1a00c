//! The `plain` layout: a kustomize tree that needs no toolkit Kustomization.
//!
//! ```text
//! kustomization.yaml
//! namespaces.yaml
//! sources/gitrepository-….yaml
//! 010-<group>/<release>.yaml
//! 010-<group>/<release>.values.yaml, <release>.secrets.yaml
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::emit::{self, View};
use crate::flux::Object;
use crate::lower::Role;
use crate::names::slug;
use crate::printable::escape;
use crate::source::Sources;
use crate::value::{Mapping, Text, Value};

use super::{File, marker};

/// Longest folder name computed from a chart group's name, in characters.
const MAX_FOLDER: usize = 100;

/// Turns objects into files, one by one.
#[derive(Debug)]
pub(crate) struct Plain<'s> {
    /// Start of every file.
    marker: String,
    sources: &'s Sources,
    /// Digits of a stage number.
    width: usize,
    paths: Vec<Text>,
    taken: BTreeSet<Text>,
    namespaces: String,
    /// Folders by stage number.
    folders: BTreeMap<usize, Text>,
}

impl<'s> Plain<'s> {
    /// Starts a tree of a site with that many stages; `sources` names where objects come from.
    pub(crate) fn new(site: &str, stages: usize, sources: &'s Sources) -> Self {
        Self {
            marker: marker(site),
            sources,
            width: (stages * 10).to_string().len().max(3),
            paths: Vec::new(),
            taken: BTreeSet::new(),
            namespaces: String::new(),
            folders: BTreeMap::new(),
        }
    }

    /// Returns the path of an object's file, or `None` when it is kept for a file of several.
    pub(crate) fn place(&mut self, role: Role<'_>, object: &Object) -> Option<Text> {
        let path = match role {
            Role::Namespace => {
                if !self.namespaces.is_empty() {
                    self.namespaces.push_str("---\n");
                }
                emit::write_yaml(&object.value, View::Clear, &mut self.namespaces);
                return None;
            }
            Role::Source => Text::from(format!(
                "sources/{}-{}{}.yaml",
                object.kind.to_ascii_lowercase(),
                self.prefix(object),
                object.name
            )),
            // By kind, so that a rule of an encryption tool can match them.
            Role::Values {
                stage,
                group,
                chart: _,
                release,
            } => Text::from(format!(
                "{}/{release}.{}.yaml",
                self.folder(stage, group),
                if object.kind == "Secret" {
                    "secrets"
                } else {
                    "values"
                },
            )),
            Role::Release {
                stage,
                group,
                chart: _,
            } => Text::from(format!(
                "{}/{}.yaml",
                self.folder(stage, group),
                object.name
            )),
        };
        let path = self.unique(path, object);
        self.paths.push(path.clone());
        Some(path)
    }

    /// Returns the file of an object.
    pub(crate) fn file(&self, role: Role<'_>, object: &Object, path: Text) -> File {
        let mut text = self.header(role, object);
        emit::write_yaml(&object.value, View::Clear, &mut text);
        File { path, text }
    }

    /// Returns the files that list the others.
    pub(crate) fn finish(self) -> Vec<File> {
        let Self {
            marker,
            sources: _,
            width: _,
            mut paths,
            taken: _,
            namespaces,
            folders: _,
        } = self;
        let mut files = Vec::new();
        if !namespaces.is_empty() {
            let path = Text::from("namespaces.yaml");
            paths.insert(0, path.clone());
            let text = format!(
                "{marker}: the namespaces that Armada would have created\n---\n{namespaces}"
            );
            files.push(File { path, text });
        }
        let list: Vec<Value> = paths.into_iter().map(Value::from).collect();
        let kustomization: Mapping = [
            ("apiVersion", Value::from("kustomize.config.k8s.io/v1beta1")),
            ("kind", Value::from("Kustomization")),
            ("resources", Value::from(list)),
        ]
        .into_iter()
        .collect();
        let mut text = format!(
            "{marker}; apply with `kubectl apply --server-side -k .`: client-side apply drops nulls from values\n---\n"
        );
        emit::write_yaml(&kustomization.into(), View::Clear, &mut text);
        files.push(File {
            path: "kustomization.yaml".into(),
            text,
        });
        files
    }

    /// Sources copied into each namespace need it in their names.
    fn prefix(&self, object: &Object) -> Text {
        match object.namespace.as_deref() {
            Some("flux-system") | None => Text::new(),
            Some(namespace) => Text::from(format!("{namespace}-")),
        }
    }

    fn folder(&mut self, stage: usize, group: &str) -> Text {
        let width = self.width;
        let folder = self.folders.entry(stage).or_insert_with(|| {
            Text::from(format!(
                "{:0width$}-{}",
                stage * 10,
                slug(group, MAX_FOLDER)
            ))
        });
        folder.clone()
    }

    /// Two releases of one name in two namespaces may share a stage.
    fn unique(&mut self, path: Text, object: &Object) -> Text {
        if self.taken.insert(path.clone()) {
            return path;
        }
        let (stem, _) = path.rsplit_once('.').unwrap_or((&path, ""));
        let namespace = object.namespace.as_deref().unwrap_or("");
        // Names may hold dots, so even that name can be another release's.
        let mut number = 1_usize;
        let mut name = Text::from(format!("{stem}.{namespace}.yaml"));
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = Text::from(format!("{stem}.{namespace}.{number}.yaml"));
        }
        name
    }

    /// Returns the marker, and where the object comes from.
    fn header(&self, role: Role<'_>, object: &Object) -> String {
        let mut header = self.marker.clone();
        if let Some(origin) = object.origin {
            let location = self.sources.locate(origin);
            // The folder a file was read from differs from machine to machine.
            let file = location.file.rsplit(['/', '\\']).next().unwrap_or("");
            let line = location.position.line;
            let what = match role {
                Role::Values { chart, .. } | Role::Release { chart, .. } => {
                    format!("chart {chart}, ")
                }
                Role::Namespace | Role::Source => String::new(),
            };
            let from = format!(", from {what}{file}:{line}");
            header.push_str(&escape::without_commands(&escape::name(&from)));
        }
        header.push_str("\n---\n");
        header
    }
}
