//! Installs every release of a site with real Helm as Armada does, the state in which a takeover starts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use armada2flux::armada::Chart;
use armada2flux::compile::{Inputs, Texts};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{View, to_yaml};
use armada2flux::parallel::Workers;
use armada2flux::plan::{Options, Plan, Release};
use armada2flux::yaml::Dialect;
use armada2flux::yaml::deliver::{Delivery, deliver};
use serde_json::Value;

use super::program::Program;
use super::{Bed, Outcome, has_condition, python};

/// Time limit for Armada's own waits, whatever the documents set.
const WAITS_AT_MOST: Duration = Duration::from_secs(180);

/// Prints, for each Chart document, the values file that Armada would pass to Helm. Armada uses PyYAML's C
/// implementation.
const PYYAML: &str = "
import json, sys, yaml
loader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
dumper = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)
texts = {}
for document in yaml.load_all(sys.stdin.buffer, loader):
    if str(document.get('schema')).startswith('armada/Chart/'):
        values = document['data'].get('values') or {}
        texts.setdefault(document['metadata']['name'], yaml.dump(values, Dumper=dumper, default_flow_style=False))
json.dump(texts, sys.stdout)
";

/// A site as documents, and the folders of its charts.
#[derive(Debug)]
pub(crate) struct Site {
    /// The documents.
    pub(crate) text: String,
    /// The Manifest to use if the documents have several.
    pub(crate) target: Option<&'static str>,
    /// The source map with which Flux finds the charts.
    pub(crate) source_map: String,
    /// Holds a folder for each chart, named by the last part of the source's `subpath`.
    pub(crate) charts: PathBuf,
}

impl Site {
    /// Returns the worked site of `charts-examples`, with a source map that takes its charts from the bed's servers. The
    /// charts are in the Git repository `charts-WORD`.
    pub(crate) fn worked(bed: &Bed, word: &str) -> Outcome<Self> {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts-examples");
        let repository = format!("charts-{word}");
        let charts = bed.path().join(format!("worked-site-{repository}"));
        copy_charts(&examples.join("charts"), &charts)?;
        let commit = bed
            .git
            .commit(&repository, &charts, "Add the charts of the worked site")?;
        bed.charts.publish(&examples.join("charts/mirror"))?;
        let text = fs::read_to_string(examples.join("breakwater/armada.yaml"))?;
        Ok(Self {
            source_map: Self::worked_map(bed, word, &commit),
            ..Self::plain(text, charts)
        })
    }

    /// Creates a site whose documents need no source map.
    pub(crate) fn plain(text: String, charts: PathBuf) -> Self {
        Self {
            text,
            target: None,
            source_map: "sources: []\n".to_owned(),
            charts,
        }
    }

