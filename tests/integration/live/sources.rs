//! Sources and dependencies with the real controllers: Flux builds the charts that Armada would build.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::site::helm_release;
use super::{Scope, Test, ensure};
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};
use crate::support;

/// Time limit for a small chart from three repositories.
const READY_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared(
            "sources::a_dependency_from_another_repository_is_followed",
            followed,
        ),
        Test::shared("sources::subcharts_are_replaced_as_in_armada", vendored),
        Test::shared(
            "sources::what_is_missing_in_armada_is_missing_in_flux",
            missing,
        ),
        Test::shared("sources::targets_of_a_map_are_used", targets),
        Test::shared("sources::every_form_is_accepted", accepted),
        Test::shared("sources::an_empty_secret_keeps_content", empty_secret),
    ]
}

/// A library chart whose template has its edition.
fn write_toolkit(folder: &Path, edition: &str) -> Outcome {
    let template = format!("{{{{- define \"toolkit.edition\" -}}}}\n{edition}\n{{{{- end -}}}}\n");
    write(
        &folder.join("Chart.yaml"),
        "name: toolkit\nversion: 0.2.78\n",
    )?;
    write(&folder.join("templates/_edition.tpl"), &template)
}

/// A chart that prints the edition of its library. `requirements` is the repository that it names for the
/// library.
fn write_web(folder: &Path, text: &str, requirements: Option<&str>) -> Outcome {
    write(&folder.join("Chart.yaml"), "name: web\nversion: 0.1.0\n")?;
    write(
        &folder.join("templates/configmap.yaml"),
        &format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{{{ .Release.Name }}}}\ndata:\n  text: {text}\n  \
             edition: {{{{ include \"toolkit.edition\" . }}}}\n"
        ),
    )?;
    let Some(repository) = requirements else {
        return Ok(());
    };
    let requirements = format!(
        "dependencies:\n- name: toolkit\n  repository: {repository}\n  version: \">= 0.1.0\"\n"
    );
    write(&folder.join("requirements.yaml"), &requirements)
}

/// A subchart with its own object.
fn write_extra(folder: &Path) -> Outcome {
    write(&folder.join("Chart.yaml"), "name: extra\nversion: 0.1.0\n")?;
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-extra\n";
    write(&folder.join("templates/configmap.yaml"), object)
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    fs::write(path, text)?;
    Ok(())
}

/// A Chart document.
struct Document<'a> {
    name: &'a str,
    repository: &'a str,
    commit: &'a str,
    subpath: &'a str,
    dependencies: Option<&'a [&'a str]>,
}

