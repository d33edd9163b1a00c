//! The totals of a lowering.

use crate::flux::Object;
use crate::flux::helm_release::SourceReference;
use crate::value::Text;

/// The totals of a lowering.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Name of the site.
    pub site: Text,
    /// Namespace objects.
    pub namespaces: usize,
    /// Source objects.
    pub sources: usize,
    /// Secrets without content, which the user must fill in.
    pub empty_secrets: usize,
    /// Secrets and ConfigMaps with values.
    pub values_objects: usize,
    /// HelmReleases.
    pub releases: usize,
    /// HelmReleases written with `suspend: true`.
    pub suspended: usize,
    /// Entries of `dependsOn`, of all HelmReleases.
    pub dependencies: usize,
    /// HelmReleases with health checks in place of waits of Armada.
    pub health_checked: usize,
    /// Leaves of values that are secret and written in clear text.
    pub secrets: usize,
    /// Those of them that are in a Secret.
    pub secrets_apart: usize,
    /// HelmReleases that hold such leaves.
    pub releases_with_secrets: usize,
    /// Nulls in values, which client-side apply would drop.
    pub nulls: usize,
    /// Charts whose source Flux cannot read yet.
    pub unresolved: usize,
    /// The totals of each release, in order of deployment.
    pub by_release: Vec<Lowered>,
}

/// The totals of one release.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Name of the release.
    pub name: Text,
    /// Namespace of the HelmRelease.
    pub namespace: Text,
    /// Source object of its chart.
    pub source: SourceReference,
    /// Number of the source map's rule that decided, from 1; `None` when the document did.
    pub rule: Option<usize>,
    /// The commit of its chart, if it is pinned to one.
    pub commit: Option<Text>,
    /// The location that Flux cannot read, safe to print.
    pub unresolved: Option<Text>,
    /// Secret values written in clear text.
    pub secrets: usize,
    /// Nulls in its values.
    pub nulls: usize,
    /// Bytes of the HelmRelease as JSON.
    pub bytes: usize,
    /// Objects that hold its values, as `KIND NAMESPACE/NAME`, in the order in which they are merged.
    pub values_from: Vec<Text>,
    /// Entries of its `dependsOn`.
    pub dependencies: usize,
    /// Whether it has health checks in place of waits of Armada.
    pub health_checked: bool,
    /// Whether it is written with `suspend: true`.
    pub suspended: bool,
    /// Whether its secret values are written to a Secret.
    pub secrets_apart: bool,
}

impl Totals {
    /// Counts the source objects.
    pub(super) fn add_sources(&mut self, objects: &[Object], unresolved: usize) {
        let secrets = objects
            .iter()
            .filter(|object| object.kind == "Secret")
            .count();
        self.empty_secrets += secrets;
        self.sources += objects.len() - secrets;
        self.unresolved += unresolved;
    }

    /// Counts a release.
    pub(super) fn add(&mut self, release: Lowered) {
        let Lowered {
            name: _,
            namespace: _,
            source: _,
            rule: _,
            commit: _,
            unresolved: _,
            secrets,
            nulls,
            bytes: _,
            ref values_from,
            dependencies,
            health_checked,
            suspended,
            secrets_apart,
        } = release;
        self.releases += 1;
        self.suspended += usize::from(suspended);
        self.dependencies += dependencies;
        self.health_checked += usize::from(health_checked);
        self.values_objects += values_from.len();
        self.secrets += secrets;
        self.secrets_apart += if secrets_apart { secrets } else { 0 };
        self.releases_with_secrets += usize::from(secrets > 0);
        self.nulls += nulls;
        self.by_release.push(release);
    }
}