    /// Returns a source map that takes the charts of the worked site from the bed's servers, with Git at `commit`.
    pub(crate) fn worked_map(bed: &Bed, word: &str, commit: &str) -> String {
        format!(
            "sources:
- match: {{type: git, location: https://git.example.org/site/<repository>.git}}
  GitRepository:
    url: {}
    ref: {{commit: {commit}}}
- match: {{type: tar, location: https://charts.example.org/stable/<>}}
  HelmRepository:
    url: {}/{word}
",
            bed.git.url(&format!("<repository>-{word}")),
            bed.charts.url
        )
    }

    /// Calls `act` with the site's plan.
    pub(crate) fn with_plan<T>(&self, act: impl FnOnce(&Plan<'_, '_>) -> Outcome<T>) -> Outcome<T> {
        let mut diagnostics = Diagnostics::default();
        let mut texts = Texts::default();
        let file = texts
            .sources
            .add("site.yaml", self.text.as_str())
            .ok_or("no room for a file")?;
        texts.documents.push(file);
        let inputs = Inputs::read(texts, Dialect::PyYaml, Workers::ONE, &mut diagnostics);
        let decoded = inputs.decode(&mut diagnostics);
        let plan = decoded.plan(self.target, Options::default(), &mut diagnostics);
        let plan = plan.ok_or_else(|| format!("{:?}", diagnostics.list()))?;
        act(&plan)
    }
}

impl Bed {
    /// Installs every release of the site with `helm` (3 or 4), group by group, with Armada's flags and values files.
    /// After each step it waits as Armada does, for the pods and Jobs of the release. Returns the releases of each step.
    pub(crate) fn install_as_armada(
        &self,
        site: &Site,
        helm: Program,
    ) -> Outcome<Vec<Vec<(String, String)>>> {
        let texts = pyyaml_texts(&site.text)?;
        site.with_plan(|plan| {
            let mut steps = Vec::new();
            for (_, step) in plan.steps() {
                for release in &step.releases {
                    let values = values_text(release, texts.as_ref())?;
                    self.install_release(release, &values, &site.charts, helm)?;
                }
                for release in &step.releases {
                    self.wait_as_armada(release)?;
                    if let Some(limit) = release.test_timeout {
                        let namespace = format!("--namespace={}", release.namespace);
                        self.run(
                            helm,
                            &[
                                "test",
                                &release.name,
                                &namespace,
                                &format!("--timeout={limit}s"),
                            ],
                        )?;
                    }
                }
                let named = |release: &Release<'_, '_>| {
                    (release.namespace.to_string(), release.name.to_string())
                };
                steps.push(step.releases.iter().map(named).collect());
            }
            Ok(steps)
        })
    }

    fn install_release(
        &self,
        release: &Release<'_, '_>,
        values: &str,
        charts: &Path,
        helm: Program,
    ) -> Outcome {
        let place = self
            .path()
            .join(format!("armada-{}-{}", release.namespace, release.name));
        let chart = place.join("chart");
        copy_charts(&charts.join(folder_name(release.chart)), &chart)?;
        if let Some(dependencies) = &release.dependencies {
            // Armada empties the chart's `charts` folder and fills it with the dependencies of the document.
            let inner = chart.join("charts");
            drop(fs::remove_dir_all(&inner));
            for dependency in dependencies {
                let name = folder_name(dependency.chart);
                copy_charts(&charts.join(&name), &inner.join(&name))?;
            }
        }
        let file = place.join("values.yaml");
        fs::write(&file, values)?;
        let mut arguments = vec![
            "install".to_owned(),
            release.name.to_string(),
            chart.display().to_string(),
            format!("--namespace={}", release.namespace),
            "--create-namespace".to_owned(),
            "--disable-openapi-validation".to_owned(),
            format!("--values={}", file.display()),
            format!("--timeout={}s", release.timeout),
        ];
        if release.native_wait {
            arguments.push("--wait".to_owned());
        }
        self.run(helm, &arguments).map(drop)
    }

    /// Waits until every pod of the release is ready and every Job complete. Armada waits for the same or for less.
    fn wait_as_armada(&self, release: &Release<'_, '_>) -> Outcome {
        let selector = format!("labelSelector=release_group%3D{}", release.name);
        let pods = format!("/api/v1/namespaces/{}/pods?{selector}", release.namespace);
        let jobs = format!(
            "/apis/batch/v1/namespaces/{}/jobs?{selector}",
            release.namespace
        );
        let start = Instant::now();
        loop {
            let pods = self.get(&pods)?.unwrap_or_default();
            let jobs = self.get(&jobs)?.unwrap_or_default();
            let items = |list: &Value| list["items"].as_array().cloned().unwrap_or_default();
            let settled =
                |pod: &Value| pod["status"]["phase"] == "Succeeded" || has_condition(pod, "Ready");
            let waiting: Vec<_> = items(&pods)
                .iter()
                .filter(|pod| !settled(pod))
                .chain(
                    items(&jobs)
                        .iter()
                        .filter(|job| !has_condition(job, "Complete")),
                )
                .map(|object| {
                    object["metadata"]["name"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned()
                })
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            if start.elapsed() > WAITS_AT_MOST {
                return Err(format!(
                    "release {}: not ready: {}",
                    release.name,
                    waiting.join(", ")
                )
                .into());
            }
            std::thread::sleep(super::POLL_INTERVAL);
        }
    }
}

/// Returns the values file: PyYAML's text if PyYAML is installed, else our own text of the same values.
fn values_text(
    release: &Release<'_, '_>,
    texts: Option<&BTreeMap<String, String>>,
) -> Outcome<String> {
    if let Some(text) = texts.and_then(|texts| texts.get(&*release.chart.head.name.value)) {
        return Ok(text.clone());
    }
    let Some(node) = release.chart.values else {
        return Ok("{}\n".to_owned());
    };
    let value = deliver(node, Delivery::Python, &mut Diagnostics::default())
        .ok_or("values cannot be delivered")?;
    Ok(to_yaml(&value, View::Clear))
}

/// Returns PyYAML's texts by name of the Chart document; `None` without Python or PyYAML.
fn pyyaml_texts(site: &str) -> Outcome<Option<BTreeMap<String, String>>> {
    if let Err(reason) = python::interpreter() {
        super::build::print_progress(&format!(
            "armada2flux writes the values files itself: {reason}"
        ));
        return Ok(None);
    }
    let texts = python::answer(PYYAML, site)?;
    Ok(Some(serde_json::from_slice(&texts)?))
}

/// Returns the last part of the chart's `subpath`.
fn folder_name(chart: &Chart<'_>) -> String {
    let path = chart
        .source
        .subpath
        .as_ref()
        .map(|path| path.value.to_string())
        .unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Copies a folder, without what `helm dependency build` added.
pub(crate) fn copy_charts(from: &Path, to: &Path) -> Outcome {
    fs::create_dir_all(to).map_err(|error| format!("{}: {error}", to.display()))?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            let is_built = name == "charts" && from.join("Chart.yaml").is_file();
            if !is_built {
                copy_charts(&entry.path(), &to.join(name))?;
            }
        } else if name != "Chart.lock" {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    Ok(())
}
