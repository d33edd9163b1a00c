//! The programs of the bed: their Go packages, and the files of their modules that the bed needs.

use std::path::{Path, PathBuf};

/// A program that the bed builds from a Go module in `tests/testbed/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Program {
    Etcd,
    KubeApiserver,
    KubeControllerManager,
    KubeScheduler,
    Kubectl,
    Kwok,
    Helm3,
    Helm4,
    SourceController,
    HelmController,
    KustomizeController,
}

impl Program {
    /// All of them, in the order in which they are built.
    pub(crate) const ALL: [Self; 11] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::KubeScheduler,
        Self::Kubectl,
        Self::Kwok,
        Self::Helm3,
        Self::Helm4,
        Self::SourceController,
        Self::HelmController,
        Self::KustomizeController,
    ];

    /// Returns its name: the folder under `tests/testbed/`, the built file, the prefix of its log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Helm3 => "helm3",
            Self::Helm4 => "helm4",
            Self::SourceController => "source-controller",
            Self::HelmController => "helm-controller",
            Self::KustomizeController => "kustomize-controller",
        }
    }

    /// Returns the module of the package; `go.mod` has its version.
    fn module(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver
            | Self::KubeControllerManager
            | Self::KubeScheduler
            | Self::Kubectl => "k8s.io/kubernetes",
            Self::Kwok => "sigs.k8s.io/kwok",
            Self::Helm3 => "helm.sh/helm/v3",
            Self::Helm4 => "helm.sh/helm/v4",
            Self::SourceController => "github.com/fluxcd/source-controller",
            Self::HelmController => "github.com/fluxcd/helm-controller",
            Self::KustomizeController => "github.com/fluxcd/kustomize-controller",
        }
    }

    /// Returns the folder of the package inside its module, with a leading slash.
    fn package(self) -> &'static str {
        match self {
            Self::KubeApiserver => "/cmd/kube-apiserver",
            Self::KubeControllerManager => "/cmd/kube-controller-manager",
            Self::KubeScheduler => "/cmd/kube-scheduler",
            Self::Kubectl => "/cmd/kubectl",
            Self::Kwok => "/cmd/kwok",
            Self::Helm3 | Self::Helm4 => "/cmd/helm",
            Self::Etcd
            | Self::SourceController
            | Self::HelmController
            | Self::KustomizeController => "",
        }
    }

    /// Returns the linker variables that set the program's version. Without them the API server reports a placeholder, and
    /// charts with a `kubeVersion` are refused.
    fn stamps(self, version: &str) -> Vec<String> {
        match self {
            Self::KubeApiserver
            | Self::KubeControllerManager
            | Self::KubeScheduler
            | Self::Kubectl => {
                let mut parts = version.trim_start_matches('v').split('.');
                let major = parts.next().unwrap_or_default();
                let minor = parts.next().unwrap_or_default();
                let base = "k8s.io/component-base/version";
                vec![
                    format!("{base}.gitVersion={version}"),
                    format!("{base}.gitMajor={major}"),
                    format!("{base}.gitMinor={minor}"),
                ]
            }
            Self::Helm3 | Self::Helm4 => vec![format!(
                "{}/internal/version.version={version}",
                self.module()
            )],
            Self::Etcd
            | Self::Kwok
            | Self::SourceController
            | Self::HelmController
            | Self::KustomizeController => Vec::new(),
        }
    }

    /// Returns the folder of the module whose YAML files are kept beside the binary: Flux's CRDs, kwok's node stage.
    fn shares(self) -> Option<&'static str> {
        match self {
            Self::Kwok => Some("kustomize/stage/node/fast"),
            Self::SourceController | Self::HelmController | Self::KustomizeController => {
                Some("config/crd/bases")
            }
            Self::Etcd
            | Self::KubeApiserver
            | Self::KubeControllerManager
            | Self::KubeScheduler
            | Self::Kubectl
            | Self::Helm3
            | Self::Helm4 => None,
        }
    }

    /// Returns how to build it from the Go module in `folder`.
    pub(crate) fn recipe(self, folder: &Path) -> Recipe {
        let folder = folder.join(self.name());
        let version = required_version(&folder, self.module());
        Recipe {
            name: self.name().to_owned(),
            package: format!("{}{}", self.module(), self.package()),
            stamps: self.stamps(&version),
            shares: self
                .shares()
                .map(|path| (self.module().to_owned(), path.to_owned())),
            version,
            folder,
        }
    }
}

/// Everything that affects a built program.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    /// The program's name: of its file, and in messages.
    pub(crate) name: String,
    /// The version in `go.mod`; only for messages and stamps.
    pub(crate) version: String,
    /// Holds `go.mod` and `go.sum`.
    pub(crate) folder: PathBuf,
    /// The Go package to build.
    pub(crate) package: String,
    /// `-X` arguments of the linker.
    pub(crate) stamps: Vec<String>,
    /// A module and a folder in it whose YAML files are kept beside the binary.
    pub(crate) shares: Option<(String, String)>,
}

/// Returns the version of `module` that `go.mod` in `folder` requires; empty without one (the build then fails).
fn required_version(folder: &Path, module: &str) -> String {
    let text = std::fs::read_to_string(folder.join("go.mod")).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut words = line
                .trim()
                .trim_start_matches("require ")
                .split_whitespace();
            (words.next() == Some(module))
                .then(|| words.next())
                .flatten()
        })
        .find(|word| word.starts_with('v'))
        .unwrap_or_default()
        .to_owned()
}
