//! A whole real site: its unchanged documents, with charts of the same names on the bed's servers.

use std::fs;
use std::path::Path;

use super::site::{all_ready, apply, convert, in_order, steps};
use super::{Scope, Skipped, Test, ensure};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::shared;

/// Charts of the site by repository; all need the toolkit in the second repository.
const CHARTS: [(&str, &[&str]); 2] = [
    (
        "openstack-helm",
        &["keystone", "glance", "neutron", "nova", "heat"],
    ),
    (
        "openstack-helm-infra",
        &[
            "ingress",
            "mariadb",
            "rabbitmq",
            "memcached",
            "libvirt",
            "openvswitch",
        ],
    ),
];

const TOOLKIT: &str = r#"{{- define "helm-toolkit.labels" -}}
release_group: {{ .Release.Name }}
application: {{ .Chart.Name }}
{{- end -}}
"#;

/// The documents wait for a StatefulSet of one release, and for Jobs and pods of the others.
const WORKLOAD: &str = r#"apiVersion: apps/v1
kind: {{ eq .Chart.Name "rabbitmq" | ternary "StatefulSet" "Deployment" }}
metadata:
  name: {{ .Release.Name }}
  labels:
    {{- include "helm-toolkit.labels" . | nindent 4 }}
spec:
  selector:
    matchLabels: {app: {{ .Release.Name }}}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
        {{- include "helm-toolkit.labels" . | nindent 8 }}
    spec:
      containers:
      - {name: main, image: "example.org/main:1"}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-db-sync
  labels:
    {{- include "helm-toolkit.labels" . | nindent 4 }}
spec:
  template:
    metadata:
      labels:
        {{- include "helm-toolkit.labels" . | nindent 8 }}
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: "example.org/main:1"}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {"helm.sh/hook": test}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: "example.org/main:1"}
"#;

/// The repository in charts of that time: a server on the machine that packaged them.
const REQUIREMENTS: &str = "dependencies:\n- {name: helm-toolkit, repository: \"http://localhost:8879/charts\", version: \">= 0.1.0\"}\n";

pub(super) fn tests() -> Vec<Test> {
    vec![Test::private(
        "airskiff::all_releases_become_ready_in_armadas_order",
        whole,
    )]
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    fs::write(path, text)?;
    Ok(())
}

/// The site, with charts in repositories of the bed.
pub(super) fn site(scope: &Scope<'_>) -> Outcome<Site> {
    let mut source_map = "sources:\n".to_owned();
    for (repository, charts) in CHARTS {
        let tree = scope.bed.path().join(repository);
        for chart in charts {
            let folder = tree.join(chart);
            write(
                &folder.join("Chart.yaml"),
                &format!("name: {chart}\nversion: 0.1.0\n"),
            )?;
            write(&folder.join("requirements.yaml"), REQUIREMENTS)?;
            write(&folder.join("templates/all.yaml"), WORKLOAD)?;
        }
        if repository.ends_with("infra") {
            let folder = tree.join("helm-toolkit");
            write(
                &folder.join("Chart.yaml"),
                "name: helm-toolkit\nversion: 0.1.0\n",
            )?;
            write(&folder.join("templates/_labels.tpl"), TOOLKIT)?;
        }
        let commit = scope.bed.git.commit(repository, &tree, "Add charts")?;
        let url = scope.bed.git.url(repository);
        source_map.push_str(&format!(
            "- match: {{type: git, location: https://opendev.org/openstack/{repository}}}\n  \
             GitRepository: {{url: \"{url}\", ref: {{commit: {commit}}}}}\n"
        ));
    }
    let shared = shared::folder().ok_or_else(|| Skipped("../shared is not there".to_owned()))?;
    Ok(Site {
        text: fs::read_to_string(shared.join("corpus/airship/airskiff.yaml"))?,
        target: Some("full-site"),
        source_map,
        charts: scope.bed.path().to_owned(),
    })
}

fn whole(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let steps = steps(&site)?;
    ensure(steps.len() == 8 && steps.concat().len() == 11, || {
        format!("{steps:?}")
    })?;
    apply(
        scope,
        &convert(scope, &site, "airskiff-tree", &["--new-cluster"])?,
        &[],
    )?;
    all_ready(scope, &steps)?;
    in_order(&scope.bed.audit()?, &steps)
}
