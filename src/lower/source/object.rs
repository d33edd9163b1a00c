//! Keys to source objects.

use std::collections::BTreeSet;

use crate::flux::{
    EmptySecret, GitReference, GitRepository, GitSource, HelmRepository, HelmSource, Include,
    Metadata, Object, OciRepository, OciSource, Seconds,
};
use crate::value::Text;

use super::compose::{FOLDER, chart_folder};
use super::key::{Form, Key, Names, Nested, SecretKey};

/// Interval for sources that cannot change: a commit, a tag of a registry.
const PINNED_INTERVAL: Seconds = Seconds(12 * 3600);
/// Interval for a branch.
const MOVING_INTERVAL: Seconds = Seconds(10 * 60);
/// Interval for the index of a chart repository.
const INDEX_INTERVAL: Seconds = Seconds(3600);

/// Builds the object of a key. `charts` are the folders of the charts that use it, `names` the names of all
/// keys.
pub(super) fn object(
    key: &Key,
    metadata: Metadata,
    charts: &BTreeSet<Text>,
    names: &Names,
    nested: &Nested,
) -> Object {
    let secret = |name: &Option<Text>| names.secret(name.as_ref());
    match key {
        Key::Git(git, form) => {
            let source = GitSource {
                secret: secret(&git.secret),
                proxy_secret: secret(&git.proxy_secret),
                ..git.clone()
            };
            let mut repository = git_repository(git, form, metadata, charts, names, nested);
            repository.source = source;
            repository.into()
        }
        Key::Helm(source) => HelmRepository {
            metadata,
            source: HelmSource {
                secret: secret(&source.secret),
                cert_secret: secret(&source.cert_secret),
                ..source.clone()
            },
            interval: INDEX_INTERVAL,
        }
        .into(),
        Key::Oci(source) => OciRepository {
            metadata,
            source: OciSource {
                secret: secret(&source.secret),
                cert_secret: secret(&source.cert_secret),
                proxy_secret: secret(&source.proxy_secret),
                ..source.clone()
            },
            interval: if source.tag.is_some() {
                PINNED_INTERVAL
            } else {
                MOVING_INTERVAL
            },
        }
        .into(),
        Key::Secret(SecretKey { name: _, keys }) => EmptySecret {
            metadata,
            keys: keys.clone(),
        }
        .into(),
    }
}

fn git_repository(
    git: &GitSource,
    form: &Form,
    metadata: Metadata,
    charts: &BTreeSet<Text>,
    names: &Names,
    nested: &Nested,
) -> GitRepository {
    let name_of = |key: &Key| names.get(key).cloned().unwrap_or_default();
    let mut ignore = Vec::new();
    let mut include = Vec::new();
    match form {
        Form::Plain => {}
        Form::Emptied(_) => {
            // Only the charts in use: every include unpacks the whole artifact.
            if !charts.contains("") {
                ignore.push(Text::from("/*"));
                let kept = charts.iter().map(|folder| format!("!/{}", escape(folder)));
                ignore.extend(kept.map(Text::from));
            }
            let emptied = charts.iter().map(|folder| match &**folder {
                "" => Text::from("/charts/"),
                folder => Text::from(format!("/{}/charts/", escape(folder))),
            });
            ignore.extend(emptied);
        }
        Form::Composed(parts) => {
            ignore.push(Text::from("/*"));
            ignore.push(Text::from(format!("!/{FOLDER}")));
            for folder in charts {
                let chart = chart_folder(folder);
                include.push(Include {
                    repository: name_of(&nested.emptied(git, folder)),
                    from: folder.clone(),
                    to: chart.clone(),
                });
                include.extend(parts.iter().map(|part| Include {
                    repository: name_of(&part.key(nested)),
                    from: part.from.clone(),
                    to: Text::from(format!("{chart}/{}", part.to)),
                }));
            }
        }
    }
    GitRepository {
        metadata,
        source: git.clone(),
        interval: match &git.reference {
            GitReference::Commit(_) => PINNED_INTERVAL,
            GitReference::Branch(_) | GitReference::Tag(_) | GitReference::Name(_) => {
                MOVING_INTERVAL
            }
        },
        ignore,
        include,
    }
}

/// Returns a folder as a pattern of `.gitignore` that matches nothing else.
fn escape(folder: &str) -> String {
    let mut text = String::with_capacity(folder.len());
    for c in folder.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '!' | '#') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
