//! The Flux kinds that are written, as plain structs; only this room holds API versions.

pub(crate) mod common;
pub(crate) mod duration;
pub(crate) mod git_repository;
pub(crate) mod helm_release;
pub(crate) mod helm_repository;
pub mod managed_fields;
pub(crate) mod object;
pub(crate) mod object_meta;
pub(crate) mod oci_repository;
pub(crate) mod release;
pub(crate) mod values;

pub(crate) use common::{EmptySecret, Namespace, Verify};
pub(crate) use duration::Seconds;
pub(crate) use git_repository::{GitReference, GitRepository, GitSource, Include};
pub(crate) use helm_release::HelmRelease;
pub(crate) use helm_repository::{HelmRepository, HelmSource};
pub use object::{Conflict, Object, ObjectKey, ObjectSet};
pub(crate) use object_meta::{Metadata, ObjectMeta};
pub(crate) use oci_repository::{OciRepository, OciSource};
pub(crate) use release::ReleaseView;

use crate::secret;
use crate::value::{Mapping, Text, Value};

/// Label: the site an object belongs to; objects of another site are never touched.
pub(crate) const SITE_LABEL: &str = "armada2flux.dev/site";
/// Label of the ConfigMap with the state of a run: the site. Objects of the site do not have it.
pub(crate) const STATE_LABEL: &str = "armada2flux.dev/state-of";
/// Annotation: number of the stage, as in the folder's name.
pub(crate) const STAGE_ANNOTATION: &str = "armada2flux.dev/stage";
/// Annotation: number of the step in its stage, from 1.
pub(crate) const STEP_ANNOTATION: &str = "armada2flux.dev/step";
/// Annotation: name of the chart group that is the release's stage.
pub(crate) const GROUP_ANNOTATION: &str = "armada2flux.dev/chart-group";
/// Annotation: what Armada deleted before it upgraded the release; `apply` acts on it.
pub(crate) const PRE_DELETE_ANNOTATION: &str = "armada2flux.dev/pre-delete";
/// Annotation: what a run does when the release failed before the run started; see [`PROTECTED_CONTINUE`].
pub(crate) const PROTECTED_ANNOTATION: &str = "armada2flux.dev/protected";
/// Value of [`PROTECTED_ANNOTATION`]: the release is skipped, the run continues.
pub(crate) const PROTECTED_CONTINUE: &str = "continue";
/// Value of [`PROTECTED_ANNOTATION`]: the run stops.
pub(crate) const PROTECTED_STOP: &str = "stop";
/// Annotation: digest of all that leads up to and includes the release's step.
pub(crate) const DIGEST_ANNOTATION: &str = "armada2flux.dev/digest";
/// Annotation: what Armada itself waited for after Helm and its hooks; `apply` acts on it.
pub(crate) const GATES_ANNOTATION: &str = "armada2flux.dev/gates";
/// Annotation on a release's objects: the commit its chart comes from, and those of its dependencies.
pub(crate) const SOURCE_ANNOTATION: &str = "armada2flux.dev/source";
/// Annotation: the source that Flux cannot read yet.
pub(crate) const UNRESOLVED_ANNOTATION: &str = "armada2flux.dev/unresolved-source";
/// Annotation on a Secret without content: the keys that it needs.
pub(crate) const KEYS_ANNOTATION: &str = "armada2flux.dev/keys-to-fill";
/// Annotation of kustomize-controller: how it applies the object.
pub(crate) const SSA_ANNOTATION: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// Annotation of kustomize-controller: keep the object when it leaves the tree.
pub(crate) const PRUNE_ANNOTATION: &str = "kustomize.toolkit.fluxcd.io/prune";

/// Annotation of kustomize-controller: keep `${…}` in the object unchanged.
pub(crate) const SUBSTITUTE_ANNOTATION: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Label of kustomize-controller on what it applied: the name of the Kustomization.
pub(crate) const KUSTOMIZATION_NAME_LABEL: &str = "kustomize.toolkit.fluxcd.io/name";
/// Label of kustomize-controller on what it applied: the namespace of the Kustomization.
pub(crate) const KUSTOMIZATION_NAMESPACE_LABEL: &str = "kustomize.toolkit.fluxcd.io/namespace";

/// Suffix of the API group of every Flux kind.
pub(crate) const TOOLKIT_DOMAIN: &str = ".toolkit.fluxcd.io";
/// API group of HelmRelease.
pub(crate) const HELM_GROUP: &str = "helm.toolkit.fluxcd.io";
/// API group of the sources.
pub(crate) const SOURCE_GROUP: &str = "source.toolkit.fluxcd.io";
/// The kind of a release.
pub(crate) const HELM_RELEASE: &str = "HelmRelease";
/// The controllers that every release needs.
pub(crate) const CONTROLLERS: [&str; 2] = ["helm-controller", "source-controller"];

/// API version of HelmRelease (Flux 2.3 and newer serve it).
pub(crate) const HELM_RELEASE_API: &str = "helm.toolkit.fluxcd.io/v2";
/// API version of the sources.
pub(crate) const SOURCE_API: &str = "source.toolkit.fluxcd.io/v1";

/// How long helm-controller waits before it retries a release whose dependencies are not ready, in seconds: the
/// default of its `--requeue-dependency`.
pub(crate) const REQUEUE_DEPENDENCY: Seconds = Seconds(30);

/// Builds mappings field by field, in order; empty options are left out.
#[derive(Default)]
pub(crate) struct Fields(Mapping);

impl Fields {
    pub(crate) fn set(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(key, value);
        self
    }

    pub(crate) fn set_some(self, key: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(key, value),
            None => self,
        }
    }

    /// Sets a switch only when it is on.
    pub(crate) fn set_if(self, key: &'static str, on: bool) -> Self {
        if on { self.set(key, true) } else { self }
    }

    /// Sets a mapping unless it is empty.
    pub(crate) fn set_filled(self, key: &'static str, mapping: Mapping) -> Self {
        if mapping.is_empty() {
            self
        } else {
            self.set(key, mapping)
        }
    }

    pub(crate) fn mapping(self) -> Mapping {
        self.0
    }
}

/// Returns a reference to an object in the same namespace.
pub(crate) fn reference(name: Text) -> Mapping {
    [("name", name)].into_iter().collect()
}

/// Returns a mapping of strings from pairs; label selectors of gates and deletions may hold anything.
pub(crate) fn text_mapping(pairs: Vec<(Text, Text)>) -> Mapping {
    let pairs = pairs
        .into_iter()
        .map(|(key, text)| (key, secret::marked(text)));
    pairs.collect()
}