impl Scope<'_> {
    /// Returns the folder of a repository of this test.
    fn tree(&self, repository: &str) -> PathBuf {
        self.bed
            .path()
            .join(format!("{}-{repository}", self.namespace))
    }

    /// Commits the folder of a repository and returns the commit.
    fn commit_tree(&self, repository: &str) -> Outcome<String> {
        let name = format!("{}-{repository}", self.namespace);
        self.bed
            .git
            .commit(&name, &self.tree(repository), "Change charts")
    }

    /// Converts a site with a release for each of `listed` and applies it. The documents name a server that
    /// does not exist; a source map names the bed's.
    fn deploy(&self, documents: &[Document<'_>], listed: &[&str]) -> Outcome {
        self.deploy_from("", documents, listed)
    }

    /// The same with repositories whose names begin with `mirror`.
    fn deploy_from(&self, mirror: &str, documents: &[Document<'_>], listed: &[&str]) -> Outcome {
        let namespace = &self.namespace;
        let mut text = String::new();
        for document in documents {
            let Document {
                name,
                repository,
                commit,
                subpath,
                dependencies,
            } = document;
            text.push_str(&format!(
                "---\nschema: armada/Chart/v1\nmetadata: {{schema: metadata/Document/v1, name: {name}}}\ndata:\n  \
                 chart_name: {name}\n  release: {name}\n  namespace: {namespace}\n  test: {{enabled: false}}\n  \
                 source: {{type: git, location: \"https://git.example.org/{repository}\", reference: \"{commit}\", subpath: {subpath}}}\n"
            ));
            if let Some(dependencies) = dependencies {
                text.push_str(&format!("  dependencies: [{}]\n", dependencies.join(", ")));
            }
        }
        let map = format!(
            "sources:\n- match: {{type: git, location: https://git.example.org/<repository>}}\n  GitRepository:\n    url: {}\n",
            self.bed
                .git
                .url(&format!("{mirror}{namespace}-<repository>"))
        );
        self.convert_and_apply(&text, listed, &map)
    }

    /// Converts Chart documents with a map and applies the tree.
    fn convert_and_apply(&self, charts: &str, listed: &[&str], map: &str) -> Outcome {
        let namespace = &self.namespace;
        let text = format!(
            "{charts}---\nschema: armada/ChartGroup/v1\nmetadata: {{schema: metadata/Document/v1, name: all}}\ndata:\n  \
             chart_group: [{}]\n---\nschema: armada/Manifest/v1\nmetadata: {{schema: metadata/Document/v1, name: {namespace}}}\n\
             data:\n  release_prefix: town\n  chart_groups: [all]\n",
            listed.join(", ")
        );
        let place = self.tree("site");
        write(&place.join("armada.yaml"), &text)?;
        write(&place.join("armada2flux.yaml"), map)?;
        let out = place.join("flux");
        drop(fs::remove_dir_all(&out));
        let output = support::program()
            .current_dir(&place)
            .args([
                "convert",
                "armada.yaml",
                "-o",
                "flux",
                "--new-cluster",
                "--no-namespaces",
                // Other tests may use the same objects.
                "--source-namespace=release",
            ])
            .args(["--source-map", "armada2flux.yaml"])
            .args([
                "--deny",
                "dependency-not-carried",
                "--deny",
                "source-unresolved",
            ])
            .output()?;
        ensure(output.status.success(), || {
            String::from_utf8_lossy(&output.stderr).into_owned()
        })?;
        let apply = [
            "apply",
            "--server-side",
            "--validate=strict",
            &format!("--kustomize={}", out.display()),
        ];
        self.bed.run(Program::Kubectl, &apply).map(drop)
    }

    fn release_path(&self, name: &str) -> String {
        let namespace = &self.namespace;
        helm_release(namespace, &format!("town-{name}"))
    }

    /// Waits until a release is Ready at that revision.
    fn ready_at(&self, name: &str, revision: i64) -> Outcome {
        let wanted = |object: &Value| {
            object["status"]["history"][0]["version"] == revision && has_condition(object, "Ready")
        };
        let path = self.release_path(name);
        self.bed.wait(&path, READY_WITHIN, wanted).map(drop)
    }

    fn config_map(&self, name: &str) -> Outcome<Option<Value>> {
        let namespace = &self.namespace;
        self.bed
            .get(&format!("/api/v1/namespaces/{namespace}/configmaps/{name}"))
    }

    fn expect_data(&self, name: &str, key: &str, text: &str) -> Outcome {
        let map = self.config_map(name)?.unwrap_or_default();
        ensure(map["data"][key] == text, || {
            format!("{name}: {key} is not {text}: {map}")
        })
    }
}

fn followed(scope: &Scope<'_>) -> Outcome {
    // The chart contains an old edition and names a server that no longer exists, as charts of that time do.
    let (apps, infra) = (scope.tree("apps"), scope.tree("infra"));
    write_web(
        &apps.join("charts/web"),
        "one",
        Some("http://localhost:8879/charts"),
    )?;
    write_toolkit(&apps.join("charts/web/charts/toolkit"), "packaged")?;
    write_toolkit(&infra.join("toolkit"), "first")?;
    let deploy = |mirror: &str, outer: &str, inner: &str| {
        let web = Document {
            name: "web",
            repository: "apps",
            commit: outer,
            subpath: "charts/web",
            dependencies: Some(&["web-toolkit"]),
        };
        let toolkit = Document {
            name: "web-toolkit",
            repository: "infra",
            commit: inner,
            subpath: "toolkit",
            dependencies: Some(&[]),
        };
        scope.deploy_from(mirror, &[web, toolkit], &["web"])
    };
    let outer = scope.commit_tree("apps")?;
    let inner = scope.commit_tree("infra")?;
    deploy("", &outer, &inner)?;
    scope.ready_at("web", 1)?;
    scope.expect_data("town-web", "edition", "first")?;

    // A commit of the dependency alone, under the same version.
    write_toolkit(&infra.join("toolkit"), "second")?;
    let inner = scope.commit_tree("infra")?;
    deploy("", &outer, &inner)?;
    scope.ready_at("web", 2)?;
    scope.expect_data("town-web", "edition", "second")?;

    // A commit of the chart alone.
    write_web(
        &apps.join("charts/web"),
        "two",
        Some("http://localhost:8879/charts"),
    )?;
    let outer = scope.commit_tree("apps")?;
    deploy("", &outer, &inner)?;
    scope.ready_at("web", 3)?;
    scope.expect_data("town-web", "text", "two")?;
    scope.expect_data("town-web", "edition", "second")?;

    // The same commits from a mirror: another map, no upgrade.
    for repository in ["apps", "infra"] {
        let name = format!("{}-{repository}", scope.namespace);
        scope.bed.git.mirror(&name, &format!("mirror-{name}"))?;
    }
    deploy("mirror-", &outer, &inner)?;
    let sources = format!(
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories",
        scope.namespace
    );
    let mirrored = |repository: &&Value| {
        let url = repository["spec"]["url"].as_str().unwrap_or_default();
        url.contains(&format!("/mirror-{}-", scope.namespace))
    };
    scope.bed.wait(&sources, READY_WITHIN, |list| {
        let items = list["items"].as_array();
        let found: Vec<_> = items.into_iter().flatten().filter(mirrored).collect();
        found.len() == 3 && found.iter().all(|found| has_condition(found, "Ready"))
    })?;
    scope.ready_at("web", 3)
}

fn vendored(scope: &Scope<'_>) -> Outcome {
    let apps = scope.tree("apps");
    for chart in ["kept", "emptied", "filled"] {
        write_web(&apps.join(chart), chart, None)?;
        write_extra(&apps.join(chart).join("charts/extra"))?;
    }
    // This one has the library only in its own folder.
    write_toolkit(&apps.join("kept/charts/toolkit"), "packaged")?;
    // This one needs none.
    fs::write(
        apps.join("emptied/templates/configmap.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n",
    )?;
    write_toolkit(&apps.join("toolkit"), "put-in")?;
    // This one gets the library inside another subchart, which contains an old one.
    write_web(&apps.join("nested"), "nested", None)?;
    write_extra(&apps.join("outer"))?;
    write_toolkit(&apps.join("outer/charts/toolkit"), "packaged")?;
    // This one names its own subchart, and loses the other one.
    write_web(&apps.join("own"), "own", None)?;
    write_extra(&apps.join("own/charts/extra"))?;
    write_toolkit(&apps.join("own/charts/toolkit"), "own")?;
    let commit = scope.commit_tree("apps")?;
    // This one is a whole repository.
    let single = scope.tree("single");
    write_web(&single, "single", None)?;
    write_toolkit(&single.join("charts/toolkit"), "packaged")?;
    let single = scope.commit_tree("single")?;
    let document = |name, dependencies| Document {
        name,
        repository: "apps",
        commit: &commit,
        subpath: name,
        dependencies,
    };
    let documents = [
        document("kept", None),
        document("emptied", Some(&[])),
        document("filled", Some(&["toolkit"])),
        document("nested", Some(&["outer"])),
        document("outer", Some(&["toolkit"])),
        document("toolkit", None),
        document("own", Some(&["own-toolkit"])),
        Document {
            name: "own-toolkit",
            subpath: "own/charts/toolkit",
            ..document("", Some(&[]))
        },
        Document {
            name: "single",
            repository: "single",
            commit: &single,
            subpath: ".",
            dependencies: Some(&["toolkit"]),
        },
    ];
    let listed = ["kept", "emptied", "filled", "nested", "own", "single"];
    scope.deploy(&documents, &listed)?;
    for name in ["nested", "single"] {
        scope.ready_at(name, 1)?;
        scope.expect_data(&format!("town-{name}"), "edition", "put-in")?;
    }
    let extra = scope.config_map("town-nested-extra")?;
    ensure(extra.is_some(), || {
        "the outer subchart is missing".to_owned()
    })?;
    for name in ["kept", "emptied", "filled", "own"] {
        scope.ready_at(name, 1)?;
        let extra = scope.config_map(&format!("town-{name}-extra"))?;
        ensure(extra.is_some() == (name == "kept"), || {
            format!("{name}: subchart of its own: {extra:?}")
        })?;
    }
    scope.expect_data("town-kept", "edition", "packaged")?;
    scope.expect_data("town-own", "edition", "own")?;
    scope.expect_data("town-filled", "edition", "put-in")
}

fn missing(scope: &Scope<'_>) -> Outcome {
    let apps = scope.tree("apps");
    write_web(&apps.join("web"), "one", Some("file://../toolkit"))?;
    write_toolkit(&apps.join("web/charts/toolkit"), "packaged")?;
    write_toolkit(&apps.join("toolkit"), "beside")?;
    let commit = scope.commit_tree("apps")?;
    let deploy = |dependencies| {
        let web = Document {
            name: "web",
            repository: "apps",
            commit: &commit,
            subpath: "web",
            dependencies,
        };
        scope.deploy(&[web], &["web"])
    };
    // As in Armada: the folder is emptied, and Helm misses the charts of the requirements.
    let emptied = scope.tree("emptied");
    write_web(&emptied, "one", Some("file://../toolkit"))?;
    let chart = emptied.display().to_string();
    let refused = scope.bed.run(Program::Helm3, &["template", "web", &chart]);
    let said = refused
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure(said.contains("missing in charts/ directory"), || {
        format!("Helm printed: {said}")
    })?;
    deploy(Some(&[]))?;
    let namespace = &scope.namespace;
    let chart = format!(
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/{namespace}/helmcharts/{namespace}-town-web"
    );
    scope.bed.wait(&chart, READY_WITHIN, |object| {
        let conditions = object["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|condition| {
            let message = condition["message"].as_str().unwrap_or_default();
            condition["type"] == "Ready"
                && condition["status"] == "False"
                && message.contains("dependency build error")
        })
    })?;
    let map = scope.config_map("town-web")?;
    ensure(map.is_none(), || format!("was installed: {map:?}"))?;

    // Unchanged, the chart has what it needs.
    deploy(None)?;
    scope.ready_at("web", 1)?;
    scope.expect_data("town-web", "edition", "packaged")
}

fn targets(scope: &Scope<'_>) -> Outcome {
    let namespace = &scope.namespace;
    let chart = scope.tree("chart");
    let name = "printed";
    write(
        &chart.join("Chart.yaml"),
        &format!("name: {name}\nversion: 0.1.0\n"),
    )?;
    write(
        &chart.join("templates/configmap.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  version: {{ .Chart.Version }}\n",
    )?;
    scope.bed.charts.publish(&chart)?;
    let packages = scope.tree("packages");
    let destination = format!("--destination={}", packages.display());
    fs::create_dir_all(&packages)?;
    let package = ["package", &chart.display().to_string(), &destination];
    scope.bed.run(Program::Helm3, &package)?;
    let archive = packages.join(format!("{name}-0.1.0.tgz"));
    let digest = scope
        .bed
        .registry
        .push(&format!("{namespace}/{name}"), "0.1.0", &archive)?;
    scope.bed.apply(&serde_json::json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "there", "namespace": namespace},
        "spec": {"interval": "1h", "url": scope.bed.charts.url},
    }))?;
    let listed = ["index", "oci", "helm-oci", "existing"];
    let charts: String = listed
        .iter()
        .map(|name| {
            format!(
                "---\nschema: armada/Chart/v1\nmetadata: {{schema: metadata/Document/v1, name: {name}}}\ndata:\n  \
                 chart_name: {name}\n  release: {name}\n  namespace: {namespace}\n  test: {{enabled: false}}\n  \
                 source: {{type: tar, location: \"http://charts.example.org/{name}/printed-0.1.0.tgz\", subpath: printed}}\n"
            )
        })
        .collect();
    let registry = format!("oci://{}/{namespace}", scope.bed.registry.address);
    let map = format!(
        "sources:
- match: {{location: http://charts.example.org/index/<>}}
  HelmRepository: {{url: \"{}\"}}
- match: {{location: http://charts.example.org/oci/<>}}
  OCIRepository: {{url: \"{registry}/<chart>\", insecure: true}}
- match: {{location: http://charts.example.org/helm-oci/<>}}
  HelmRepository: {{url: \"{registry}\", insecure: true}}
- match: {{location: http://charts.example.org/existing/<>}}
  existing: {{kind: HelmRepository, name: there, namespace: {namespace}}}
",
        scope.bed.charts.url
    );
    scope.convert_and_apply(&charts, &listed, &map)?;
    // The suffix that the note `source-version-suffix` is about.
    let suffixed = format!("0.1.0+{}", &digest["sha256:".len()..][..12]);
    for name in listed {
        scope.ready_at(name, 1)?;
        let version = if name == "oci" { &suffixed } else { "0.1.0" };
        scope.expect_data(&format!("town-{name}"), "version", version)?;
    }
    Ok(())
}

/// The API server accepts every form of source object in the golden cases.
fn accepted(scope: &Scope<'_>) -> Outcome {
    for namespace in ["town", "east", "west"] {
        scope.bed.apply(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
        }))?;
    }
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases");
    for case in [
        "sources-forms",
        "sources-map",
        "sources-dependencies",
        "sources-in-release-namespaces",
    ] {
        let tree = cases.join(case).join("expected");
        let apply = [
            "apply",
            "--server-side",
            "--validate=strict",
            "--dry-run=server",
            &format!("--kustomize={}", tree.display()),
        ];
        let said = scope.bed.run(Program::Kubectl, &apply)?;
        let objects = said.lines().count();
        ensure(objects > 5, || format!("{case}: {said}"))?;
    }
    Ok(())
}

/// Content that is added to a Secret of the tree in the cluster stays when the tree is applied again.
fn empty_secret(scope: &Scope<'_>) -> Outcome {
    let namespace = &scope.namespace;
    let tree = scope.tree("secrets");
    let charts = format!(
        "---\nschema: armada/Chart/v1\nmetadata: {{schema: metadata/Document/v1, name: web}}\ndata:\n  \
         chart_name: web\n  release: web\n  namespace: {namespace}\n  \
         source: {{type: git, location: \"git@review.example.org:site/charts\", subpath: web}}\n---\n\
         schema: armada/ChartGroup/v1\nmetadata: {{schema: metadata/Document/v1, name: all}}\ndata: {{chart_group: [web]}}\n---\n\
         schema: armada/Manifest/v1\nmetadata: {{schema: metadata/Document/v1, name: {namespace}}}\n\
         data: {{release_prefix: town, chart_groups: [all]}}\n"
    );
    write(&scope.tree("documents").join("armada.yaml"), &charts)?;
    let output = support::program()
        .current_dir(scope.tree("documents"))
        .args([
            "convert",
            "armada.yaml",
            "--no-namespaces",
            "--site=keys",
            "--source-namespace",
            namespace,
            "-o",
        ])
        .arg(&tree)
        .output()?;
    ensure(output.status.success(), || {
        String::from_utf8_lossy(&output.stderr).into_owned()
    })?;
    // Without the annotations the content is lost, so they are what keeps it.
    write(
        &tree.join("plain.yaml"),
        &format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: plain, namespace: {namespace}}}\ntype: Opaque\n"
        ),
    )?;
    let list = tree.join("kustomization.yaml");
    let listed = fs::read_to_string(&list)?;
    fs::write(
        &list,
        listed.replace("resources:\n", "resources:\n  - plain.yaml\n"),
    )?;
    scope.commit_tree("secrets")?;
    scope.bed.apply(&serde_json::json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "tree", "namespace": namespace},
        "spec": {"interval": "12h", "url": scope.bed.git.url(&format!("{namespace}-secrets")), "ref": {"branch": "master"}},
    }))?;
    let kustomization = |interval: &str| {
        scope.bed.apply(&serde_json::json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "tree", "namespace": namespace},
            "spec": {
                "interval": interval, "prune": true, "path": "./",
                "sourceRef": {"kind": "GitRepository", "name": "tree"},
            },
        }))
    };
    kustomization("12h")?;
    let secret = |name: &str| format!("/api/v1/namespaces/{namespace}/secrets/{name}");
    let in_namespace = format!("--namespace={namespace}");
    for name in ["keys.ssh-review-example-org", "plain"] {
        let made = scope.bed.wait(&secret(name), READY_WITHIN, |_| true)?;
        ensure(made["data"].is_null(), || made.to_string())?;
        let content = "--patch={\"stringData\":{\"identity\":\"key\"}}";
        let patch = ["patch", "secret", name, &in_namespace, content];
        scope.bed.run(Program::Kubectl, &patch)?;
    }
    // A new generation is applied again.
    kustomization("11h")?;
    let path =
        format!("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations/tree");
    scope.bed.wait(&path, READY_WITHIN, |object| {
        object["status"]["observedGeneration"] == 2 && has_condition(object, "Ready")
    })?;
    for (name, kept) in [("keys.ssh-review-example-org", true), ("plain", false)] {
        let found = scope.bed.get(&secret(name))?.unwrap_or_default();
        ensure(found["data"]["identity"].is_string() == kept, || {
            format!("{name} is {found}")
        })?;
    }
    Ok(())
}
