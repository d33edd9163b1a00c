//! Dependencies: what Armada puts into a chart's `charts` folder, as includes of a GitRepository.
//!
//! Armada empties the folder and fills it with the named charts (handlers/chartbuilder.py). Flux refuses an
//! include into an existing folder. So the chart is taken out of an artifact without its `charts` folder and
//! composed again below [`FOLDER`], which is empty.

use std::collections::BTreeSet;

use crate::names::{short_digest, slug};
use crate::resolve::Dependency;
use crate::source_map::SourceMap;
use crate::value::Text;

use super::key::Part;
use super::place::{ArchiveFolders, Located, Place, locate};

/// Top folder of composed artifacts, so named that no repository has it.
pub(super) const FOLDER: &str = "armada2flux";
/// Longest folder name computed from a document's name.
const MAX_FOLDER: usize = 60;

/// A dependency that cannot be included.
#[derive(Clone, Debug)]
pub(super) struct NotIncluded<'s, 'd, 't> {
    pub(super) dependency: &'s Dependency<'d, 't>,
    pub(super) why: &'static str,
}

/// The resolved dependencies of a chart.
#[derive(Debug, Default)]
pub(super) struct Parts<'s, 'd, 't> {
    pub(super) parts: Vec<Part>,
    pub(super) not_included: Vec<NotIncluded<'s, 'd, 't>>,
    /// The dependencies that were looked up, nested ones too.
    pub(super) located: Vec<(&'s Dependency<'d, 't>, Located)>,
}

impl<'s, 'd, 't> Parts<'s, 'd, 't> {
    /// Looks up the dependencies of a chart.
    pub(super) fn new(
        dependencies: &'s [Dependency<'d, 't>],
        map: &SourceMap,
        folders: &ArchiveFolders,
    ) -> Self {
        let mut parts = Self::default();
        parts.collect(dependencies, "charts", map, folders);
        parts
    }

    fn collect(
        &mut self,
        dependencies: &'s [Dependency<'d, 't>],
        below: &str,
        map: &SourceMap,
        folders: &ArchiveFolders,
    ) {
        let mut taken = BTreeSet::new();
        for dependency in dependencies {
            let located = locate(dependency.chart, map, folders);
            let why = match &located.place {
                Place::Git { git, folder } => {
                    let to = format!("{below}/{}", name(dependency, folder, &mut taken));
                    self.parts.push(Part {
                        repository: git.clone(),
                        emptied: dependency.dependencies.is_some(),
                        from: folder.clone(),
                        to: to.as_str().into(),
                    });
                    if let Some(inner) = &dependency.dependencies {
                        self.collect(inner, &format!("{to}/charts"), map, folders);
                    }
                    None
                }
                Place::Helm { .. } | Place::Oci(_) => {
                    Some("Flux puts only folders from Git into a chart")
                }
                Place::Existing { .. } => Some(
                    "its source map rule names an existing object, which is not part of this tree",
                ),
                Place::Unreadable(_) => Some("Flux cannot read its source"),
            };
            if let Some(why) = why {
                self.not_included.push(NotIncluded { dependency, why });
            }
            self.located.push((dependency, located));
        }
    }
}

/// Returns the folder of a dependency; Helm accepts any name that does not start with a dot or an underscore.
fn name(dependency: &Dependency<'_, '_>, folder: &str, taken: &mut BTreeSet<Text>) -> Text {
    let last = folder.rsplit('/').next().unwrap_or(folder);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let fits = last.starts_with(|c: char| c.is_ascii_alphanumeric()) && last.chars().all(plain);
    let document = &dependency.chart.head.name.value;
    let name: Text = if fits {
        last.into()
    } else {
        slug(document, MAX_FOLDER)
    };
    if taken.insert(name.clone()) {
        return name;
    }
    let own = Text::from(format!("{name}-{}", short_digest(document)));
    taken.insert(own.clone());
    own
}

/// Returns the folder of a chart in the composed artifact: one folder each, at any depth.
pub(super) fn chart_folder(folder: &str) -> Text {
    let flat = folder.replace('/', ".");
    Text::from(match folder {
        "" => format!("{FOLDER}/chart-{}", short_digest(folder)),
        // Dots in the name could map two folders to one.
        _ if folder.contains('.') => format!("{FOLDER}/{flat}-{}", short_digest(folder)),
        _ => format!("{FOLDER}/{flat}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_do_not_lie_in_one_another() {
        assert_eq!(chart_folder("keystone"), "armada2flux/keystone");
        assert_eq!(chart_folder("charts/armada"), "armada2flux/charts.armada");
        assert_ne!(chart_folder("charts.armada"), chart_folder("charts/armada"));
        assert_ne!(chart_folder(""), "armada2flux/");
    }
}
